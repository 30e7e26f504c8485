/* SPDX-License-Identifier: Apache-2.0
 *
 * mount_readonly_race: a remount read-only and opens for writing: never both, whether the mount or the file system is remounted.
 */
#include "mounts.h"
#include <pthread.h>

static int stop, both, opened, remounted;
static int bound;                       /* the mount alone */

static int read_only(int on)
{
        return mount(NULL, "a", NULL, (on ? MS_RDONLY : 0) | MS_REMOUNT | (bound ? MS_BIND : 0), NULL);
}

/* Opens for writing and writes, again and again; what was opened can be written. */
static void *writer(void *arg)
{
        while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
                int fd = open(arg, O_WRONLY);

                if (fd < 0) {
                        if (errno != EROFS)
                                both++;
                        sched_yield();
                        continue;
                }
                opened++;
                both += write(fd, "x", 1) != 1;
                close(fd);
                sched_yield();
        }
        return NULL;
}

static void race(void)
{
        pthread_t t;

        stop = both = opened = remounted = 0;
        must(pthread_create(&t, NULL, writer, "a/file") == 0, "thread");
        int64_t end = now_ms() + 60000;
        for (int i = 0; (i < 300 || !remounted || !opened) && now_ms() < end; i++) {
                if (read_only(1) < 0) {
                        both += errno != EBUSY;
                        sched_yield();
                        continue;
                }
                remounted++;
                int fd = open("a/file", O_WRONLY);
                both += fd >= 0 || errno != EROFS;
                close(fd);
                read_only(0);
                sched_yield();
        }
        __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
        pthread_join(t, NULL);
        CHECK("never both", both == 0);
        CHECK("each came to its turn", opened && remounted);
}

int main(void)
{
        begin();
        must(getcwd(here, sizeof here) != NULL, "getcwd");
        must(tmpfs_at("a") == 0 && bind("a", "b") == 0, "mounts");
        put_text("a/file", "");
        int fd = open("a/file", O_WRONLY), via = open("b/file", O_WRONLY);
        FAILS("the file system with writers", EBUSY, read_only(1));
        close(fd);
        FAILS("by another mount of it", EBUSY, read_only(1));
        bound = 1;
        OKAY("the mount without writers of its own", read_only(1));
        FAILS("then not by it", EROFS, open("a/file", O_WRONLY));
        OKAY("but by the other", close(open("b/file", O_WRONLY)));
        OKAY("and back", read_only(0));
        fd = open("a/file", O_WRONLY);
        FAILS("the mount with writers", EBUSY, read_only(1));
        OKAY("which changes nothing", close(open("a/file", O_WRONLY)));
        close(fd);
        close(via);
        bound = 0;
        race();
        bound = 1;
        race();
        return end();
}
