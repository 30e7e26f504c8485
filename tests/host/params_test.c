/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel command line: what is the kernel's, what goes to init, as Linux has it.
 */
#include "tests/host/frame/host.h"
#include "services/init/params.h"

static bytes str(const char *s) { return (bytes){ (const u8 *)s, strlen(s) }; }

/* args and env as words with '|' behind each. */
static const struct { const char *line, *args, *env, *init, *rdinit; i32 console, panic; u32 loglevel; bool root; } table[] = {
        { "", "", "", "", "", -1, 0, 7, false },
        { "console=ttyS0", "", "", "", "", 0, 0, 7, false },
        { "console=ttyS1,115200n8 console=tty0", "", "", "", "", 1, 0, 7, false },
        { "quiet", "", "", "", "", -1, 0, 4, false },
        { "loglevel=3 panic=-1", "", "", "", "", -1, -1, 3, false },
        { "panic=10", "", "", "", "", -1, 10, 7, false },
        { "single FOO=bar 5", "single|5|", "FOO=bar|", "", "", -1, 0, 7, false },
        { "init=/bin/sh -- -c quiet a=b", "-c|quiet|a=b|", "", "/bin/sh", "", -1, 0, 7, false },
        { "before rdinit=/x after", "after|", "", "", "/x", -1, 0, 7, false },
        { "root=/dev/vda ro rw rootwait", "", "", "", "", -1, 0, 7, true },
        { "\"a b\" x=\"y z\"", "a b|", "x=y z|", "", "", -1, 0, 7, false },
        { "usb.debug=1 FOO=", "", "FOO=|", "", "", -1, 0, 7, false },
        { "  \t one\n two  ", "one|two|", "", "", "", -1, 0, 7, false },
        { "panic=abc loglevel=", "", "", "", "", -1, 0, 7, false },
};

static bool words_are(struct blob *b, u32 n, const char *want, u32 skip)
{
        char got[600];
        usize at = 0;
        bytes all = blob_bytes(b);
        u32 seen = 0;
        for (usize i = 0; i < bytes_len(all); i++) {
                u8 c = bytes_at(all, i);
                if (seen >= skip)
                        got[at++] = c ? (char)c : '|';
                seen += !c;
        }
        CHECK_EQ(seen, n);
        return at == strlen(want) && !memcmp(got, want, at);
}

static void test_table(void)
{
        for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
                struct params *p = params_parse(str(table[i].line));
                bool fine = words_are(p->args, p->n_args, table[i].args, 0) && words_are(p->env, p->n_env, table[i].env, 2) &&
                            bytes_eq(p->init ? params_value(p, p->init) : NO_BYTES, str(table[i].init)) &&
                            bytes_eq(p->rdinit ? params_value(p, p->rdinit) : NO_BYTES, str(table[i].rdinit)) &&
                            p->console == table[i].console && p->panic == table[i].panic && p->loglevel == table[i].loglevel && p->has_root == table[i].root;
                if (!fine)
                        printf("case %u: %s (console %d, panic %d, loglevel %u, root %u)\n", i, table[i].line, p->console, p->panic, p->loglevel, p->has_root);
                CHECK(fine && !p->overflow);
                params_drop(p);
        }
        CHECK_EQ(host_live(), 0);
}

/* More than there is room for: said, and nothing is written elsewhere. */
static void test_long(void)
{
        static u8 line[40000];
        struct params *p;
        for (u32 size = 1; size < 300; size = size * 3 + 1) {
                memset(line, 'a', sizeof line);
                for (u32 i = size; i < sizeof line; i += size + 1)
                        line[i] = ' ';
                p = params_parse(BYTES_OF(line));
                CHECK(p->overflow && p->n_args <= INIT_STRINGS);
                params_drop(p);
        }
        memset(line, 'b', sizeof line);
        p = params_parse(BYTES_OF(line));
        CHECK(p->n_args <= 1);
        params_drop(p);
        char few[400] = "";
        for (u32 i = 0; i < INIT_STRINGS; i++)
                snprintf(few + strlen(few), sizeof few - strlen(few), "w%u ", i);
        p = params_parse(str(few));
        CHECK(p->n_args == INIT_STRINGS && !p->overflow);
        params_drop(p);
}

static err_t once(void)
{
        struct params *p = params_parse(str("a b=c init=/x -- d"));
        bool made = p != NULL;
        params_drop(p);
        return made ? OK : ERR(ENOMEM);
}
static void test_no_memory(void) { CHECK_EQ(FAIL_EACH(once, ENOMEM), 3); }

TESTS({ "table", test_table }, { "long", test_long }, { "no_memory", test_no_memory })
