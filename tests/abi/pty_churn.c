/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_churn: many pairs at once, made, used and closed by several processes; an instance that is
 * unmounted while a pair of it lives.
 */
#include "pty.h"
#include <sys/mount.h>
#include <sys/sysmacros.h>

#define WORKERS 4
#define ROUNDS  60

static int worker(void)
{
        int bad = 0;

        for (int i = 0; i < ROUNDS; i++) {
                int peer, extra = open_master();

                new_pair();
                settings(0, 0, ECHO, 0);
                peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
                bad += !put(slave, "out\n") || !gives(master, "out\r\n") || !put(master, "in\n") || !gives(peer, "in\n");
                close(extra);
                close(i & 1 ? peer : master);
                close(i & 1 ? master : slave);
                close(i & 1 ? slave : peer);
        }
        return bad != 0;
}

/* A session per round; the leader is ended by the hang-up. */
static int sessions(void)
{
        int bad = 0;

        for (int i = 0; i < ROUNDS / 4; i++) {
                char c;

                master = open_master();
                pid_t pid = fork();
                if (pid == 0) {
                        setsid();
                        slave = open(name_of(master), O_RDWR);
                        close(master);
                        write(slave, "r", 1);
                        for (;;)
                                pause();
                }
                bad += read(master, &c, 1) != 1 || c != 'r';
                close(master);
                bad += result_of(pid) != KILLED(SIGHUP);
        }
        return bad != 0;
}

static int all(int (*fn)(void))
{
        pid_t pid[WORKERS];
        int   good = 1;

        for (int i = 0; i < WORKERS; i++) {
                pid[i] = fork();
                if (pid[i] == 0)
                        _exit(fn());
        }
        for (int i = 0; i < WORKERS; i++)
                good &= result_of(pid[i]) == 0;
        return good;
}

int main(void)
{
        int fd, first, no = 0;

        fd = open_master();
        first = number_of(fd);
        close(fd);
        CHECK("pairs", all(worker));
        CHECK("sessions", all(sessions));
        fd = open_master();
        CHECK("all numbers are free again", number_of(fd) == first);
        close(fd);

        mkdir("pts", 0755);
        mknod("ptmx", S_IFCHR | 0666, makedev(5, 2));
        OKAY("mount", mount("devpts", "pts", "devpts", 0, "ptmxmode=0666"));
        master = open("ptmx", O_RDWR | O_NOCTTY);
        ioctl(master, TIOCSPTLCK, &no);
        OKAY("umount under an open master", umount("pts"));
        CHECK("still a pair", number_of(master) == 0 && put(master, "x"));
        FAILS("but no peer", ENODEV, ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
        OKAY("close", close(master));
        return done();
}
