/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel command line, as Linux reads it: words the kernel knows are its own, other words
 * are init's arguments, other assignments init's environment; after "--" all are arguments.
 */
#pragma once

#define INIT_STRINGS 32u                /* arguments or variables at most; more is a panic, as on Linux */
#define INIT_TEXT    8192u

OBJECT(params) {
        u8    text[INIT_TEXT];          /* the command line, quotes taken out, words ended by NUL */
        u32   rdinit, init;             /* where those values begin in text; 0: not given */
        i32   console;                  /* serial port of the last console=, if it was a ttySn; -1: none */
        i32   console_virtual;          /* the same of an hvcn */
        u32   loglevel;
        i32   panic;                    /* seconds; see machine_set_panic_timeout */
        bool  has_root;                 /* root= was given */
        bool  overflow;                 /* too many words for init */
        struct blob *args, *env;        /* NUL-ended strings; args without argv[0]; counted */
        u32   n_args, n_env;
};
POOL_DECLARE(params)

struct params *params_parse(bytes cmdline);             /* NULL: no memory */
bytes params_value(struct params *p, u32 at);           /* the NUL-ended text at `at` */
