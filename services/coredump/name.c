/* SPDX-License-Identifier: Apache-2.0
 *
 * core_pattern: the name of a core file, by core(5).
 */
#include "services/coredump/coredump_impl.h"
#include "services/namespace/namespace.h"
#include "services/time/clock.h"
#include "lib/num.h"

static void put_number(struct writer *w, u64 v) { num_write(w, v, 10, 1); }

/* A name that is to be one component: '/' becomes '!'. */
static void put_name(struct writer *w, bytes name)
{
        for (usize i = 0; i < bytes_len(name) && bytes_at(name, i); i++)
                writer_u8(w, bytes_at(name, i) == '/' ? '!' : bytes_at(name, i));
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

static void put_one(struct writer *w, u8 what, struct thread *t, const struct siginfo *info)
{
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
                put_number(w, info->signo);
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

bool core_name(struct thread *t, const struct siginfo *info, mbytes out, usize *len)
{
        u8 pattern[CORE_PATTERN_LEN] = {};
        struct writer w = writer_of(out);
        bool has_pid = false;
        struct core_settings s = process_core_settings(t->process, MBYTES_OF(pattern));

        if (!pattern[0] || pattern[0] == '|')
                return false;
        for (u32 i = 0; i < CORE_PATTERN_LEN && pattern[i]; i++) {
                if (pattern[i] != '%') {
                        writer_u8(&w, pattern[i]);
                        continue;
                }
                if (++i == CORE_PATTERN_LEN || !pattern[i])
                        break;
                has_pid = has_pid || pattern[i] == 'p';
                put_one(&w, pattern[i], t, info);
        }
        if (!has_pid && s.uses_pid) {
                writer_u8(&w, '.');
                put_number(&w, t->process->tgid);
        }
        *len = w.at;
        return w.at < mbytes_len(out);
}
