/* SPDX-License-Identifier: Apache-2.0
 *
 * memfd_seal_race: after F_SEAL_WRITE nothing changes any more, whoever was about to write.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/prctl.h>

#define SIZE (16 * PAGE)

static char *volatile map;
static volatile int stop, writes;
static char source[SIZE];

/* Writes to where the file is mapped, or was. */
static void *writer(void *arg)
{
        int via_mem = arg != NULL, mem = open("/proc/self/mem", O_RDWR);
        pid_t me = getpid();

        while (!stop) {
                char *to = map;
                struct iovec l = { source, SIZE }, r = { to, SIZE };
                if (!to)
                        continue;
                if ((via_mem ? pwrite(mem, source, SIZE, (long)to) : process_vm_writev(me, &l, 1, &r, 1, 0)) > 0)
                        writes++;
        }
        return NULL;
}

int main(void)
{
        pthread_t t[2];
        char seen[SIZE], later[SIZE];
        int bad = 0, busy = 0;

        memset(source, 0xff, SIZE);
        pthread_create(&t[0], NULL, writer, NULL);
        pthread_create(&t[1], NULL, writer, source);
        map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int64_t end = now_ms() + 20000; !writes && now_ms() < end; )
                sched_yield();
        CHECK("writers write", writes > 0);
        int64_t end = now_ms() + 2000;
        for (int i = 0; i < 300 && now_ms() < end; i++) {
                int fd = memfd_create("x", MFD_ALLOW_SEALING);
                ftruncate(fd, SIZE);
                char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
                map = p;
                if (i & 1)
                        sched_yield();
                if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0 || errno != EBUSY)
                        bad++;          /* it is mapped */
                munmap(p, SIZE);
                while (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0 && errno == EBUSY && busy < 100000)
                        busy++;
                pread(fd, seen, SIZE, 0);
                sched_yield();
                pread(fd, later, SIZE, 0);
                bad += memcmp(seen, later, SIZE) != 0;
                map = NULL;
                close(fd);
        }
        stop = 1;
        pthread_join(t[0], NULL);
        pthread_join(t[1], NULL);
        CHECK("sealed is sealed", bad == 0);
        return done();
}
