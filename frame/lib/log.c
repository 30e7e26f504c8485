/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel log: a ring of records, its formatting, its way to the console.
 *
 * Entry points  k_log (services, by klog()), k_print (framework), log_read, log_flush_console, log_sync
 * Contexts      Any, interrupts and oopses included.  The text is formatted on the caller's stack, before
 *               any lock; the ring's lock is taken with interrupts off, and given up on when this CPU has
 *               it already (a trap inside).  Console and waiters are served here, or where that cannot be by
 *               a bottom half (BH_LOG).
 * Invariants    L1  records lie whole in the ring: none wraps round its end
 *               L2  tail <= head <= tail + RING; both at record starts
 */
#include "arch.h"
#include "task_impl.h"
#include "bh.h"
#include "lib.h"

#define RING      (128u << 10)
#define LINE_MAX  1000u
#define PREFIX    32u                                   /* "<7>[12345.678901] " */

struct record {                                         /* text follows; padded to 8 bytes */
        u64 seq, time;
        u16 len;                                        /* 0xffff: filler up to the ring's end */
        u16 level;                                      /* the facility in the bits above 3 */
        u32 size;
};
static u8 ring[RING] __attribute__((aligned(16)));
static u64 head, tail, next_seq = 1, hint_seq, hint_at; /* positions; ring_lock */
static u32 ring_lock, ring_owner;
static u32 console_level = LOG_DEBUG, flushing, panicking;
static u64 console_seq = 1;                             /* flushing's owner */
static const struct console_ops *console;
static struct waitq readers;
static u32 log_pending;                                 /* lines came since flushing's owner looked */

/* ---- text ---- */

struct out { u8 *p; usize n, max; };
static void put(struct out *o, u8 c)
{
        if (o->n < o->max)
                o->p[o->n++] = c;
}

static void put_number(struct out *o, u64 v, u64 base, u32 width, u8 pad)
{
        u8 digits[24];
        u32 n = 0;

        do
                digits[n++] = (u8)"0123456789abcdef"[v % base];
        while (v /= base);
        for (u32 i = n; i < width; i++)
                put(o, pad);
        while (n)
                put(o, digits[--n]);
}

static void put_signed(struct out *o, i64 v)
{
        if (v < 0)
                put(o, '-');
        put_number(o, v < 0 ? -(u64)v : (u64)v, 10, 1, '0');
}

static void put_arg(struct out *o, const struct log_arg *a, bool hex)
{
        if (a->kind == 2)
                for (usize i = 0; i < a->text.n_k && o->n < o->max; i++)
                        put(o, a->text.p_k[i]);
        else if (hex)
                put_number(o, a->value, 16, 1, '0');
        else if (a->kind == 1)
                put_signed(o, (i64)a->value);
        else
                put_number(o, a->value, 10, 1, '0');
}

usize k_format(mbytes dst, bytes fmt, u32 n, const struct log_arg *args)
{
        struct out o = { dst.p_k, 0, dst.n_k };
        u32 next = 0;

        for (usize i = 0; i < fmt.n_k; i++) {
                const u8 *f = fmt.p_k + i;
                usize left = fmt.n_k - i;
                u32 skip = left >= 2 && f[0] == '{' && f[1] == '}' ? 2 : left >= 3 && f[0] == '{' && f[1] == 'x' && f[2] == '}' ? 3 : 0;

                if (!skip || next >= n) {
                        put(&o, *f);
                        continue;
                }
                put_arg(&o, &args[next++], skip == 3);
                i += skip - 1;
        }
        return o.n;
}

static usize prefix(u8 *p, u32 level, u64 time, bool with_level)
{
        struct out o = { p, 0, PREFIX };

        if (with_level) {
                put(&o, '<');
                put_number(&o, level, 10, 1, '0');
                put(&o, '>');
        }
        put(&o, '[');
        put_number(&o, time / NSEC_PER_SEC, 10, 5, ' ');
        put(&o, '.');
        put_number(&o, time % NSEC_PER_SEC / NSEC_PER_USEC, 10, 6, '0');
        put(&o, ']');
        put(&o, ' ');
        return o.n;
}

/* ---- the ring ---- */

/* False: this CPU holds it already, or we panic. */
static bool lock_ring(u64 *flags)
{
        stack_room();
        *flags = arch_irq_save();
        preempt_add(PREEMPT_SECTION);
        u32 me = this_cpu()->cpu + 1;

        while (__atomic_exchange_n(&ring_lock, 1, __ATOMIC_ACQUIRE)) {
                if (__atomic_load_n(&ring_owner, __ATOMIC_RELAXED) == me || __atomic_load_n(&panicking, __ATOMIC_RELAXED)) {
                        preempt_sub_nocheck(PREEMPT_SECTION);
                        arch_irq_restore(*flags);
                        return false;
                }
                __builtin_ia32_pause();
        }
        __atomic_store_n(&ring_owner, me, __ATOMIC_RELAXED);
        return true;
}

static void unlock_ring(u64 flags)
{
        __atomic_store_n(&ring_owner, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&ring_lock, 0, __ATOMIC_RELEASE);
        preempt_sub_nocheck(PREEMPT_SECTION);
        arch_irq_restore(flags);
}

/* SAFETY: L1, L2: pos is where a record begins, or will. */
static struct record *at(u64 pos) { return (struct record *)&ring[pos % RING]; }

/* No record is here: the ring's end is left out, with a mark where one fits. */
static bool is_filler(u64 pos) { return RING - pos % RING < sizeof(struct record) || at(pos)->len == 0xffff; }
static u64  after(u64 pos) { return pos + (is_filler(pos) ? RING - pos % RING : at(pos)->size); }

static void append(u32 level, const u8 *text, u32 len)
{
        u32 size = (u32)(sizeof(struct record) + len + 7) & ~7u;
        u32 room = RING - (u32)(head % RING), filler = room < size ? room : 0;

        while (head + filler + size > tail + RING)
                tail = after(tail);
        if (filler) {
                if (filler >= sizeof(struct record))
                        *at(head) = (struct record){ .len = 0xffff };
                head += filler;
        }
        /* SAFETY: L1, L2: room was made, and it does not wrap */
        *at(head) = (struct record){ .seq = next_seq++, .time = arch_clock_now(), .len = (u16)len, .level = (u16)level, .size = size };
        __builtin_memcpy(at(head) + 1, text, len);
        head += size;
}

/* The position of the first record with a number of at least seq, or head. */
static u64 find(u64 seq)
{
        u64 pos = hint_seq && hint_seq <= seq && hint_at >= tail ? hint_at : tail;

        while (pos < head && (is_filler(pos) || at(pos)->seq < seq))
                pos = after(pos);
        if (pos < head) {
                hint_seq = at(pos)->seq;
                hint_at = pos;
        }
        return pos;
}

#ifdef KEEL_SELFTEST
/* L1, L2; and C1, as a record's time is taken with the ring locked. */
bool log_is_sound(void)
{
        u64 flags, seq = 0, time = 0, pos;

        if (!lock_ring(&flags))
                return false;
        bool good = head - tail <= RING;
        for (pos = tail; good && pos < head; pos = after(pos)) {
                const struct record *r = at(pos);

                if (is_filler(pos))
                        continue;
                good = r->size <= RING - pos % RING && r->size >= sizeof *r + r->len && (!seq || r->seq == seq + 1) && r->time >= time;
                seq = r->seq;
                time = r->time;
        }
        good = good && pos == head && seq + 1 == next_seq;
        unlock_ring(flags);
        return good;
}
#endif

/* Copies the first record from seq on; false: none yet. */
static bool copy_out(u64 seq, struct record *rec, u8 *text)
{
        u64 flags;

        if (!lock_ring(&flags))
                return false;
        u64 pos = find(seq);
        bool there = pos < head;

        if (there) {
                *rec = *at(pos);
                __builtin_memcpy(text, at(pos) + 1, rec->len);
        }
        unlock_ring(flags);
        return there;
}

bool log_read(u64 seq, struct log_record *out, mbytes text)
{
        struct record rec;
        u8 body[LINE_MAX], start[PREFIX];

        if (!copy_out(seq, &rec, body))
                return false;
        usize n = prefix(start, rec.level, rec.time, true), done = mbytes_copy(text, k_bytes(start, n));

        mbytes_copy(mbytes_skip(text, done), k_bytes(body, rec.len));
        *out = (struct log_record){ .seq = rec.seq, .time = rec.time, .level = rec.level, .len = (u32)n + rec.len };
        return true;
}

struct waitq *log_waitq(void) { return &readers; }
void log_set_console_level(u32 level) { STORE(console_level, level); }
u32  log_console_level(void) { return LOAD_RELAXED(console_level); }

/* ---- to the console ---- */

struct write_call { const struct console_ops *ops; bytes text; };
static void call_write(void *p)
{
        struct write_call *c = p;
        c->ops->write(c->text);
}

static void to_console(bytes text)
{
        struct write_call c = { PTR_LOAD(console), text };

        if (!c.ops || LOAD_RELAXED(panicking)) {
                console_write((const char *)text.p_k, text.n_k);
                return;
        }
        preempt_add(PREEMPT_ONE);
        if (!contained(call_write, &c))
                PTR_STORE(console, NULL);               /* back to the early one */
        preempt_sub_check(PREEMPT_ONE);
}

static void write_records(void)
{
        struct record rec;
        u8 line[PREFIX + LINE_MAX + 1];

        while (copy_out(console_seq, &rec, line + PREFIX)) {
                u8 time[PREFIX];
                usize n = prefix(time, rec.level, rec.time, false);

                if ((rec.level & 7u) >= LOAD_RELAXED(console_level)) {
                        STORE(console_seq, rec.seq + 1);
                        continue;
                }
                __builtin_memcpy(line + PREFIX - n, time, n);
                line[PREFIX + rec.len] = '\n';
                to_console(k_bytes(line + PREFIX - n, n + rec.len + 1));
                STORE(console_seq, rec.seq + 1);
        }
}

/* Is this a place from which service code may be called? */
static bool good_context(void)
{
        u64 f, sp;
        __asm__ volatile ("pushfq; popq %0; movq %%rsp, %1" : "=r"(f), "=r"(sp));
        return f & 0x200 && !(preempt_count() & ~(PREEMPT_BH * 15)) && current_task() && sp > this_cpu()->stack_low + 2048;
}

void log_flush_console(void)
{
        bool good = good_context();

        if (good || !PTR_LOAD(console) || LOAD_RELAXED(panicking)) {
                do {
                        if (XCHG(flushing, 1u) && !LOAD_RELAXED(panicking))
                                return;                 /* its owner looks again */
                        STORE(log_pending, 0u);
                        write_records();
                        XCHG(flushing, 0u);
                } while (LOAD(log_pending));
        }
        if (good && !LOAD_RELAXED(panicking))
                waitq_wake_all(&readers);
        else if (current_task())
                bh_raise(this_cpu(), BH_LOG);
}

void log_sync(void)
{
        u64 end = LOAD(next_seq);

        /* Another CPU may be at it: it gets time, but not for ever. */
        for (u32 i = 0; i < 20000000 && LOAD(console_seq) < end; i++) {
                log_flush_console();
                __builtin_ia32_pause();
        }
}

void log_panic_mode(void) { STORE(panicking, 1u); }

void console_register(const struct console_ops *ops)
{
        k_range(ops && ops->write);
        PTR_STORE(console, ops);
}

/* ---- writing ---- */

static void line(u32 level, const u8 *text, usize len)
{
        u64 flags;

        if (!lock_ring(&flags)) {
                console_write((const char *)text, len);
                console_write("\n", 1);
                return;
        }
        append(level, text, (u32)min_u64(len, LINE_MAX));
        unlock_ring(flags);
        XCHG(log_pending, 1u);
        log_flush_console();
}

void k_log(enum log_level level, bytes fmt, u32 n, const struct log_arg *args)
{
        u8 text[LINE_MAX];
        usize len = k_format(k_mbytes(text, sizeof text), fmt, n, args);

        while (len && text[len - 1] == '\n')
                len--;
        line((u32)level & 0xfff, text, len);
}

void k_print(const char *fmt, u64 a, u64 b, u64 c)
{
        u64 args[3] = { a, b, c };
        u8 text[256];
        struct out o = { text, 0, sizeof text };
        u32 next = 0;

        for (; *fmt; fmt++) {
                u64 v = next < 3 ? args[next] : 0;

                if (fmt[0] != '%' || !fmt[1]) {
                        put(&o, (u8)*fmt);
                        continue;
                }
                next++;
                fmt++;
                if (*fmt == 's')
                        for (const char *s = (const char *)v; s && *s; s++)
                                put(&o, (u8)*s);
                else if (*fmt == 'd')
                        put_signed(&o, (i64)v);
                else
                        put_number(&o, v, 16, 1, '0');
        }
        while (o.n && text[o.n - 1] == '\n')
                o.n--;
        line(LOG_ERR, text, o.n);
}
