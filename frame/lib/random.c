/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers: ChaCha20 with fast key erasure, one generator per CPU.
 *
 * Each CPU has a key and a buffer made from it; making the next buffer replaces the key first, so
 * what was given out cannot be computed from what is stored.  New entropy goes into `pool`, whose
 * generation every CPU's key picks up at its next refill.
 */
#include "arch.h"
#include "lib.h"

struct generator {
        u32 key[8];
        u64 seen;                       /* pool.generation */
        u32 left;                       /* unused bytes at the end of out */
        u32 spare;
        u8  out[448];
} __attribute__((aligned(64)));

static struct generator generators[MAX_CPUS];   /* its CPU, in a section */
static struct { struct klock lock; u32 key[8]; u64 generation; } pool;
static u64 events[MAX_CPUS];                    /* timing of interrupts; racy on purpose */

#define ROT(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define QUARTER(a, b, c, d) \
        a += b; d = ROT(d ^ a, 16); c += d; b = ROT(b ^ c, 12); a += b; d = ROT(d ^ a, 8); c += d; b = ROT(b ^ c, 7)

static void chacha_block(const u32 key[8], u64 counter, u64 nonce, u32 out[16])
{
        u32 s[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key[0], key[1], key[2], key[3],
                      key[4], key[5], key[6], key[7], (u32)counter, (u32)(counter >> 32), (u32)nonce, (u32)(nonce >> 32) };

        for (u32 i = 0; i < 16; i++)
                out[i] = s[i];
        for (u32 round = 0; round < 10; round++) {
                QUARTER(out[0], out[4], out[8], out[12]);
                QUARTER(out[1], out[5], out[9], out[13]);
                QUARTER(out[2], out[6], out[10], out[14]);
                QUARTER(out[3], out[7], out[11], out[15]);
                QUARTER(out[0], out[5], out[10], out[15]);
                QUARTER(out[1], out[6], out[11], out[12]);
                QUARTER(out[2], out[7], out[8], out[13]);
                QUARTER(out[3], out[4], out[9], out[14]);
        }
        for (u32 i = 0; i < 16; i++)
                out[i] += s[i];
}

/* key = the first half of the block under key xor words. */
static void absorb(u32 key[8], const u32 words[8], u64 nonce)
{
        u32 block[16];

        for (u32 i = 0; i < 8; i++)
                key[i] ^= words[i];
        chacha_block(key, 0, nonce, block);
        for (u32 i = 0; i < 8; i++)
                key[i] = block[i];
}

void random_add(bytes entropy)
{
        while (entropy.n_k) {
                u32 words[8] = { 0 };
                usize n = min_u64(entropy.n_k, sizeof words);

                __builtin_memcpy(words, entropy.p_k, n);
                klock_lock(&pool.lock);
                absorb(pool.key, words, ++pool.generation);
                klock_unlock(&pool.lock);
                entropy = bytes_skip(entropy, n);
        }
}

void random_event(u64 tsc)
{
        u64 *e = &events[this_cpu()->cpu];
        *e = (*e << 7 | *e >> 57) ^ tsc * 0x9e3779b97f4a7c15ul;
}

/* In a section. */
static void refill(struct generator *g, u32 cpu)
{
        u32 block[16];

        if (g->seen != pool.generation || __atomic_load_n(&events[cpu], __ATOMIC_RELAXED)) {
                klock_lock(&pool.lock);
                u64 event[4] = { __atomic_exchange_n(&events[cpu], 0, __ATOMIC_RELAXED), arch_clock_now(), cpu, 0 };
                /* SAFETY: B1: eight words in an array of the same 32 bytes. */
                absorb(pool.key, (u32 *)event, pool.generation);
                g->seen = pool.generation;
                absorb(g->key, pool.key, cpu);
                absorb(pool.key, g->key, ~0ul);         /* the pool does not tell what this CPU got */
                klock_unlock(&pool.lock);
        }
        chacha_block(g->key, 0, cpu, block);
        for (u32 i = 0; i < 8; i++)
                g->key[i] = block[i];
        for (u32 i = 0; i < sizeof g->out / 64; i++) {
                chacha_block(g->key, i + 1, cpu, block);
                __builtin_memcpy(g->out + i * 64, block, 64);
        }
        chacha_block(g->key, 0, ~0ul, block);           /* and forget the key of what is in the buffer */
        for (u32 i = 0; i < 8; i++)
                g->key[i] = block[i];
        g->left = sizeof g->out;
}

void random_fill(mbytes out)
{
        while (out.n_k) {
                u8 part[64];
                usize n = min_u64(out.n_k, sizeof part);

                /* By way of the stack: a fault in the caller's memory must not happen in a section. */
                preempt_add(PREEMPT_SECTION);
                u32 cpu = this_cpu()->cpu;
                struct generator *g = &generators[cpu];

                if (g->left < n)
                        refill(g, cpu);
                u8 *from = g->out + (sizeof g->out - g->left);
                __builtin_memcpy(part, from, n);
                __builtin_memset(from, 0, n);
                g->left -= (u32)n;
                preempt_sub_check(PREEMPT_SECTION);
                __builtin_memcpy(out.p_k, part, n);
                out = mbytes_skip(out, n);
        }
}

u64 random_u64(void)
{
        u64 v = 0;
        random_fill(MBYTES_OF(v));
        return v;
}

void random_init(void)
{
        u8 seed[64];

        arch_random_seed(seed);
        random_add(k_bytes(seed, sizeof seed));
        hash_set_key(random_u64(), random_u64());
}
