/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_names: names with odd bytes do not make lines of their own in /proc: of programs in status, of files in maps.
 */
#include "abi.h"
#include <sys/prctl.h>

/* The lines of a file with a word, odd bytes shown. */
static void lines_of(const char *name, const char *path, const char *word)
{
        char *text = strdup(text_of(path)), *rest = text, *line, shown[300];

        while ((line = strsep(&rest, "\n")) != NULL) {
                char *at = strstr(line, word);
                int   n = 0;

                if (!at)
                        continue;
                for (; *at && n < 250; at++)
                        n += snprintf(shown + n, sizeof shown - n, (unsigned char)*at < 32 || (unsigned char)*at > 126 ? "<%02x>" : "%c", (unsigned char)*at);
                say("ok %s: %s\n", name, shown);
        }
        free(text);
}

int main(void)
{
        static const char *const names[] = { "a\nb", "a\\b", "a\tb c", "a\rb\x01", "a\x80\"b", "a(b) c" };
        char path[64];

        for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
                prctl(PR_SET_NAME, names[i]);
                lines_of("status", "/proc/self/status", "Name:");
                snprintf(path, sizeof path, "map-%s", names[i]);
                int fd = open(path, O_RDWR | O_CREAT, 0600);
                void *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
                must(fd >= 0 && map != MAP_FAILED, "mmap");
                lines_of("maps", "/proc/self/maps", "map-");
                lines_of("smaps", "/proc/self/smaps", "map-");
                munmap(map, PAGE);
                close(fd);
                unlink(path);
        }
        return done();
}
