/* SPDX-License-Identifier: Apache-2.0
 *
 * rlimit_fsize: RLIMIT_FSIZE: SIGXFSZ and EFBIG.
 */
#include "abi.h"

static volatile int hits;

static void handler(int sig) { hits += sig == SIGXFSZ; }

static int by_default(void)
{
        int fd = open("file", O_WRONLY);

        lseek(fd, 1000, SEEK_SET);
        write(fd, "x", 1);
        return 0;
}

int main(void)
{
        static char   buf[3000];
        struct rlimit r = { 1000, RLIM_INFINITY }, none = { 0, 0 };
        int           fd = open("file", O_RDWR | O_CREAT, 0644);

        setrlimit(RLIMIT_CORE, &none);
        setrlimit(RLIMIT_FSIZE, &r);
        on(SIGXFSZ, handler, 0);
        CHECK("up to the limit", write(fd, buf, 3000) == 1000 && hits == 0);
        FAILS("at the limit", EFBIG, write(fd, buf, 1));
        CHECK("and a signal", hits == 1);
        FAILS("truncate above", EFBIG, ftruncate(fd, 1001));
        CHECK("a signal too", hits == 2);
        CHECK("below is fine", pwrite(fd, buf, 10, 500) == 10 && ftruncate(fd, 900) == 0);
        int p[2];
        pipe(p);
        CHECK("pipes are not files", write(p[1], buf, 3000) == 3000);
        FAILS("fallocate above", EFBIG, fallocate(fd, 0, 0, 1001));
        FAILS("and behind the end", EFBIG, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1001));
        CHECK("signals as well", hits == 4);
        OKAY("fallocate below", fallocate(fd, 0, 0, 1000));
        loff_t at = 998;
        CHECK("a splice is cut, and goes on", splice(p[0], NULL, fd, &at, 5, 0) == 2 && hits == 5 && at == 1000);
        FAILS("splice at the limit", EFBIG, splice(p[0], NULL, fd, &at, 5, 0));
        on(SIGXFSZ, SIG_DFL, 0);
        CHECK("kills by default", in_child(by_default) == KILLED(SIGXFSZ));
        on(SIGXFSZ, SIG_IGN, 0);
        FAILS("ignored", EFBIG, pwrite(fd, buf, 1, 1000));
        return done();
}
