/* /proc/net/unix, /proc/sys/net. */
#include "unix.h"

static int has(const char *text) { return strstr(text_of("/proc/net/unix"), text) != NULL; }

/* The line of a name: flags, type, state. */
static int line(const char *name, unsigned *flags, unsigned *type, unsigned *state, unsigned long *ino)
{
        const char *t = text_of("/proc/net/unix"), *p = strstr(t, name);
        unsigned    refs, proto;
        if (!p)
                return 0;
        while (p > t && p[-1] != '\n')
                p--;
        return sscanf(p, "%*[0-9a-fA-F]: %x %x %x %x %x %lu", &refs, &proto, flags, type, state, ino) == 6;
}

static void set(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY);
        must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
        close(fd);
}

int main(void)
{
        unsigned      flags, type, state;
        unsigned long ino;
        struct stat   st;
        char          link[16] = "";

        CHECK("/proc/net", readlink("/proc/net", link, 15) == 8 && !strcmp(link, "self/net"));
        CHECK("heading", !strncmp(text_of("/proc/net/unix"), "Num       RefCount Protocol Flags    Type St Inode Path\n", 56));
        int l = listener(SOCK_STREAM, "the_listener", 5);
        CHECK("a listener", line("the_listener", &flags, &type, &state, &ino) && flags == 0x10000 && type == 1 && state == 1);
        fstat(l, &st);
        CHECK("its inode", st.st_ino == ino);
        int d = bound(SOCK_DGRAM, "@the_datagram");
        CHECK("an abstract name", has(" @the_datagram\n") && line("@the_datagram", &flags, &type, &state, &ino) && flags == 0 && type == 2 && state == 1);
        int s = bound(SOCK_SEQPACKET, "the_records");
        CHECK("records", line("the_records", &flags, &type, &state, &ino) && type == 5);
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        bind_to(c, "the_client");
        connect_to(c, "the_listener");
        CHECK("connected", line("the_client", &flags, &type, &state, &ino) && state == 3);
        int a = accept(l, NULL, NULL);
        close(c);
        CHECK("gone", !has("the_client"));
        close(a);
        close(l);
        close(d);
        close(s);
        CHECK("all gone", !has("the_listener") && !has("the_datagram") && !has("the_records"));
        CHECK("max_dgram_qlen", atoi(text_of("/proc/sys/net/unix/max_dgram_qlen")) == 10);
        set("/proc/sys/net/unix/max_dgram_qlen", "3\n");
        CHECK("written", atoi(text_of("/proc/sys/net/unix/max_dgram_qlen")) == 3);
        int r = bound(SOCK_DGRAM, "@q"), n = 0;
        d = socket(AF_UNIX, SOCK_DGRAM, 0);
        while (send_to(d, "x", 1, MSG_DONTWAIT, "@q") == 1)
                n++;
        say("%d queued\n", n);
        close(r);
        set("/proc/sys/net/unix/max_dgram_qlen", "10\n");
        CHECK("somaxconn", atoi(text_of("/proc/sys/net/core/somaxconn")) == 4096);
        CHECK("wmem_max", atoi(text_of("/proc/sys/net/core/wmem_max")) == 212992);
        return done();
}
