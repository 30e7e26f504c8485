/* SPDX-License-Identifier: Apache-2.0
 *
 * hello: a statically linked musl program.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
        FILE *f = tmpfile();
        char  line[64] = "";

        setlocale(LC_ALL, "");
        printf("hello from %s with %d arguments\n", strrchr(argv[0], '/') + 1, argc - 1);
        fprintf(f, "%.3f %s\n", 22 / 7.0, "written");
        rewind(f);
        printf("%s", fgets(line, sizeof line, f) ? line : "nothing\n");
        printf("%s\n", fopen("/missing", "r") ? "there" : strerror(errno));
        return fclose(f) ? 1 : 3;
}
