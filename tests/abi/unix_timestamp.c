/* SO_TIMESTAMP, SO_TIMESTAMPNS and SO_TIMESTAMPING on UNIX sockets; SIOCGSTAMP, which they do not know. */
#include "unix.h"
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <time.h>

#define STAMPING_OLD   37
#define TIMESTAMP_NEW   63
#define TIMESTAMPNS_NEW 64
#define STAMPING_NEW    65

static int  s[2];
static char buf[64];

static int64_t real_us(void)
{
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* Receives with room for `room` bytes of control messages, and says what came: kinds, lengths, whether a time is one between
 * `from` and now. */
static void receive(const char *what, int fd, int64_t from, size_t room, int flags)
{
        struct message m;

        message_init(&m, buf, sizeof buf);
        m.h.msg_controllen = room;
        ssize_t n = recvmsg(fd, &m.h, MSG_DONTWAIT | flags);
        int64_t to = real_us();
        say("%s: %zd, control %zu, flags %x", what, n, (size_t)m.h.msg_controllen, m.h.msg_flags & ~MSG_CMSG_CLOEXEC);
        for (struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m.h); h; h = CMSG_NXTHDR(&m.h, h)) {
                int64_t t[6] = { 0 };
                size_t  len = h->cmsg_len - CMSG_LEN(0);
                memcpy(t, CMSG_DATA(h), len < sizeof t ? len : sizeof t);
                say("; type %d, %zu bytes", h->cmsg_type, len);
                if (h->cmsg_type == SO_TIMESTAMP || h->cmsg_type == TIMESTAMP_NEW)
                        say(": %s", t[0] * 1000000 + t[1] < from ? "too early" : t[0] * 1000000 + t[1] > to ? "too late" : "in time");
                if (h->cmsg_type == SO_TIMESTAMPNS || h->cmsg_type == TIMESTAMPNS_NEW || h->cmsg_type == STAMPING_OLD || h->cmsg_type == STAMPING_NEW)
                        say(": %s", t[0] == 0 && t[1] == 0 ? "none" : t[0] * 1000000 + t[1] / 1000 < from ? "too early" : t[0] * 1000000 + t[1] / 1000 > to ? "too late" : "in time");
                if (h->cmsg_type == STAMPING_OLD || h->cmsg_type == STAMPING_NEW)
                        say(" %d%d%d%d", t[2] != 0, t[3] != 0, t[4] != 0, t[5] != 0);
        }
        say("\n");
}

static void options(int type, const char *name)
{
        static const struct { int opt, value; const char *name; } o[] = {
                { SO_TIMESTAMP, 1, "SO_TIMESTAMP" }, { SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS" }, { TIMESTAMP_NEW, 1, "SO_TIMESTAMP_NEW" },
                { TIMESTAMPNS_NEW, 1, "SO_TIMESTAMPNS_NEW" },
                { STAMPING_OLD, SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE, "SO_TIMESTAMPING software" },
                { STAMPING_NEW, SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE, "SO_TIMESTAMPING_NEW software" },
                { STAMPING_OLD, SOF_TIMESTAMPING_RX_SOFTWARE, "SO_TIMESTAMPING receive alone" },
                { STAMPING_OLD, SOF_TIMESTAMPING_SOFTWARE, "SO_TIMESTAMPING report alone" },
                { STAMPING_OLD, SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE, "SO_TIMESTAMPING hardware" },
        };

        for (unsigned i = 0; i < sizeof o / sizeof *o; i++) {
                must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair");
                say("%s, %s\n", name, o[i].name);
                int64_t t = real_us();
                send(s[0], "before", 6, 0);
                OKAY("set", setsockopt(s[1], SOL_SOCKET, o[i].opt, &o[i].value, 4));
                receive(" sent before", s[1], t, 200, 0);
                t = real_us();
                send(s[0], "after", 5, 0);
                receive(" sent after, peeked", s[1], t, 200, MSG_PEEK);
                receive(" sent after", s[1], t, 200, 0);
                close(s[0]);
                close(s[1]);
        }
}

static void together(int type)
{
        int one = 1, stamping = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE, zero = 0;

        must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair");
        setsockopt(s[1], SOL_SOCKET, SO_TIMESTAMPNS, &one, 4);
        setsockopt(s[1], SOL_SOCKET, STAMPING_OLD, &stamping, 4);
        setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, 4);
        struct message m;
        message_init(&m, "c", 1);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, &zero, sizeof zero);
        int64_t t = real_us();
        must(sendmsg(s[0], &m.h, 0) == 1, "sendmsg");
        receive("with credentials and a descriptor", s[1], t, 300, 0);
        t = real_us();
        send(s[0], "x", 1, 0);
        receive("little room", s[1], t, 20, 0);
        send(s[0], "x", 1, 0);
        receive("no room", s[1], t, 0, 0);
        send(s[0], "x", 1, 0);
        receive("room for one", s[1], t, 32, 0);
        setsockopt(s[1], SOL_SOCKET, SO_TIMESTAMPNS, &zero, 4);
        send(s[0], "x", 1, 0);
        receive("SO_TIMESTAMPNS off again", s[1], t, 300, 0);
        setsockopt(s[1], SOL_SOCKET, STAMPING_OLD, &zero, 4);
        send(s[0], "x", 1, 0);
        receive("the other, too", s[1], t, 300, 0);
        /* of two messages, each has its own time */
        setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &zero, 4);
        setsockopt(s[1], SOL_SOCKET, SO_TIMESTAMP, &one, 4);
        t = real_us();
        send(s[0], "x", 1, 0);
        int64_t between = real_us();
        sleep_ms(20);
        send(s[0], "y", 1, 0);
        message_init(&m, buf, 9);
        m.h.msg_controllen = sizeof m.control;
        recvmsg(s[1], &m.h, 0);
        struct cmsghdr *h = CMSG_FIRSTHDR(&m.h);
        int64_t v[2] = { 0 };
        if (h)
                memcpy(v, CMSG_DATA(h), sizeof v);
        CHECK("the time is that of sending", h && v[0] * 1000000 + v[1] >= t && v[0] * 1000000 + v[1] <= between);
        receive("the second", s[1], between, 300, 0);
        close(s[0]);
        close(s[1]);
}

/* SO_TIMESTAMPING's report comes with a time that SO_TIMESTAMP took. */
static void both(const char *name, int stamp, int stamping, int flags)
{
        int one = 1, zero = 0;

        must(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0, "socketpair");
        say("%s\n", name);
        setsockopt(s[1], SOL_SOCKET, stamp, &one, 4);
        setsockopt(s[1], SOL_SOCKET, stamping, &flags, 4);
        say(" options: %d %d %d %d\n", option(s[1], SO_TIMESTAMP), option(s[1], SO_TIMESTAMPNS), option(s[1], TIMESTAMP_NEW), option(s[1], TIMESTAMPNS_NEW));
        int64_t t = real_us();
        send(s[0], "x", 1, 0);
        receive(" both", s[1], t, 300, 0);
        t = real_us();
        send(s[0], "x", 1, 0);
        setsockopt(s[1], SOL_SOCKET, stamp, &zero, 4);
        receive(" SO_TIMESTAMP off when it is received", s[1], t, 300, 0);
        t = real_us();
        send(s[0], "x", 1, 0);
        setsockopt(s[1], SOL_SOCKET, stamp, &one, 4);
        receive(" on when it is received", s[1], t, 300, 0);
        close(s[0]);
        close(s[1]);
}

static void combinations(void)
{
        int report = SOF_TIMESTAMPING_SOFTWARE;

        both("old and old", SO_TIMESTAMPNS, STAMPING_OLD, report);
        both("old and new", SO_TIMESTAMPNS, STAMPING_NEW, report);
        both("new and old", TIMESTAMPNS_NEW, STAMPING_OLD, report);
        both("new and new", TIMESTAMP_NEW, STAMPING_NEW, report);
        both("no report", SO_TIMESTAMP, STAMPING_OLD, SOF_TIMESTAMPING_RX_SOFTWARE);
        both("hardware", SO_TIMESTAMP, STAMPING_OLD, SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE);
}

static void by_ioctl(int type, const char *name)
{
        int64_t v[2];

        must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair");
        say("%s: ioctl\n", name);
        FAILS("SIOCGSTAMP", ENOTTY, ioctl(s[1], 0x8906, v));
        FAILS("SIOCGSTAMPNS", ENOTTY, ioctl(s[1], 0x8907, v));
        close(s[0]);
        close(s[1]);
}

int main(void)
{
        options(SOCK_DGRAM, "dgram");
        options(SOCK_SEQPACKET, "seqpacket");
        options(SOCK_STREAM, "stream");
        together(SOCK_DGRAM);
        together(SOCK_SEQPACKET);
        combinations();
        by_ioctl(SOCK_DGRAM, "dgram");
        by_ioctl(SOCK_STREAM, "stream");
        return done();
}
