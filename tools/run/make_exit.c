/* SPDX-License-Identifier: Apache-2.0
 *
 * make_exit: a function for make, $(exit-with N), that ends make with status N. Without it
 * `make run CMD=...` and `make safecheck` could only say 2 for every failure.
 */
#include <gnumake.h>
#include <stdio.h>
#include <stdlib.h>

int plugin_is_GPL_compatible;

static char *exit_with(const char *name, unsigned int argc, char **argv)
{
        (void)name;
        (void)argc;
        fflush(NULL);
        exit(atoi(argv[0]));
}

int make_exit_gmk_setup(void)
{
        gmk_add_function("exit-with", exit_with, 1, 1, GMK_FUNC_DEFAULT);
        return 1;
}
