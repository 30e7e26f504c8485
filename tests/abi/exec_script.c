/* SPDX-License-Identifier: Apache-2.0
 *
 * exec_script: #! scripts: arguments, nesting, errors.
 */
#include "abi.h"

static void script(const char *path, const char *text)
{
        put_file(path, text, strlen(text), 0755);
}

static int run(const char *path, ...)
{
        char   *argv[] = { "zero", "one", "two words", NULL };
        char   *env[] = { "X=1", NULL };
        pid_t   pid = fork();

        if (pid == 0) {
                execve(path, argv, env);
                _exit(errno);
        }
        return result_of(pid);
}

/* As an interpreter: prints what it was given. */
static int show(int argc, char **argv)
{
        for (int i = 1; i < argc; i++)
                say("argument %d: [%s]\n", i, argv[i]);
        return 42;
}

int main(int argc, char **argv)
{
        char line[4200];

        if (argc > 1)
                return show(argc, argv);
        snprintf(line, sizeof line, "#!%s\nrest\n", argv[0]);
        script("plain", line);
        CHECK("plain", run("./plain") == 42);
        snprintf(line, sizeof line, "#! \t%s  -a b  c \t\nrest\n", argv[0]);
        script("arg", line);
        CHECK("one argument with blanks", run("./arg") == 42);
        script("nested", "#!./arg x\n");
        CHECK("nested", run("./nested") == 42);
        snprintf(line, sizeof line, "#!%s", argv[0]);
        script("no newline", line);
        CHECK("without a newline", run("./no newline") == 42);
        script("missing", "#!/no/such/interpreter\n");
        CHECK("interpreter missing", run("./missing") == ENOENT);
        script("empty", "#!\n");
        CHECK("no interpreter", run("./empty") == ENOEXEC);
        script("blank", "#!   \n");
        CHECK("blanks only", run("./blank") == ENOEXEC);
        script("loop", "#!./loop\n");
        CHECK("itself", run("./loop") == ELOOP);
        script("dir", "#!/tmp\n");
        CHECK("interpreter is a directory", run("./dir") == EACCES);
        put_file("noexec", line, strlen(line), 0644);
        CHECK("not executable", run("./noexec") == EACCES);
        memset(line, 'a', sizeof line);
        memcpy(line, "#!/", 3);
        put_file("long", line, 400, 0755);
        CHECK("name too long for the buffer", run("./long") == ENOEXEC);
        return done();
}
