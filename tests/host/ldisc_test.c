/* SPDX-License-Identifier: Apache-2.0
 *
 * The line discipline of a terminal: what is typed, under which settings, and what a reader
 * gets, what is echoed and which signals are sent; as termios(3) and Linux have it.
 */
#include "tests/host/frame/host.h"
#include "services/random/random.h"
#include "services/tty/ldisc.h"
#include "abi/const/tty.h"
#include "abi/const/signal.h"

static char echoed[20000], signals[200];
static usize n_echoed;
static u32 n_signals;

static void on_output(struct ldisc *d, bytes text)
{
        for (usize i = 0; i < bytes_len(text); i++) {
                CHECK(n_echoed + 1 < sizeof echoed);
                echoed[n_echoed++] = (char)bytes_at(text, i);
        }
}
static void note(char c) { CHECK(n_signals + 1 < sizeof signals); signals[n_signals++] = c; signals[n_signals] = 0; }
static void on_signal(struct ldisc *d, u32 sig) { note(sig == SIGINT ? 'I' : sig == SIGQUIT ? 'Q' : sig == SIGTSTP ? 'Z' : '?'); }
static void on_flow(struct ldisc *d, bool stop) { note(stop ? 'S' : 'G'); }
static const struct ldisc_ops ops = { .output = on_output, .signal = on_signal, .flow = on_flow };

static struct ldisc it;

static void fresh(void)
{
        memset(&it, 0, sizeof it);
        ldisc_init(&it, &ops);
        memset(echoed, 0, sizeof echoed);
        memset(signals, 0, sizeof signals);
        n_echoed = n_signals = 0;
}

struct cases {
        u32 iset, iclear, oset, oclear, lset, lclear;
        struct { u8 which, value; } cc;         /* which 0 with value 0: none */
        const char *typed, *read, *echo, *sent;
        u32 size;                               /* of each read; 0: large */
};

/* A read shows as [bytes]. The default: ICRNL IXON, OPOST ONLCR, ISIG ICANON ECHO ECHOE ECHOK ECHOCTL ECHOKE IEXTEN. */
static const struct cases table[] = {
        { .typed = "abc\n", .read = "[abc\n]", .echo = "abc\r\n" },
        { .typed = "abc\r", .read = "[abc\n]", .echo = "abc\r\n" },
        { .typed = "abc", .read = "", .echo = "abc" },
        { .typed = "a\nb\n", .read = "[a\n][b\n]", .echo = "a\r\nb\r\n" },
        { .typed = "hello\n", .read = "[he][ll][o\n]", .echo = "hello\r\n", .size = 2 },
        /* erase, kill, word erase */
        { .typed = "ab\177c\n", .read = "[ac\n]", .echo = "ab\b \bc\r\n" },
        { .typed = "\177\177\n", .read = "[\n]", .echo = "\r\n" },
        { .typed = "x\n\177y\n", .read = "[x\n][y\n]", .echo = "x\r\ny\r\n" },
        { .typed = "abc\025d\n", .read = "[d\n]", .echo = "abc\b \b\b \b\b \bd\r\n" },
        { .lclear = ECHOKE, .typed = "abc\025d\n", .read = "[d\n]", .echo = "abc^U\r\nd\r\n" },
        { .lclear = ECHOKE | ECHOK, .typed = "abc\025d\n", .read = "[d\n]", .echo = "abc^Ud\r\n" },
        { .typed = "foo bar\027x\n", .read = "[foo x\n]", .echo = "foo bar\b \b\b \b\b \bx\r\n" },
        { .typed = "foo  \027x\n", .read = "[x\n]", .echo = "foo  \b \b\b \b\b \b\b \b\b \bx\r\n" },
        { .typed = "a.b_1\027\n", .read = "[a.\n]", .echo = "a.b_1\b \b\b \b\b \b\r\n" },
        { .lclear = IEXTEN, .typed = "ab\027\n", .read = "[ab\027\n]", .echo = "ab^W\r\n" },
        { .lclear = ECHOE, .typed = "ab\177\n", .read = "[a\n]", .echo = "ab^?\r\n" },
        { .lset = ECHOPRT, .typed = "abc\177\177d\n", .read = "[ad\n]", .echo = "abc\\cb/d\r\n" },
        { .lclear = ECHO, .typed = "ab\177c\n", .read = "[ac\n]", .echo = "" },
        { .lclear = ECHO, .lset = ECHONL, .typed = "ab\n", .read = "[ab\n]", .echo = "\r\n" },
        { .cc = { VERASE, 0 }, .typed = "ab\177\n", .read = "[ab\177\n]", .echo = "ab^?\r\n" },
        { .cc = { VERASE, '#' }, .typed = "ab#\n", .read = "[a\n]", .echo = "ab\b \b\r\n" },
        /* control characters and tabs as they are shown */
        { .typed = "\001\177\n", .read = "[\n]", .echo = "^A\b \b\b \b\r\n" },
        { .lclear = ECHOCTL, .typed = "\001b\n", .read = "[\001b\n]", .echo = "\001b\r\n" },
        { .lclear = ECHOCTL, .typed = "\001\177\n", .read = "[\n]", .echo = "\001\r\n" },
        { .typed = "\t\n", .read = "[\t\n]", .echo = "\t\r\n" },
        { .typed = "ab\t\177c\n", .read = "[abc\n]", .echo = "ab\t\b\b\b\b\b\bc\r\n" },
        { .oset = XTABS, .typed = "ab\tc\n", .read = "[ab\tc\n]", .echo = "ab      c\r\n" },
        { .oclear = ONLCR, .typed = "ab\n", .read = "[ab\n]", .echo = "ab\n" },
        { .oclear = OPOST, .typed = "ab\n", .read = "[ab\n]", .echo = "ab\n" },
        { .iset = IUTF8, .typed = "\303\251\177\n", .read = "[\n]", .echo = "\303\251\b \b\r\n" },
        { .typed = "\303\251\177\n", .read = "[\303\n]", .echo = "\303\251\b \b\r\n" },
        { .iset = IUTF8, .typed = "a\342\202\254\177\177b\n", .read = "[b\n]", .echo = "a\342\202\254\b \b\b \bb\r\n" },
        /* end of file and line */
        { .typed = "\004", .read = "[]", .echo = "" },
        { .typed = "abc\004", .read = "[abc]", .echo = "abc" },
        { .typed = "abc\004\004", .read = "[abc][]", .echo = "abc" },
        { .typed = "ab\004", .read = "[ab]", .echo = "ab", .size = 2 },
        { .typed = "abc\004", .read = "[ab][c]", .echo = "abc", .size = 2 },
        { .cc = { VEOL, ';' }, .typed = "ab;cd\n", .read = "[ab;][cd\n]", .echo = "ab;cd\r\n" },
        { .cc = { VEOL2, ';' }, .typed = "ab;cd\n", .read = "[ab;][cd\n]", .echo = "ab;cd\r\n" },
        { .cc = { VEOL2, ';' }, .lclear = IEXTEN, .typed = "ab;cd\n", .read = "[ab;cd\n]", .echo = "ab;cd\r\n" },
        /* taken literally; shown again */
        { .typed = "\026\003\n", .read = "[\003\n]", .echo = "^\b^C\r\n" },
        { .typed = "\026\177x\n", .read = "[\177x\n]", .echo = "^\b^?x\r\n" },
        { .typed = "\026\026\n", .read = "[\026\n]", .echo = "^\b^V\r\n" },
        { .lclear = IEXTEN, .typed = "\026\n", .read = "[\026\n]", .echo = "^V\r\n" },
        { .typed = "ab\022c\n", .read = "[abc\n]", .echo = "ab^R\r\nabc\r\n" },
        /* signals */
        { .typed = "ab\003c\n", .read = "[c\n]", .echo = "ab^Cc\r\n", .sent = "I" },
        { .typed = "\034\032", .read = "", .echo = "^\\^Z", .sent = "QZ" },
        { .lset = NOFLSH, .typed = "ab\003c\n", .read = "[abc\n]", .echo = "ab^Cc\r\n", .sent = "I" },
        { .typed = "a\nb\003", .read = "", .echo = "a\r\nb^C", .sent = "I" },
        { .lclear = ISIG, .typed = "\003\n", .read = "[\003\n]", .echo = "^C\r\n" },
        { .lclear = ECHO, .typed = "\003", .read = "", .echo = "", .sent = "I" },
        { .lclear = ICANON, .typed = "\003a", .read = "[a]", .echo = "^Ca", .sent = "I" },
        /* flow control */
        { .typed = "\023a\021\n", .read = "[a\n]", .echo = "a\r\n", .sent = "SG" },
        { .iset = IXANY, .typed = "\023a\n", .read = "[a\n]", .echo = "a\r\n", .sent = "SG" },
        { .iclear = IXON, .typed = "\023\021\n", .read = "[\023\021\n]", .echo = "^S^Q\r\n" },
        { .typed = "\023\003", .read = "", .echo = "^C", .sent = "SIG" },       /* a signal starts the output again */
        /* input mapping */
        { .iset = IGNCR, .typed = "a\rb\n", .read = "[ab\n]", .echo = "ab\r\n" },
        { .iclear = ICRNL, .typed = "a\rb\n", .read = "[a\rb\n]", .echo = "a^Mb\r\n" },
        { .iclear = ICRNL, .iset = INLCR, .lclear = ICANON | ECHO, .typed = "a\n", .read = "[a\r]", .echo = "" },
        { .iset = ISTRIP, .typed = "\341\n", .read = "[a\n]", .echo = "a\r\n" },
        { .iset = IUCLC, .typed = "AbZ\n", .read = "[abz\n]", .echo = "abz\r\n" },
        { .iset = PARMRK, .lclear = ICANON | ECHO, .typed = "\377a", .read = "[\377\377a]", .echo = "" },
        /* without canonical mode */
        { .lclear = ICANON, .typed = "a\177\004\025", .read = "[a\177\004\025]", .echo = "a^?^D^U" },
        { .lclear = ICANON | ECHO | ISIG | IEXTEN, .iclear = ICRNL | IXON, .typed = "a\r\003\032\021", .read = "[a\r\003\032\021]", .echo = "" },
        { .lclear = ICANON, .typed = "a\nb", .read = "[a\nb]", .echo = "a^Jb" },
        { .lclear = ICANON, .typed = "abc", .read = "[a][b][c]", .echo = "abc", .size = 1 },
};

static usize show_reads(char *out, usize size)
{
        usize at = 0;
        while (ldisc_readable(&it)) {
                u8 buf[256] = {};
                bool done = false;
                usize want = size ? size : sizeof buf, available = ldisc_available(&it);
                usize n = ldisc_read(&it, mbytes_take(MBYTES_OF(buf), want), &done);
                CHECK(n <= available && (n > 0 || done));
                CHECK(ldisc_validate(&it));
                out[at++] = '[';
                memcpy(out + at, buf, n);
                at += n;
                out[at++] = ']';
        }
        CHECK(ldisc_available(&it) == 0);
        return at;
}

static void show(const char *what, const char *s, usize n)
{
        printf("  %-8s \"", what);
        for (usize i = 0; i < n; i++)
                printf(s[i] < 32 || s[i] == 127 ? "\\%03o" : "%c", (u8)s[i]);
        printf("\"\n");
}

static void test_table(void)
{
        u32 wrong = 0;
        for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
                const struct cases *c = &table[i];
                char got[1000] = {};
                fresh();
                struct linux_termios t = ldisc_termios(&it);
                t.c_iflag = (t.c_iflag & ~c->iclear) | c->iset;
                t.c_oflag = (t.c_oflag & ~c->oclear) | c->oset;
                t.c_lflag = (t.c_lflag & ~c->lclear) | c->lset;
                if (c->cc.which || c->cc.value)
                        t.c_cc[c->cc.which] = c->cc.value;
                ldisc_set_termios(&it, t);
                for (usize k = 0; c->typed[k]; k++) {
                        u8 byte = (u8)c->typed[k];
                        ldisc_receive(&it, BYTES_OF(byte));
                        CHECK(ldisc_validate(&it));
                }
                usize n = show_reads(got, c->size);
                if (n == strlen(c->read) && !memcmp(got, c->read, n) && n_echoed == strlen(c->echo) && !memcmp(echoed, c->echo, n_echoed) &&
                    !strcmp(signals, c->sent ? c->sent : ""))
                        continue;
                wrong++;
                printf("case %u:\n", i);
                show("typed", c->typed, strlen(c->typed));
                show("read", got, n), show("  want", c->read, strlen(c->read));
                show("echo", echoed, n_echoed), show("  want", c->echo, strlen(c->echo));
                show("sent", signals, n_signals), show("  want", c->sent ? c->sent : "", strlen(c->sent ? c->sent : ""));
        }
        CHECK_EQ(wrong, 0);
}

/* A line is at most 4096 bytes with its newline; what is typed beyond is lost. */
static void test_full(void)
{
        for (u32 bell = 0; bell < 2; bell++) {
                u8 a = 'a', out[5000] = {};
                bool done = false;
                fresh();
                struct linux_termios t = ldisc_termios(&it);
                t.c_iflag |= bell ? IMAXBEL : 0;
                t.c_lflag &= ~(u32)ECHO;
                ldisc_set_termios(&it, t);
                for (u32 i = 0; i < 5000; i++) {
                        ldisc_receive(&it, BYTES_OF(a));
                        CHECK(ldisc_validate(&it));
                }
                CHECK_EQ(n_echoed, bell ? 5000 - 4095 : 0);
                CHECK(!ldisc_readable(&it));
                ldisc_receive(&it, STR("\n"));
                CHECK_EQ(ldisc_available(&it), 4096);
                CHECK_EQ(ldisc_read(&it, MBYTES_OF(out), &done), 4096);
                CHECK(done && out[4094] == 'a' && out[4095] == '\n');
                ldisc_receive(&it, STR("next\n"));
                CHECK_EQ(ldisc_read(&it, MBYTES_OF(out), &done), 5);
        }
        /* The end of file fits even into a full buffer, and the buffer is emptied by an interrupt. */
        fresh();
        u8 many[4095];
        memset(many, 'x', sizeof many);
        ldisc_receive(&it, BYTES_OF(many));
        ldisc_receive(&it, STR("\004"));
        CHECK(ldisc_validate(&it) && ldisc_readable(&it));
        CHECK_EQ(ldisc_available(&it), 4095);
        ldisc_receive(&it, STR("\003"));
        CHECK(!ldisc_readable(&it) && ldisc_validate(&it));
}

static void test_modes(void)
{
        bool done = false;
        u8 out[100] = {};
        fresh();
        struct linux_termios canon = ldisc_termios(&it), raw = canon;
        raw.c_lflag &= ~(u32)ICANON;
        /* What was typed of an unfinished line becomes readable. */
        ldisc_receive(&it, STR("abc"));
        CHECK(!ldisc_readable(&it));
        ldisc_set_termios(&it, raw);
        CHECK(ldisc_validate(&it) && ldisc_available(&it) == 3);
        CHECK_EQ(ldisc_read(&it, mbytes_take(MBYTES_OF(out), 2), &done), 2);
        /* And what is left is one line in canonical mode. */
        ldisc_set_termios(&it, canon);
        CHECK(ldisc_validate(&it) && ldisc_readable(&it));
        CHECK_EQ(ldisc_read(&it, MBYTES_OF(out), &done), 1);
        CHECK(done && out[0] == 'c');
        /* Changing other settings leaves lines alone. */
        ldisc_receive(&it, STR("one\ntwo"));
        canon.c_lflag &= ~(u32)ECHO;
        ldisc_set_termios(&it, canon);
        ldisc_receive(&it, STR("\n"));
        CHECK_EQ(ldisc_read(&it, MBYTES_OF(out), &done), 4);
        CHECK_EQ(ldisc_read(&it, MBYTES_OF(out), &done), 4);
        /* Turning IXON off lets a stopped output go on. */
        ldisc_receive(&it, STR("\023"));
        CHECK(it.stopped);
        canon.c_iflag &= ~(u32)IXON;
        ldisc_set_termios(&it, canon);
        CHECK(!it.stopped && !strcmp(signals, "SG"));
        ldisc_receive(&it, STR("a\nb"));
        ldisc_flush_input(&it);
        CHECK(ldisc_validate(&it) && !ldisc_readable(&it) && !ldisc_available(&it));
}

static void test_break(void)
{
        bool done = false;
        u8 out[10] = {};
        for (u32 i = 0; i < 4; i++) {
                fresh();
                struct linux_termios t = ldisc_termios(&it);
                t.c_lflag &= ~(u32)(ICANON | ECHO);
                t.c_iflag |= i == 0 ? IGNBRK : i == 1 ? BRKINT : i == 2 ? PARMRK : 0;
                ldisc_set_termios(&it, t);
                ldisc_receive(&it, STR("x"));
                ldisc_break(&it);
                CHECK(ldisc_validate(&it));
                usize n = ldisc_read(&it, MBYTES_OF(out), &done);
                CHECK_EQ(n, i == 0 ? 1 : i == 1 ? 0 : i == 2 ? 4 : 2);
                CHECK(!strcmp(signals, i == 1 ? "I" : ""));
                CHECK(i != 2 || (out[1] == 0xff && !out[2] && !out[3]));
                CHECK(i != 3 || !out[1]);
        }
}

static void test_render(void)
{
        static const struct { u32 set, clear; const char *in, *out; } t[] = {
                { 0, 0, "a\nb", "a\r\nb" }, { 0, ONLCR, "a\nb", "a\nb" }, { OCRNL, ONLCR, "a\rb", "a\nb" }, { ONOCR, 0, "\ra\r", "a\r" },
                { OLCUC, 0, "aBc", "ABC" }, { XTABS, 0, "a\tb\t", "a       b       " }, { 0, 0, "a\tb", "a\tb" },
                { XTABS, 0, "abc\b\b\t|", "abc\b\b       |" }, { XTABS, 0, "ab\r\t|", "ab\r        |" }, { XTABS, 0, "ab\n\t|", "ab\r\n        |" },
                { OLCUC, OPOST, "a\nb", "a\nb" }, { 0, 0, "", "" },
        };
        for (u32 i = 0; i < ARRAY_SIZE(t); i++)
                for (usize room = 8; room < 40; room += 7) {    /* in small pieces as in large ones */
                        u8 out[200] = {};
                        usize n = 0, at = 0, used = 0, len = strlen(t[i].in);
                        fresh();
                        struct linux_termios x = ldisc_termios(&it);
                        x.c_oflag = (x.c_oflag & ~t[i].clear) | t[i].set;
                        ldisc_set_termios(&it, x);
                        while (at < len) {
                                bytes in = { (const u8 *)t[i].in + at, len - at };
                                n += ldisc_render(&it, mbytes_sub(MBYTES_OF(out), n, room), in, &used);
                                CHECK(used > 0);
                                at += used;
                        }
                        CHECK_EQ(n, strlen(t[i].out));
                        CHECK(!memcmp(out, t[i].out, n));
                }
}

/* Text without special characters comes out as it went in, however it is cut; in all modes. */
static void test_through(void)
{
        for (u32 round = 0; round < 3000; round++) {
                u8 in[300] = {}, out[400] = {};
                usize len = 1 + host_random() % 299, n = 0;
                bool raw = round & 1, done = false;
                fresh();
                struct linux_termios t = ldisc_termios(&it);
                if (raw) {
                        t.c_lflag = 0;
                        t.c_iflag = 0;
                }
                ldisc_set_termios(&it, t);
                for (usize i = 0; i < len; i++)
                        in[i] = raw ? (u8)host_random() : host_random() % 20 ? (u8)('a' + host_random() % 26) : '\n';
                if (!raw)
                        in[len - 1] = '\n';
                for (usize at = 0, piece; at < len; at += piece) {
                        piece = 1 + host_random() % (len - at);
                        ldisc_receive(&it, bytes_sub(BYTES_OF(in), at, piece));
                        while (ldisc_readable(&it) && host_random() % 3)
                                n += ldisc_read(&it, mbytes_sub(MBYTES_OF(out), n, 1 + host_random() % 64), &done);
                }
                while (ldisc_readable(&it))
                        n += ldisc_read(&it, mbytes_sub(MBYTES_OF(out), n, 50), &done);
                CHECK_EQ(n, len);
                CHECK(!memcmp(in, out, n));
        }
}

/* Anything typed under any settings keeps the invariants. */
static void test_random(void)
{
        for (u32 round = 0; round < 400; round++) {
                u64 typed = 0, read = 0;
                fresh();
                for (u32 i = 0; i < 3000; i++) {
                        u8 out[100];
                        bool done = false;
                        u64 r = host_random();
                        n_echoed = n_signals = 0;
                        if (r % 200 == 0) {
                                struct linux_termios t = ldisc_termios(&it);
                                t.c_iflag = (u32)host_random();
                                t.c_oflag = (u32)host_random();
                                t.c_lflag = (u32)host_random();
                                if (r & 0x1000)
                                        t.c_cc[(r >> 16) % 19] = (u8)(r >> 24);
                                ldisc_set_termios(&it, t);
                        } else if (r % 50 == 1) {
                                usize available = ldisc_available(&it), n = ldisc_read(&it, mbytes_take(MBYTES_OF(out), 1 + (r >> 8) % 100), &done);
                                CHECK(n <= available);
                                read += n;
                        } else if (r % 199 == 2) {
                                ldisc_break(&it);
                                typed++;
                        } else if (r % 97 == 3) {
                                u8 text[50], to[60];
                                usize used = 0;
                                random_fill(MBYTES_OF(text));
                                CHECK(ldisc_render(&it, MBYTES_OF(to), BYTES_OF(text), &used) <= 60 && used <= 50);
                        } else {
                                u8 c = r & 0x100 ? (u8)(r >> 16) : (u8)((r >> 16) % 33);
                                ldisc_receive(&it, BYTES_OF(c));
                                typed++;
                        }
                        CHECK(ldisc_validate(&it));
                        CHECK(!ldisc_available(&it) || ldisc_readable(&it));
                }
                CHECK(read <= 3 * typed);
        }
}

TESTS({ "table", test_table }, { "full", test_full }, { "modes", test_modes }, { "break", test_break },
      { "render", test_render }, { "through", test_through }, { "random", test_random })
