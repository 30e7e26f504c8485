/* SPDX-License-Identifier: Apache-2.0
 *
 * splice_offsets: the offsets that splice, sendfile and copy_file_range write back, where they cannot be written.
 */
#include "show.h"
#include <sys/sendfile.h>

static int p[2], f, g;
static loff_t *ro;                      /* in a page that is read only */

static void offset(loff_t v)
{
        mprotect(ro, PAGE, PROT_READ | PROT_WRITE);
        *ro = v;
        mprotect(ro, PAGE, PROT_READ);
}

static int inside(void)
{
        int n = -1;
        ioctl(p[0], FIONREAD, &n);
        return n;
}

static void empty(void)
{
        char buf[100];
        while (inside() > 0)
                read(p[0], buf, sizeof buf);
}

static void each(const char *name, loff_t at)
{
        say("-- %s\n", name);
        offset(at);
        SHOW("to a pipe", splice(f, ro, p[1], NULL, 5, SPLICE_F_NONBLOCK));
        SHOW("in it", inside());
        SHOW("from a pipe", splice(p[0], NULL, g, ro, 5, SPLICE_F_NONBLOCK));
        SHOW("in it", inside());
        empty();
        SHOW("from an empty pipe", splice(p[0], NULL, g, ro, 5, SPLICE_F_NONBLOCK));
        SHOW("sendfile", sendfile(g, f, ro, 5));
        SHOW("sendfile to a pipe", sendfile(p[1], f, ro, 5));
        SHOW("sendfile of none", sendfile(g, f, ro, 0));
        SHOW("copy_file_range, in", copy_file_range(f, ro, g, NULL, 5, 0));
        SHOW("copy_file_range, out", copy_file_range(f, NULL, g, ro, 5, 0));
        lseek(f, 0, SEEK_SET);
        SHOW("offset", *ro);
        empty();
}

int main(void)
{
        ro = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        OKAY("a pipe", pipe(p));
        put_file("f", "0123456789", 10, 0600);
        f = open("f", O_RDONLY), g = open("g", O_CREAT | O_RDWR, 0600);
        each("something", 2);
        each("at the end", 10);
        each("behind it", 100);
        each("before it", -1);
        close(p[1]);
        offset(3);
        SHOW("from a closed pipe", splice(p[0], NULL, g, ro, 5, 0));
        int q[2];
        pipe(q);
        signal(SIGPIPE, SIG_IGN);
        close(q[0]);
        SHOW("to a closed pipe", splice(f, ro, q[1], NULL, 5, 0));
        SHOW("nothing", splice(f, ro, q[1], NULL, 0, 0));
        SHOW("bad offset", splice(f, BAD_PTR, q[1], NULL, 5, 0));
        SHOW("bad offset, bad file", splice(77, BAD_PTR, q[1], NULL, 5, 0));
        SHOW("bad offset of a pipe", splice(q[0], BAD_PTR, f, NULL, 5, 0));
        SHOW("offset of a pipe", splice(p[0], BAD_PTR, f, NULL, 5, 0));
        SHOW("file to file", splice(f, BAD_PTR, g, BAD_PTR, 5, 0));
        SHOW("bad flags", splice(f, BAD_PTR, q[1], NULL, 5, 0x100));
        SHOW("bad flags of none", splice(f, BAD_PTR, q[1], NULL, 0, 0x100));
        return done();
}
