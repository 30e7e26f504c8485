/* SPDX-License-Identifier: Apache-2.0
 *
 * What the programs about mounts share: fields of /proc/self/mountinfo.
 */
#pragma once
#include "abi.h"
#include <sys/mount.h>

/* The optional fields of the topmost mount at this absolute path; "none": not a mount point. */
UNUSED static const char *fields_of(const char *place)
{
        static char found[256];
        char text[65536], *line, *rest = text;

        snprintf(text, sizeof text, "%s", text_of("/proc/self/mountinfo"));
        snprintf(found, sizeof found, "none");
        while ((line = strsep(&rest, "\n")) && *line) {
                char point[256], opts[256];
                int  at = 0;

                if (sscanf(line, "%*d %*d %*s %*s %255s %255s %n", point, opts, &at) < 2 || strcmp(point, place))
                        continue;
                char *end = strstr(line + at, "- ");
                *end = 0;
                snprintf(found, sizeof found, "%s", line + at);
        }
        return found;
}

static char here[200];                  /* the directory of the test */

/* The same for a path in the test's directory. */
UNUSED static const char *fields(const char *name)
{
        char place[512];

        if (!here[0])
                must(getcwd(here, sizeof here) != NULL, "getcwd");
        snprintf(place, sizeof place, "%s/%s", here, name);
        return fields_of(place);
}

/* The number after "shared:", "master:" …; 0: it has none. */
UNUSED static int number(const char *name, const char *word)
{
        const char *p = strstr(fields(name), word);

        return p ? atoi(p + strlen(word)) : 0;
}
#define SHARED(name) number(name, "shared:")
#define MASTER(name) number(name, "master:")

UNUSED static int is_mounted(const char *name) { return strcmp(fields(name), "none") != 0; }
UNUSED static int is_private(const char *name) { return fields(name)[0] == 0; }

UNUSED static int make(const char *name, unsigned long kind) { return mount(NULL, name, NULL, kind, NULL); }
UNUSED static int tmpfs_at(const char *name) { return mount("tmpfs", name, "tmpfs", 0, NULL); }
UNUSED static int bind(const char *from, const char *to) { return mount(from, to, NULL, MS_BIND, NULL); }
UNUSED static int rbind(const char *from, const char *to) { return mount(from, to, NULL, MS_BIND | MS_REC, NULL); }
UNUSED static int move(const char *from, const char *to) { return mount(from, to, NULL, MS_MOVE, NULL); }

/* A private place to play in, so that nothing of the surroundings shows. */
UNUSED static void begin(void)
{
        mkdir("w", 0755);
        must(tmpfs_at("w") == 0 && make("w", MS_PRIVATE) == 0 && chdir("w") == 0, "begin");
        for (const char *p = "abcdefgh"; *p; p++)
                mkdir((char[]){ *p, 0 }, 0755);
}

UNUSED static int end(void)
{
        must(chdir("/") == 0 && umount2(here, MNT_DETACH) == 0, "end");
        return done();
}
