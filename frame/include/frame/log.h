/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel log.  klog(LOG_INFO, "tcp: {} connections, {x} flags", n, flags): each
 * argument, of at most 8, is an integer, a slice or an err_t; {} prints it, {x} in hexadecimal.
 * A line is at most 1000 bytes, gets its time, goes to the ring and, by level, to the console.
 */
#pragma once

enum log_level { LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

struct K_OPAQUE K_BORROW log_arg { u64 kind; u64 value; bytes text; };
static inline struct log_arg k_arg_u(u64 v)   { return (struct log_arg){ .kind = 0, .value = v }; }
static inline struct log_arg k_arg_i(i64 v)   { return (struct log_arg){ .kind = 1, .value = (u64)v }; }
static inline struct log_arg k_arg_b(bytes b) { return (struct log_arg){ .kind = 2, .text = b }; }
static inline struct log_arg k_arg_m(mbytes b) { return (struct log_arg){ .kind = 2, .text = bytes_const(b) }; }
static inline struct log_arg k_arg_e(err_t e) { return (struct log_arg){ .kind = 1, .value = (u64)e.code }; }
#define K_ARG(x) _Generic((x), struct bytes: k_arg_b, struct mbytes: k_arg_m, struct err: k_arg_e, \
        i8: k_arg_i, i16: k_arg_i, i32: k_arg_i, i64: k_arg_i, long long: k_arg_i, default: k_arg_u)(x)
void k_log(enum log_level level, bytes fmt, u32 n, const struct log_arg *args);
/* fmt "...{}..." formatted into dst; returns the bytes written (cut at dst's end). */
usize k_format(mbytes dst, bytes fmt, u32 n, const struct log_arg *args);

#define K_ARGS0()                 1, &(struct log_arg){ }
#define K_NARG(...)  K_NARG_(x __VA_OPT__(,) __VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define K_NARG_(x, a, b, c, d, e, f, g, h, n, ...) n
#define K_ARGS1(a)                1, (struct log_arg[]){ K_ARG(a) }
#define K_ARGS2(a, b)             2, (struct log_arg[]){ K_ARG(a), K_ARG(b) }
#define K_ARGS3(a, b, c)          3, (struct log_arg[]){ K_ARG(a), K_ARG(b), K_ARG(c) }
#define K_ARGS4(a, b, c, d)       4, (struct log_arg[]){ K_ARG(a), K_ARG(b), K_ARG(c), K_ARG(d) }
#define K_ARGS5(a, b, c, d, e)    5, (struct log_arg[]){ K_ARG(a), K_ARG(b), K_ARG(c), K_ARG(d), K_ARG(e) }
#define K_ARGS6(a, b, c, d, e, f) 6, (struct log_arg[]){ K_ARG(a), K_ARG(b), K_ARG(c), K_ARG(d), K_ARG(e), K_ARG(f) }
#define K_ARGS7(a, b, c, d, e, f, g) 7, (struct log_arg[]){ K_ARG(a), K_ARG(b), K_ARG(c), K_ARG(d), K_ARG(e), K_ARG(f), K_ARG(g) }
#define K_ARGS8(a, b, c, d, e, f, g, h) 8, (struct log_arg[]){ K_ARG(a), K_ARG(b), K_ARG(c), K_ARG(d), K_ARG(e), K_ARG(f), K_ARG(g), K_ARG(h) }
#define K_ARGSN(n, ...) K_CAT(K_ARGS, n)(__VA_ARGS__)
#define klog(level, LITERAL, ...)      k_log((level), STR(LITERAL), K_ARGSN(K_NARG(__VA_ARGS__) __VA_OPT__(,) __VA_ARGS__))
#define format(dst, LITERAL, ...)      k_format((dst), STR(LITERAL), K_ARGSN(K_NARG(__VA_ARGS__) __VA_OPT__(,) __VA_ARGS__))

SAFE_API void log_set_console_level(u32 level);          /* messages below this level are printed */
SAFE_API u32  log_console_level(void);
/* A record's level has a facility in the bits above 3, 0 is the kernel's; so may klog's.
 * Reads the record numbered seq, or the first after it; false: none yet.  text gets "<level>[time] text" without a
 * newline, cut at its end; rec->len is the whole length.  For /dev/kmsg and syslog(2). */
struct log_record { u64 seq; u64 time; u32 level; u32 len; };
SAFE_API bool log_read(u64 seq, struct log_record *rec, mbytes text);
SAFE_API struct waitq *log_waitq(void);                  /* woken at each new record */
