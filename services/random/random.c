/* SPDX-License-Identifier: Apache-2.0
 *
 * ChaCha20 with fast key erasure, one generator per CPU.
 *
 * Generators Each CPU has a key and a buffer made from it; making the next buffer replaces the key first, so
 *            what was given out, and wiped, cannot be computed from what is stored.
 * Pool       `entropy` takes up the machine's seed, what programs write to /dev/random, and the times of
 *            interrupts, which a CPU brings along at its refills.  Its generation tells each CPU to take up a new key.
 * Locking    A generator is its CPU's, with preemption off.  entropy.lock (spin) is a leaf.
 */
#include "services/random/random.h"

#define WORDS  16u                      /* of a block */
#define BLOCKS 7u                       /* of a buffer */
#define BYTES  (BLOCKS * WORDS * 4)

struct key   { u32 w[8]; };
struct block { u32 w[WORDS]; };

STABLE(generator) {
        struct key key;
        u64 seen;                       /* entropy.generation */
        u32 left;                       /* unused bytes at the end of out: whole words */
        u32 out[BLOCKS * WORDS];
} CACHE_ALIGNED;
static struct generator generators[MAX_CPUS];

STABLE(entropy_pool) { struct spinlock lock; struct key key; u64 generation; };        /* lock; the latter LOAD */
LOCK_CLASS(random, LEAF);
static struct entropy_pool entropy;

#define ROT(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define QUARTER(a, b, c, d) \
        a += b; d = ROT(d ^ a, 16); c += d; b = ROT(b ^ c, 12); a += b; d = ROT(d ^ a, 8); c += d; b = ROT(b ^ c, 7)

static struct block chacha(const struct key *k, u64 counter, u64 nonce)
{
        struct block s = { { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, k->w[0], k->w[1], k->w[2], k->w[3],
                             k->w[4], k->w[5], k->w[6], k->w[7], (u32)counter, (u32)(counter >> 32), (u32)nonce, (u32)(nonce >> 32) } };
        struct block x = s;

        for (u32 round = 0; round < 10; round++) {
                QUARTER(x.w[0], x.w[4], x.w[8], x.w[12]);
                QUARTER(x.w[1], x.w[5], x.w[9], x.w[13]);
                QUARTER(x.w[2], x.w[6], x.w[10], x.w[14]);
                QUARTER(x.w[3], x.w[7], x.w[11], x.w[15]);
                QUARTER(x.w[0], x.w[5], x.w[10], x.w[15]);
                QUARTER(x.w[1], x.w[6], x.w[11], x.w[12]);
                QUARTER(x.w[2], x.w[7], x.w[8], x.w[13]);
                QUARTER(x.w[3], x.w[4], x.w[9], x.w[14]);
        }
        for (u32 i = 0; i < WORDS; i++)
                x.w[i] += s.w[i];
        return x;
}

/* The key becomes half a block made under itself. */
static void turn(struct key *key, u64 nonce)
{
        struct block b = chacha(key, 0, nonce);
        for (u32 i = 0; i < 8; i++)
                key->w[i] = b.w[i];
}

static void absorb(struct key *key, const struct key *words, u64 nonce)
{
        for (u32 i = 0; i < 8; i++)
                key->w[i] ^= words->w[i];
        turn(key, nonce);
}

void random_add(bytes more)
{
        while (bytes_len(more) > 0) {
                struct key words = {};
                usize n = mbytes_copy(MBYTES_OF(words), bytes_take(more, min_u64(bytes_len(more), sizeof words)));
                SPIN_GUARD(&entropy.lock);
                STORE(entropy.generation, entropy.generation + 1);
                absorb(&entropy.key, &words, entropy.generation);
                more = bytes_skip(more, n);
        }
}

/* A key from the pool, and what interrupts have brought into it. */
static void new_key(struct generator *g, u32 cpu, u64 events)
{
        u64 now = time_now();
        struct key words = { { (u32)events, (u32)(events >> 32), (u32)now, (u32)(now >> 32), cpu } };
        SPIN_GUARD(&entropy.lock);

        absorb(&entropy.key, &words, entropy.generation);
        g->seen = entropy.generation;
        absorb(&g->key, &entropy.key, cpu);
        absorb(&entropy.key, &g->key, ~0ul);               /* the pool does not tell what this CPU got */
}

static void refill(struct generator *g, u32 cpu)
{
        u64 events = entropy_events();

        if (events || g->seen != LOAD(entropy.generation))
                new_key(g, cpu, events);
        turn(&g->key, cpu);
        for (u32 i = 0; i < BLOCKS; i++) {
                struct block b = chacha(&g->key, i + 1, cpu);
                for (u32 j = 0; j < WORDS; j++)
                        g->out[i * WORDS + j] = b.w[j];
        }
        turn(&g->key, ~0ul);                            /* and forget the key of what is in the buffer */
        g->left = BYTES;
}

void random_fill(mbytes out)
{
        while (mbytes_len(out) > 0) {
                NO_PREEMPT();
                u32 cpu = cpu_id(), n = (u32)min_u64(mbytes_len(out), 64);
                struct generator *g = &generators[cpu];

                if (g->left < n)
                        refill(g, cpu);
                mbytes from = mbytes_take(mbytes_skip(MBYTES_OF(g->out), BYTES - g->left), n);
                mbytes_copy(out, bytes_const(from));
                mbytes_fill(from, 0);
                g->left -= (n + 3) & ~3u;
                out = mbytes_skip(out, n);
        }
}

u64 random_u64(void)
{
        NO_PREEMPT();
        u32 cpu = cpu_id();
        struct generator *g = &generators[cpu];

        if (g->left < 8)
                refill(g, cpu);
        u32 at = (BYTES - g->left) / 4;
        u64 v = g->out[at] | (u64)g->out[at + 1] << 32;
        g->out[at] = 0;
        g->out[at + 1] = 0;
        g->left -= 8;
        return v;
}

void random_init(void)
{
        u8 seed[ENTROPY_SEED] = {};

        lock_init(&entropy.lock, random);
        entropy_seed(MBYTES_OF(seed));
        random_add(BYTES_OF(seed));
}
