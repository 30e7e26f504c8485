/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_output: output processing: each flag of c_oflag, columns, and how the echo goes through it.
 */
#include "pty.h"

static struct termios sane;

static void begin(int oflag, int lflag)
{
        struct termios t = sane;

        tcflush(slave, TCIOFLUSH);
        tcflush(master, TCIOFLUSH);
        t.c_oflag = OPOST | ONLCR;
        must(tcsetattr(slave, TCSANOW, &t) == 0, "tcsetattr");
        put(slave, "\r");
        char c;
        must(read(master, &c, 1) == 1, "column");
        t.c_oflag = oflag;
        t.c_lflag = lflag;
        must(tcsetattr(slave, TCSANOW, &t) == 0, "tcsetattr");
}

static void writes(const char *name, int oflag, const char *text)
{
        begin(oflag, sane.c_lflag);
        RESULT(name, write(slave, text, strlen(text)));
        shows(name, master);
}

int main(void)
{
        new_pair();
        must(tcgetattr(slave, &sane) == 0, "tcgetattr");
        writes("nothing", 0, "a\tb\n\rC\b");
        writes("OPOST alone", OPOST, "a\tb\n\rC\b");
        writes("ONLCR without OPOST", ONLCR, "a\nb");
        writes("ONLCR", OPOST | ONLCR, "a\nb\r\n");
        writes("OCRNL", OPOST | OCRNL, "a\rb\r\r");
        writes("OCRNL, ONLCR", OPOST | OCRNL | ONLCR, "a\rb\n");
        writes("ONOCR", OPOST | ONOCR, "\ra\r\rb\n\r");
        writes("ONOCR, ONLCR", OPOST | ONOCR | ONLCR, "\ra\n\rb\r\n");
        writes("ONOCR, OCRNL", OPOST | ONOCR | OCRNL, "\ra\r\rb");
        writes("ONLRET", OPOST | ONLRET | ONOCR, "a\n\rb\r");
        writes("OCRNL, ONLRET", OPOST | OCRNL | ONLRET | ONOCR, "a\r\rb");
        writes("OLCUC", OPOST | OLCUC, "aBc\344z{\n");
        writes("OLCUC, no OPOST", OLCUC, "aBc");
        writes("XTABS", OPOST | XTABS, "\ta\tab\tabcdefg\tabcdefgh\t|");
        writes("XTABS behind a backspace", OPOST | XTABS, "abc\b\t|");
        writes("XTABS behind controls", OPOST | XTABS, "\001\033\177\t|");
        writes("XTABS behind a newline", OPOST | XTABS, "abc\n\t|");
        writes("XTABS, ONLCR behind a newline", OPOST | XTABS | ONLCR, "abc\n\t|");
        writes("XTABS, ONLRET behind a newline", OPOST | XTABS | ONLRET, "abc\n\t|");
        writes("TAB1", OPOST | TAB1, "\ta");
        writes("OFILL, delays", OPOST | OFILL | NL1 | CR3 | BS1 | VT1 | FF1, "a\n\r\b\v\f");
        writes("a backspace at the start", OPOST | XTABS, "\b\b\t|");
        writes("a long line", OPOST | ONLCR, "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\n");

        begin(OPOST | OLCUC | ONLCR, sane.c_lflag);
        put(master, "abc\n");
        shows("the echo is processed", master);
        shows("what is read is not", slave);
        begin(0, sane.c_lflag);
        put(master, "abc\n");
        shows("an echo without OPOST", master);
        begin(OPOST | XTABS, sane.c_lflag);
        put(slave, "abc");
        put(master, "\tx\177\177y\n");
        shows("a tab erased behind output", master);
        begin(OPOST | ONLCR, sane.c_lflag);
        put(slave, "prompt> ");
        put(master, "a\tb\177\177\177\177c\n");
        shows("erasing ends at the prompt", master);
        begin(OPOST | ONLCR, sane.c_lflag);
        put(slave, "prompt> ");
        put(master, "a\tb\025c\n");
        shows("so does killing", master);
        begin(OPOST | ONLCR, sane.c_lflag);
        RESULT("writev", writev(slave, (struct iovec[]){ { "a\n", 2 }, { "b\n", 2 } }, 2));
        shows("writev", master);
        RESULT("an empty write", write(slave, "", 0));
        RESULT("a bad address", write(slave, BAD_PTR, 5));
        RESULT("a bad address, master", write(master, BAD_PTR, 5));
        return done();
}
