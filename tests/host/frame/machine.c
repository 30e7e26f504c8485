/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes, numbers, the log, the machine; the test programs' main.
 */
#include "tests/host/frame/host_impl.h"

int  fork(void);
int  waitpid(int, int *, int);
int  close(int);
void _exit(int) __attribute__((noreturn));
int  fflush(void *);
int  strncmp(const char *, const char *, usize);
u32  alarm(u32);

bool host_log;

/* ---- ends ---- */

static bool silent;
void host_expect_trap(void) { silent = true; }

static void end(void)
{
        fflush(NULL);
        __builtin_trap();                       /* so that the sanitizer prints the stack */
}
void host_fail(const char *file, int line, const char *what)
{
        if (!silent)
                printf("%s:%d: %s\n", file, line, what);
        end();
        exit(1);
}
void host_fail_eq(const char *file, int line, const char *what, long got, long want)
{
        if (!silent)
                printf("%s:%d: %s: %ld, not %ld\n", file, line, what, got, want);
        end();
        exit(1);
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{ return "detect_leaks=0:handle_sigill=1:handle_abort=1:allocator_may_return_null=1:detect_stack_use_after_return=0:quarantine_size_mb=16:malloc_context_size=8"; }
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) { return "print_stacktrace=1"; }

/* The status of a child that runs fn. */
static int in_child(void (*fn)(void), bool quiet, u32 seconds)
{
        int status = 0;
        fflush(NULL);
        int pid = fork();
        CHECK(pid >= 0);
        if (!pid) {
                if (quiet) {
                        close(2);
                        silent = true;
                }
                alarm(seconds);
                fn();
                fflush(NULL);
                _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        return status;
}
bool host_traps(void (*fn)(void)) { return in_child(fn, true, 20) != 0; }

int host_main(int argc, char **argv, const struct host_test *tests, u32 n)
{
        u32 passed = 0, failed = 0;
        const char *program = argv[0];
        for (const char *p = argv[0]; *p; p++)
                if (*p == '/')
                        program = p + 1;
        for (u32 i = 0; i < n; i++) {
                char full[160];
                snprintf(full, sizeof full, "host/%s.%s", program, tests[i].name);
                if (argc > 1 && strncmp(argv[1], full, strlen(argv[1])))
                        continue;
                int status = in_child(tests[i].run, false, 200);
                if (!status) {
                        printf("ok %s\n", full);
                        passed++;
                        continue;
                }
                printf("not ok %s (status %x)\n      repeat: make test-host T=%s\n", full, (u32)status, full);
                failed++;
        }
        printf("%u passed, %u failed\n", passed, failed);
        return failed != 0;
}

u64 host_fail_each(err_t (*body)(void), const int *allowed, u32 n_allowed)
{
        u64 live = 0;
        host_fail_from(0);
        CHECK_ERR(body(), 0);                   /* also makes what is made once */
        host_settle();
        live = host_live();
        for (u64 n = 1;; n++) {
                host_fail_from(n);
                err_t err = body();
                bool one = host_failed_one();
                host_fail_from(0);
                host_settle();
                host_at_rest();
                bool fine = succeeded(err);
                for (u32 i = 0; one && i < n_allowed; i++)
                        fine |= err_is(err, allowed[i]);
                if (!fine || host_live() != live) {
                        printf("allocation %lu failed: error %d, %lu alive, were %lu\n", n, err_code(err), host_live(), live);
                        host_report_live();
                        host_fail("fail_each", (int)n, "wrong error or something left over");
                }
                if (!one)
                        return n - 1;
        }
}

/* ---- bytes and numbers ---- */

usize mbytes_copy(mbytes d, bytes s)   { usize n = min_u64(d.n_k, s.n_k); if (n) memmove(d.p_k, s.p_k, n); return n; }
void  mbytes_fill(mbytes d, u8 v)      { if (d.n_k) memset(d.p_k, v, d.n_k); }
bool  bytes_eq(bytes a, bytes b)       { return a.n_k == b.n_k && (!a.n_k || !memcmp(a.p_k, b.p_k, a.n_k)); }
int   bytes_cmp(bytes a, bytes b)
{
        usize n = min_u64(a.n_k, b.n_k);
        int c = n ? memcmp(a.p_k, b.p_k, n) : 0;
        return c ? c : a.n_k < b.n_k ? -1 : a.n_k > b.n_k;
}
bool  bytes_starts(bytes b, bytes p)   { return b.n_k >= p.n_k && bytes_eq(bytes_take(b, p.n_k), p); }
usize bytes_find(bytes b, u8 v)        { usize i = 0; while (i < b.n_k && b.p_k[i] != v) i++; return i; }
usize bytes_rfind(bytes b, u8 v)       { for (usize i = b.n_k; i-- > 0;) if (b.p_k[i] == v) return i; return b.n_k; }
u32   hash_u64(u64 v)                  { return (u32)((v * 0x9e3779b97f4a7c15ul) >> 32); }
u64 k_hash_key[2];
struct bytes_part k_bytes_part(bytes b, u8 end)
{
        u32 n = (u32)bytes_find(b, end);
        return (struct bytes_part){ n, bytes_hash(bytes_take(b, n)) };
}
u32   bytes_hash(bytes b)              { u64 h = 1; for (usize i = 0; i < b.n_k; i++) h = (h ^ b.p_k[i]) * 0x100000001b3ul; return hash_u64(h); }
u64   mul_div(u64 a, u64 b, u64 d)     { CHECK(d); unsigned __int128 r = (unsigned __int128)a * b / d; return (u64)r; }

static u64 seed = 88172645463325252ul;
u64  host_random(void)    { seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17; return seed; }
void host_seed(u64 s)     { seed = s * 0x9e3779b97f4a7c15ul | 1; for (u32 i = 0; i < 8; i++) host_random(); }
void entropy_seed(mbytes o) { for (usize i = 0; i < o.n_k; i++) o.p_k[i] = (u8)(host_random() >> 24); }
u64  entropy_events(void)   { return 0; }

/* ---- files of the host ---- */

int open(const char *, int, ...);
i64 read(int, void *, usize);
bytes host_file_content(const char *name)
{
        usize cap = 1 << 16, n = 0;
        u8 *b = malloc(cap);
        int f = open(name, 0);
        if (f < 0)
                host_fail(name, 0, "no such file");
        for (i64 got; (got = read(f, b + n, cap - n)) > 0;)
                if ((n += (usize)got) == cap)
                        b = realloc(b, cap *= 2);
        close(f);
        return (bytes){ b, n };
}

/* ---- the log ---- */

static void put(mbytes d, usize *n, const char *s, usize len) { *n += mbytes_copy(mbytes_skip(d, *n), (bytes){ (const u8 *)s, len }); }
usize k_format(mbytes dst, bytes fmt, u32 n, const struct log_arg *args)
{
        usize to = 0;
        u32 next = 0;
        for (usize i = 0; i < fmt.n_k; i++) {
                bytes left = bytes_skip(fmt, i);
                bool hex = bytes_starts(left, STR("{x}"));
                char text[32];
                if (next >= n || !(hex || bytes_starts(left, STR("{}")))) {
                        put(dst, &to, (const char *)&fmt.p_k[i], 1);
                        continue;
                }
                const struct log_arg *a = &args[next++];
                if (a->kind == 2)
                        put(dst, &to, (const char *)a->text.p_k, a->text.n_k);
                else
                        put(dst, &to, text, (usize)snprintf(text, sizeof text, hex ? "%lx" : a->kind ? "%ld" : "%lu", a->value));
                i += hex ? 2 : 1;
        }
        return to;
}
static char last_error[1001];
const char *host_error(void) { return last_error; }
void host_forget_error(void) { last_error[0] = 0; }

void k_log(enum log_level level, bytes fmt, u32 n, const struct log_arg *args)
{
        u8 line[1000];
        usize len = k_format(MBYTES_OF(line), fmt, n, args);
        if (level <= LOG_ERR)
                snprintf(last_error, sizeof last_error, "%.*s", (int)len, (char *)line);
        if (host_log)
                printf("<%d>%.*s\n", (int)level, (int)len, (char *)line);
}
static u32 console_level = 7;
void log_set_console_level(u32 l) { console_level = l; }
u32  log_console_level(void)      { return console_level; }
bool log_read(u64 seq, struct log_record *rec, mbytes text) { (void)seq, (void)rec, (void)text; return false; }
static struct waitq log_queue;
struct waitq *log_waitq(void)     { return &log_queue; }

/* ---- the machine ---- */

bytes boot_cmdline(void)          { return STR("console=ttyS0"); }
bytes boot_blob(bytes name)       { (void)name; return NO_BYTES; }
struct cpu_info cpu_info(u32 cpu) { (void)cpu; return (struct cpu_info){ .hwcap = 1, .mhz = 1000, .family = 6 }; }
void power_off(void)              { host_fail("power_off", 0, "called"); }
void power_reset(void)            { host_fail("power_reset", 0, "called"); }
void power_halt(void)             { host_fail("power_halt", 0, "called"); }
void machine_panic(bytes why)     { printf("%.*s\n", (int)why.n_k, (const char *)why.p_k); host_fail("machine_panic", 0, "called"); }
void machine_set_panic_timeout(i32 s) { (void)s; }
u64  oops_count(void)             { return 0; }
void console_register(const struct console_ops *ops) { (void)ops; }
struct ioports *ioports_claim(bytes name) { (void)name; return NULL; }
u8   ioports_read8(struct ioports *w, u32 off) { (void)w, (void)off; return 0xff; }
void ioports_write8(struct ioports *w, u32 off, u8 v) { (void)w, (void)off, (void)v; }
void ioports_write8_many(struct ioports *w, u32 off, bytes d) { (void)w, (void)off, (void)d; }
err_t irq_attach_isa(struct irq_handler *h, u32 line, void (*fn)(struct irq_handler *)) { (void)h, (void)line, (void)fn; return ERR(EBUSY); }
void irq_detach(struct irq_handler *h) { (void)h; }
u64  irq_count(u32 line, u32 cpu) { (void)line, (void)cpu; return 0; }
