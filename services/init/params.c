/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing the kernel command line.  See params.h.
 */
#include "services/init/params.h"
#include "lib/num.h"

static void params_fini(struct params *p)
{
        blob_drop(p->args);
        blob_drop(p->env);
}
POOL_DEFINE(params, params_fini);

bytes params_value(struct params *p, u32 at)
{
        bytes rest = bytes_skip(BYTES_OF(p->text), min_u64(at, INIT_TEXT));
        return bytes_take(rest, bytes_find(rest, 0));
}

/* A word: [name, end) in text, NUL-ended, with its value after '=' if it has one. */
struct word { u32 at, value; bool assigns; };

/* Takes the next word from the command line: quotes group blanks and vanish. False: none is left. */
static bool next_word(struct params *p, bytes line, usize *from, u32 *to, struct word *w)
{
        bool quoted = false;

        while (*from < bytes_len(line) && bytes_at(line, *from) <= ' ')
                ++*from;
        if (*from == bytes_len(line) || *to + 2 >= INIT_TEXT)   /* what does not fit is cut off */
                return false;
        *w = (struct word){ .at = *to };
        for (; *from < bytes_len(line); ++*from) {
                u8 c = bytes_at(line, *from);
                if (c == '"') {
                        quoted = !quoted;
                        continue;
                }
                if (c == 0 || (c <= ' ' && !quoted))
                        break;
                if (*to + 2 >= INIT_TEXT)
                        continue;
                p->text[(*to)++] = c;
                if (c == '=' && !w->assigns) {
                        w->assigns = true;
                        w->value = *to;
                }
        }
        p->text[(*to)++] = 0;
        return true;
}

static void add_string(struct blob *to, u32 *count, bytes s, bool *overflow)
{
        usize n = blob_len(to), len = bytes_len(s);

        if (*count >= INIT_STRINGS || n + len + 1 > INIT_TEXT) {
                *overflow = true;
                return;
        }
        mbytes_copy(mbytes_sub(blob_mbytes(to), n, len), s);
        mbytes_put(blob_mbytes(to), n + len, 0);
        blob_set_len(to, n + len + 1);
        ++*count;
}

/* The index in "ttyS0,115200n8" or "hvc0", or -1. */
static i32 console_index(bytes value, bytes prefix, u32 count)
{
        usize n = bytes_len(prefix);

        if (!bytes_starts(value, prefix) || bytes_len(value) <= n)
                return -1;
        u32 index = bytes_at(value, n) - (u32)'0';
        return index < count ? (i32)index : -1;
}

/* Anything else leaves the choice as it is. */
static void choose_console(struct params *p, bytes value)
{
        i32 serial = console_index(value, STR("ttyS"), 4), virtual = console_index(value, STR("hvc"), 8);

        if (serial >= 0 || virtual >= 0) {
                p->console = serial;
                p->console_virtual = virtual;
        }
}

static void set_number(bytes value, i32 *out)
{
        i64 v = 0;
        if (num_parse_signed(value, &v) && v >= I32_MIN && v <= I32_MAX)
                *out = (i32)v;
}

/* The kernel's own words. True: w was one. */
static bool known(struct params *p, const struct word *w)
{
        bytes name = params_value(p, w->at), value = NO_BYTES;
        i32 level = (i32)p->loglevel;

        if (w->assigns) {
                name = bytes_take(name, w->value - w->at - 1);
                value = params_value(p, w->value);
        }
        if (bytes_eq(name, STR("console"))) {
                choose_console(p, value);
        } else if (bytes_eq(name, STR("rdinit")) && w->assigns) {
                p->rdinit = w->value;
                blob_set_len(p->args, 0);               /* words before it were not for this init */
                p->n_args = 0;
        } else if (bytes_eq(name, STR("init")) && w->assigns) {
                p->init = w->value;
                blob_set_len(p->args, 0);
                p->n_args = 0;
        } else if (bytes_eq(name, STR("quiet")) && !w->assigns) {
                p->loglevel = 4;
        } else if (bytes_eq(name, STR("debug")) && !w->assigns) {
                p->loglevel = 10;
        } else if (bytes_eq(name, STR("loglevel"))) {
                set_number(value, &level);
                p->loglevel = level < 0 ? 0 : (u32)level;
        } else if (bytes_eq(name, STR("panic"))) {
                set_number(value, &p->panic);
        } else if (bytes_eq(name, STR("root"))) {
                p->has_root = true;
        } else {
                /* Taken and not needed here: what Linux would not hand to init either. */
                return bytes_eq(name, STR("ro")) || bytes_eq(name, STR("rw")) || bytes_eq(name, STR("earlyprintk")) ||
                       bytes_eq(name, STR("rootfstype")) || bytes_eq(name, STR("rootwait")) || bytes_eq(name, STR("nokaslr")) ||
                       bytes_eq(name, STR("reboot")) || bytes_eq(name, STR("mitigations")) || bytes_eq(name, STR("no_timer_check")) ||
                       bytes_eq(name, STR("tsc")) || bytes_eq(name, STR("noapic")) || bytes_eq(name, STR("nosmp")) ||
                       bytes_eq(name, STR("lsm")) || bytes_eq(name, STR("audit")) || bytes_eq(name, STR("net.ifnames")) ||
                       bytes_find(name, '.') < bytes_len(name);         /* a module's parameter */
        }
        return true;
}

struct params *params_parse(bytes cmdline)
{
        struct params *p = params_alloc(NULL, MAY_RECLAIM);
        usize from = 0;
        u32 to = 1;                                     /* 0 means "not given" */
        struct word w = {};
        bool only_args = false;

        if (!p)
                return NULL;
        p->args = blob_alloc(NULL, INIT_TEXT);
        p->env = blob_alloc(NULL, INIT_TEXT);
        if (!p->args || !p->env) {
                params_drop(p);
                return NULL;
        }
        blob_set_len(p->args, 0);
        blob_set_len(p->env, 0);
        p->console = p->console_virtual = -1;
        p->loglevel = 7;
        add_string(p->env, &p->n_env, STR("HOME=/"), &p->overflow);
        add_string(p->env, &p->n_env, STR("TERM=linux"), &p->overflow);
        while (next_word(p, cmdline, &from, &to, &w)) {
                bytes text = params_value(p, w.at);
                if (only_args)
                        add_string(p->args, &p->n_args, text, &p->overflow);
                else if (bytes_eq(text, STR("--")))
                        only_args = true;
                else if (!known(p, &w)) {
                        if (w.assigns)
                                add_string(p->env, &p->n_env, text, &p->overflow);
                        else
                                add_string(p->args, &p->n_args, text, &p->overflow);
                }
        }
        return p;
}
