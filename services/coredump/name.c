/* SPDX-License-Identifier: Apache-2.0
 *
 * core_pattern: the name of a core file, or the program that collects it and its arguments, by core(5).
 */
#include "services/coredump/coredump_impl.h"
#include "services/namespace/namespace.h"
#include "services/time/clock.h"
#include "lib/num.h"

static void put_number(struct writer *w, u64 v) { num_write(w, v, 10, 1); }

/* A name that is to be one component: '/' becomes '!', and it is neither empty nor a directory's own name. */
static void put_name(struct writer *w, bytes name)
{
        name = bytes_take(name, bytes_find(name, 0));
        usize len = bytes_len(name);
        bool dots = len && len <= 2 && bytes_at(name, 0) == '.' && bytes_at(name, len - 1) == '.';

        if (!len)
                writer_u8(w, '!');
        for (usize i = 0; i < len; i++)
                writer_u8(w, bytes_at(name, i) == '/' || (dots && i == 0) ? '!' : bytes_at(name, i));
}

/* whole: the path of the program, else its last part. */
static void put_program(struct writer *w, struct thread *t, bool whole)
{
        struct path root = {};
        struct blob *space = blob_alloc(t->payer, PATH_MAX_LEN);
        usize start = 0;

        if (space && t->process->exe && succeeded(path_text(&t->process->exe->path, &root, 0, blob_mbytes(space), &start))) {
                bytes path = bytes_skip(blob_bytes(space), start);
                for (usize i = 0; !whole && i < bytes_len(path); i++)
                        if (bytes_at(path, i) == '/') {
                                path = bytes_skip(path, i + 1);
                                i = (usize)-1;
                        }
                put_name(w, path);
        } else {
                put_name(w, BYTES_OF(t->comm));
        }
        blob_drop(space);
}

static void put_one(struct writer *w, u8 what, struct dump *d)
{
        struct thread *t = d->t;
        u8 host[65] = {};

        switch (what) {
        case '%':
                writer_u8(w, '%');
                break;
        case 'p':
        case 'P':
                put_number(w, t->process->tgid);
                break;
        case 'i':
        case 'I':
                put_number(w, t->tid);
                break;
        case 'u':
                put_number(w, t->cred->uid);
                break;
        case 'g':
                put_number(w, t->cred->gid);
                break;
        case 'd':
                put_number(w, t->process->dumpable);
                break;
        case 's':
                put_number(w, d->info->signo);
                break;
        case 't':
                put_number(w, clock_realtime() / NSEC_PER_SEC);
                break;
        case 'h':
                uts_get_nodename(t->ns->uts, MBYTES_OF(host));
                put_name(w, BYTES_OF(host));
                break;
        case 'e':
                put_name(w, BYTES_OF(t->comm));
                break;
        case 'E':
        case 'f':
                put_program(w, t, what == 'E');
                break;
        case 'c':
                put_number(w, rlimit_get(t->process, RLIMIT_CORE));
                break;
        default:
                break;
        }
}

static bool is_blank(u8 c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Writes the pattern from `from` on; blanks end an argument if `words`.  True: it has %p. */
static bool expand(struct dump *d, bytes pattern, struct writer *w, bool words, u32 *count)
{
        bool has_pid = false, inside = false;

        for (usize i = 0; i < bytes_len(pattern); i++) {
                u8 c = bytes_at(pattern, i);
                if (words && is_blank(c)) {
                        if (inside)
                                writer_u8(w, 0);
                        inside = false;
                        continue;
                }
                *count += !inside;
                inside = true;
                if (c != '%') {
                        writer_u8(w, c);
                        continue;
                }
                if (++i == bytes_len(pattern))
                        break;
                has_pid = has_pid || bytes_at(pattern, i) == 'p';
                put_one(w, bytes_at(pattern, i), d);
        }
        if (words && inside)
                writer_u8(w, 0);
        return has_pid;
}

struct core_target core_target(struct dump *d, mbytes out)
{
        u8 space[CORE_PATTERN_LEN] = {};
        struct writer w = writer_of(out);
        struct core_target to = {};

        process_core_pattern(d->t->process, MBYTES_OF(space));
        bytes pattern = bytes_take(BYTES_OF(space), bytes_find(BYTES_OF(space), 0));
        to.is_pipe = bytes_len(pattern) && bytes_at(pattern, 0) == '|';
        bool has_pid = expand(d, bytes_skip(pattern, to.is_pipe), &w, to.is_pipe, &to.words);
        if (!to.is_pipe && !has_pid && process_core_settings(d->t->process).uses_pid) {
                writer_u8(&w, '.');
                put_number(&w, d->t->process->tgid);
        }
        to.len = w.at < mbytes_len(out) ? w.at : 0;
        return to;
}
