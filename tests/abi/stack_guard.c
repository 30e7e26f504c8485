/* SPDX-License-Identifier: Apache-2.0
 *
 * stack_guard: MAP_GROWSDOWN: how far it grows, the gap below it, and mprotect's PROT_GROWSDOWN.
 */
#include "show.h"
#include "fault.h"

#define RW  (PROT_READ | PROT_WRITE)
#define AN  (MAP_PRIVATE | MAP_ANONYMOUS)
#define GAP (256L * PAGE)
#define AT(p) (FAULTS(SIGSEGV, SEGV_MAPERR, (p), READS(p)) ? "none" : "grew")

static char *room;                      /* 4096 free pages */

static char *grower(long at) { return mmap(room + at, PAGE, RW, AN | MAP_FIXED | MAP_GROWSDOWN, -1, 0); }

static void clear(void) { munmap(room, 4096L * PAGE); }

int main(void)
{
        struct rlimit r;

        catch_faults();
        getrlimit(RLIMIT_STACK, &r);
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_STACK, &r);
        room = mmap(NULL, 4096L * PAGE, PROT_NONE, AN | MAP_NORESERVE, -1, 0);
        char *below = mmap(room - PAGE, PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0);
        char *above = mmap(room + 4096L * PAGE, PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0);
        (void)below;
        (void)above;
        clear();
        char *g = grower(4000L * PAGE);
        say("next page: %s\n", AT(g - PAGE));
        say("far below: %s\n", AT(g - 1000 * PAGE));
        say("just above the gap: %s\n", AT(room + GAP));
        say("into the gap: %s\n", AT(room + GAP - PAGE));
        SHOW("all of it is mapped", msync(room + GAP, 4001L * PAGE - GAP, MS_ASYNC));
        clear();

        g = grower(2000L * PAGE);
        mmap(room + 1000L * PAGE, PAGE, PROT_NONE, AN | MAP_FIXED, -1, 0);
        say("next to what cannot be accessed: %s\n", AT(room + 1001L * PAGE));
        say("into it: %s\n", FAULTS(SIGSEGV, SEGV_ACCERR, room + 1000L * PAGE, READS(room + 1000L * PAGE)) ? "no" : "yes");
        say("beyond it: %s\n", AT(room + 999L * PAGE));
        clear();

        g = grower(2000L * PAGE);
        mmap(room + 1000L * PAGE, PAGE, PROT_READ, AN | MAP_FIXED, -1, 0);
        say("near what can be read: %s\n", AT(room + 1001L * PAGE));
        say("a gap away: %s\n", AT(room + 1001L * PAGE + GAP));
        clear();

        g = grower(2000L * PAGE);
        grower(1000L * PAGE);
        say("near another that grows: %s\n", AT(room + 1001L * PAGE));
        say("the lower one: %s\n", AT(room + 999L * PAGE));
        clear();

        g = grower(2000L * PAGE);
        SHOW("mapping right below it is not refused", mmap(g - PAGE, PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0) == g - PAGE);
        clear();
        g = grower(300L * PAGE);
        char *q = mmap(g - 2 * PAGE, PAGE, RW, AN, -1, 0);
        SHOW("a hint within the gap is not taken", q != g - 2 * PAGE);
        munmap(q, PAGE);
        clear();

        g = grower(3000L * PAGE);
        getrlimit(RLIMIT_STACK, &r);
        struct rlimit small = { 100 * PAGE, r.rlim_max };
        setrlimit(RLIMIT_STACK, &small);
        say("up to RLIMIT_STACK: %s\n", AT(g - 99 * PAGE));
        say("no more: %s\n", AT(g - 100 * PAGE));
        setrlimit(RLIMIT_STACK, &r);
        struct rlimit as;
        getrlimit(RLIMIT_AS, &as);
        struct rlimit now = { status_kb("VmSize:") * 1024 + 10 * PAGE, as.rlim_max };
        setrlimit(RLIMIT_AS, &now);
        say("beyond RLIMIT_AS: %s\n", AT(g - 120 * PAGE));
        say("within it: %s\n", AT(g - 108 * PAGE));
        setrlimit(RLIMIT_AS, &as);
        clear();

        g = grower(2000L * PAGE);
        say("grown: %s\n", AT(g - 10 * PAGE));
        SHOW("PROT_GROWSDOWN from its top", mprotect(g, PAGE, PROT_READ | PROT_GROWSDOWN));
        say("all of it changed: %s\n", FAULTS(SIGSEGV, SEGV_ACCERR, g - 10 * PAGE, WRITES(g - 10 * PAGE, 1)) ? "yes" : "no");
        say("it still grows: %s\n", AT(g - 20 * PAGE));
        SHOW("PROT_GROWSUP", mprotect(g, PAGE, RW | PROT_GROWSUP));
        SHOW("both", mprotect(g, PAGE, RW | PROT_GROWSUP | PROT_GROWSDOWN));
        q = mmap(NULL, PAGE, RW, AN, -1, 0);
        SHOW("PROT_GROWSDOWN elsewhere", mprotect(q, PAGE, RW | PROT_GROWSDOWN));
        munmap(q, PAGE);
        SHOW("PROT_GROWSDOWN in a hole", mprotect(room, PAGE, RW | PROT_GROWSDOWN));
        SHOW("PROT_SEM", mprotect(g, PAGE, RW | 8));
        SHOW("unknown", mprotect(g, PAGE, RW | 0x20));
        /* a system call's buffer lets it grow as well */
        int fd = open("/dev/zero", O_RDONLY);
        SHOW("read to below it", read(fd, g - 40 * PAGE, 10));
        clear();
        g = grower(2000L * PAGE);
        pid_t pid = fork();
        if (pid == 0)
                _exit(AT(g - 5 * PAGE)[0] == 'g');
        CHECK("the child's grows", result_of(pid) == 1);
        SHOW("the parent's has not", msync(g - 5 * PAGE, PAGE, MS_ASYNC));
        mmap(g - 3 * PAGE, PAGE, PROT_NONE, AN | MAP_FIXED, -1, 0);
        munmap(g, PAGE);
        say("nothing left to grow: %s\n", AT(g - PAGE));
        return done();
}
