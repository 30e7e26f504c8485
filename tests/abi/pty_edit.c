/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_edit: line editing with all its characters, under the echo flags: what the reader gets and what is shown.
 */
#include "pty.h"

static struct termios sane;

static void begin(int iset, int lclear, int lset)
{
        struct termios t = sane;

        tcflush(slave, TCIOFLUSH);
        tcflush(master, TCIOFLUSH);
        t.c_iflag |= iset;
        t.c_lflag = (t.c_lflag & ~lclear) | lset;
        must(tcsetattr(slave, TCSANOW, &t) == 0, "tcsetattr");
        ioctl(slave, TCXONC, TCOON);
        /* The column is where a fresh line begins. */
        put(slave, "\r");
        char c;
        must(read(master, &c, 1) == 1, "column");
}

static void types(const char *name, const char *text)
{
        char title[100];

        put(master, text);
        snprintf(title, sizeof title, "%s: shown", name);
        shows(title, master);
        snprintf(title, sizeof title, "%s: read", name);
        shows(title, slave);
}

#define CASE(name, iset, lclear, lset, text) do { begin(iset, lclear, lset); types(name, text); } while (0)

int main(void)
{
        new_pair();
        must(tcgetattr(slave, &sane) == 0, "tcgetattr");
        sane.c_cc[VEOL] = 'E';
        sane.c_cc[VEOL2] = 'F';

        CASE("erase", 0, 0, 0, "abc\177\177d\n");
        CASE("erase at the start", 0, 0, 0, "\177\177a\n");
        CASE("erase a control character", 0, 0, 0, "a\001\177b\n");
        CASE("erase a tab", 0, 0, 0, "ab\t\177c\n");
        CASE("erase two tabs", 0, 0, 0, "a\t\tb\177\177\177c\n");
        CASE("erase a tab behind a control character", 0, 0, 0, "\001\t\177x\n");
        CASE("erase a control character behind a tab", 0, 0, 0, "\t\001\177x\n");
        CASE("erase, no ECHOCTL", 0, ECHOCTL, 0, "a\001b\177\177c\n");
        CASE("erase, no ECHOE", 0, ECHOE, 0, "abc\177\177d\n");
        CASE("erase, no ECHO", 0, ECHO, 0, "abc\177\177d\n");
        CASE("erase, ECHOPRT", 0, 0, ECHOPRT, "abcd\177\177e\177\n");
        CASE("erase to the start, ECHOPRT", 0, 0, ECHOPRT, "ab\177\177\177c\n");
        CASE("erase, ECHOPRT, no ECHOE", 0, ECHOE, ECHOPRT, "abc\177d\n");
        CASE("erase ^A, ECHOPRT", 0, 0, ECHOPRT, "a\001\177b\n");
        CASE("word", 0, 0, 0, "one two\027x\n");
        CASE("word behind blanks", 0, 0, 0, "one two  \027x\n");
        CASE("word with signs", 0, 0, 0, "a.b_c1+-\027x\n");
        CASE("word, ECHOPRT", 0, 0, ECHOPRT, "one two\027x\n");
        CASE("word, no IEXTEN", 0, IEXTEN, 0, "one two\027x\n");
        CASE("words of all", 0, 0, 0, "one two\027\027\027x\n");
        CASE("kill", 0, 0, 0, "abc\025d\n");
        CASE("kill with a tab", 0, 0, 0, "a\tb\001\025d\n");
        CASE("kill, no ECHOKE", 0, ECHOKE, 0, "abc\025d\n");
        CASE("kill, no ECHOK", 0, ECHOK, 0, "abc\025d\n");
        CASE("kill, neither", 0, ECHOK | ECHOKE, 0, "abc\025d\n");
        CASE("kill, no ECHOE", 0, ECHOE, 0, "abc\025d\n");
        CASE("kill, ECHOPRT", 0, 0, ECHOPRT, "abc\025d\n");
        CASE("kill, no ECHO", 0, ECHO, 0, "abc\025d\n");
        CASE("kill nothing", 0, 0, 0, "\025d\n");
        CASE("reprint", 0, 0, 0, "ab\001c\022d\n");
        CASE("reprint, no IEXTEN", 0, IEXTEN, 0, "ab\022c\n");
        CASE("reprint, no ECHO", 0, ECHO, 0, "ab\022c\n");
        CASE("reprint then erase a tab", 0, 0, 0, "a\tb\022\177\177x\n");
        CASE("reprint while erasing, ECHOPRT", 0, 0, ECHOPRT, "abc\177\022d\n");
        CASE("literal", 0, 0, 0, "a\026\177\026\003b\n");
        CASE("literal newline", 0, 0, 0, "a\026\nb\n");
        CASE("literal return", 0, 0, 0, "a\026\rb\n");
        CASE("literal end of file", 0, 0, 0, "a\026\004b\n");
        CASE("literal, erased", 0, 0, 0, "a\026\025\177b\n");
        CASE("literal, no ECHOCTL", 0, ECHOCTL, 0, "a\026\003b\n");
        CASE("literal, no IEXTEN", 0, IEXTEN, 0, "a\026\026b\n");
        CASE("literal, no ICANON", 0, ICANON, 0, "a\026b\026\026");
        CASE("EOL", 0, 0, 0, "abE");
        CASE("EOL2", 0, 0, 0, "abF");
        CASE("EOL2, no IEXTEN", 0, IEXTEN, 0, "abF\n");
        CASE("EOL without ECHO", 0, ECHO, 0, "abE");
        CASE("newline without ECHO", 0, ECHO, 0, "ab\n");
        CASE("newline with ECHONL", 0, ECHO, ECHONL, "ab\n");
        CASE("end of file in the line", 0, 0, 0, "ab\004");
        CASE("a NUL", 0, 0, 0, "x");
        begin(0, 0, 0);
        must(write(master, "a\0b\n", 4) == 4, "write");
        types("a NUL typed", "");
        CASE("other controls", 0, 0, 0, "\001\033\007\b\f\013\n");
        CASE("other controls, no ECHOCTL", 0, ECHOCTL, 0, "\001\033\007\b\f\013\n");
        CASE("tab echo", 0, 0, 0, "\ta\tb\n");
        CASE("ICRNL", ICRNL, 0, 0, "ab\r");
        CASE("INLCR", INLCR, 0, 0, "ab\ncd\r");
        CASE("IGNCR", IGNCR, 0, 0, "a\rb\n");
        CASE("ISTRIP", ISTRIP, 0, 0, "\341b\n");
        CASE("IUCLC", IUCLC, 0, 0, "aBC\n");
        CASE("IUCLC, no IEXTEN", IUCLC, IEXTEN, 0, "aBC\n");
        CASE("PARMRK", PARMRK, 0, 0, "a\377b\n");
        CASE("PARMRK, ISTRIP", PARMRK | ISTRIP, 0, 0, "a\377b\n");
        CASE("UTF-8 erased", IUTF8, 0, 0, "a\303\244\177b\n");
        CASE("UTF-8 of three bytes", IUTF8, 0, 0, "a\342\202\254b\177\177c\n");
        CASE("UTF-8 of four bytes", IUTF8, 0, 0, "\360\237\230\200\177c\n");
        CASE("UTF-8 without IUTF8", 0, 0, 0, "a\303\244\177b\n");
        CASE("a stray continuation", IUTF8, 0, 0, "a\244\177b\n");
        CASE("continuations alone", IUTF8, 0, 0, "\244\244\177b\n");
        CASE("UTF-8, kill", IUTF8, 0, 0, "a\303\244\025b\n");
        CASE("UTF-8, tab", IUTF8, 0, 0, "\303\244\t\177b\n");
        CASE("UTF-8, word", IUTF8, 0, 0, "x \303\244\303\266\027b\n");
        CASE("UTF-8, ECHOPRT", IUTF8, 0, ECHOPRT, "a\303\244\177b\n");
        CASE("VINTR without ISIG", 0, ISIG, 0, "a\003b\n");
        CASE("two lines", 0, 0, 0, "one\ntwo\nthree");
        CASE("raw, echo", 0, ICANON, 0, "a\001\r\n\177\004");
        CASE("raw, no echo", 0, ICANON | ECHO, 0, "a\001\r\n\177\004");
        CASE("raw, ECHONL", 0, ICANON | ECHO, ECHONL, "a\n");
        CASE("EXTPROC", 0, 0, EXTPROC, "ab\177c\003\n");
        return done();
}
