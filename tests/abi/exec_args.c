/* SPDX-License-Identifier: Apache-2.0
 *
 * exec_args: argv and envp: what arrives, and how much may.
 */
#include "abi.h"

extern char **environ;

static int run(char **argv, char **env)
{
        pid_t pid = fork();

        if (pid == 0) {
                execve("/proc/self/exe", argv, env);
                _exit(errno == E2BIG ? 77 : 78);
        }
        return result_of(pid);
}

static int as_child(int argc, char **argv)
{
        int envs = 0;

        while (environ[envs])
                envs++;
        if (argc == 1 && !argv[0][0])
                return 50;                              /* no argv: one empty string */
        if (!strcmp(argv[0], "simple"))
                return argc == 3 && !strcmp(argv[1], "") && !strcmp(argv[2], "b c") &&
                       envs == 2 && !strcmp(environ[0], "A=1") && !strcmp(environ[1], "no-equals") &&
                       argv[3] == NULL && &argv[4] == environ ? 51 : 1;
        if (!strcmp(argv[0], "many"))
                return argc == 20001 && !strcmp(argv[20000], "x") ? 52 : 1;
        if (!strcmp(argv[0], "long"))
                return strlen(argv[1]) == 131071 ? 53 : 1;
        return 1;
}

int main(int argc, char **argv)
{
        char *none[] = { NULL }, *simple[] = { "simple", "", "b c", NULL };
        char *env[] = { "A=1", "no-equals", NULL };
        char *big = malloc(1 << 20), *longs[] = { "long", big, NULL };
        char **many = calloc(200002, sizeof *many);

        if (strcmp(argv[0], "/tests/abi/exec_args"))
                return as_child(argc, argv);
        CHECK("strings and pointers", run(simple, env) == 51);
        CHECK("empty argv", run(none, none) == 50);
        CHECK("null argv", run(NULL, NULL) == 50);
        many[0] = "many";
        for (int i = 1; i <= 20000; i++)
                many[i] = "x";
        CHECK("20000 arguments", run(many, none) == 52);
        memset(big, 'y', 1 << 20);
        big[131071] = 0;
        CHECK("the longest string", run(longs, none) == 53);
        big[131071] = 'y';
        big[131072] = 0;
        CHECK("one byte more", run(longs, none) == 77);
        big[131071] = 0;
        for (int i = 1; i < 200; i++)
                many[i] = big;
        many[200] = NULL;
        CHECK("too much in all", run(many, none) == 77);
        return done();
}
