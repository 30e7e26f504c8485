/* SPDX-License-Identifier: Apache-2.0
 *
 * Ancillary data: credentials and descriptors that come with bytes, SCM_CREDENTIALS and SCM_RIGHTS of unix(7).
 *
 * Descriptors under way are files in a chain of blocks (scm_files).  From scm_take_off to scm_land they count as in
 * flight: for their sender's limit, and for the collection of cycles (gc.c).
 * Locking   none of its own; files are dropped with no lock held.
 */
#include "services/net/unix/unix_impl.h"
#include "services/process/account.h"
#include "services/process/process.h"
#include "abi/const/process.h"

#define OVERFLOW_ID 65534u

POOL_DEFINE(scm_files, NO_FINI);

/* ---- Sending ---- */

static u32 count_of(const struct scm_files *f)
{
        u32 n = 0;

        for (; f; f = f->next)
                n += f->count;
        return n;
}

/* The block that has room for one more; NULL: no memory. */
static struct scm_files *block_for(struct scm *scm)
{
        struct scm_files *last = scm->files;

        while (last && last->next)
                last = last->next;
        if (last && last->count < SCM_BLOCK)
                return last;
        struct scm_files *new = scm_files_alloc(payer_current(), MAY_RECLAIM);
        if (!new)
                return NULL;
        scm_files_publish(new);
        if (last)
                last->next = new;
        else
                scm->files = new;
        return new;
}

/* Takes over the count on f on success. */
static err_t add_file(struct scm *scm, struct file *f)
{
        struct scm_files *b = block_for(scm);

        if (!b)
                return ERR(ENOMEM);
        b->file[b->count++] = f;
        b->sockets += unix_of_file(f) != NULL;
        return OK;
}

static err_t parse_rights(bytes data, struct scm *scm)
{
        usize n = bytes_len(data) / 4;

        if (n > SCM_MAX_FD || count_of(scm->files) + n > SCM_MAX_FD)
                return ERR(EINVAL);
        for (usize i = 0; i < n; i++) {
                struct file *f = files_get(thread_current()->files, bytes_le32(data, i * 4));
                if (!f)
                        return ERR(EBADF);
                err_t err = add_file(scm, f);
                if (failed(err)) {
                        file_drop(f);
                        return err;
                }
        }
        return OK;
}

static bool may_claim(u32 id, u32 real, u32 effective, u32 saved, u32 cap)
{
        return id == real || id == effective || id == saved || capable(cap);
}

static err_t parse_creds(bytes data, struct scm *scm)
{
        struct linux_ucred uc = {};
        const struct cred *c = cred_current();

        if (bytes_len(data) != sizeof uc)
                return ERR(EINVAL);
        POD_READ(&uc, data);
        if (uc.uid == NO_ID || uc.gid == NO_ID)
                return ERR(EINVAL);
        if (((u32)uc.pid != thread_current()->process->tgid && !capable(CAP_SYS_ADMIN)) ||
            !may_claim(uc.uid, c->uid, c->euid, c->suid, CAP_SETUID) || !may_claim(uc.gid, c->gid, c->egid, c->sgid, CAP_SETGID))
                return ERR(EPERM);
        struct pid *pid = pid_find(pid_ns_current(), (u32)uc.pid);
        if (!pid)
                return ERR(ESRCH);
        pid_drop(scm->pid);
        scm->pid = pid;
        scm->uid = uc.uid;
        scm->gid = uc.gid;
        scm->creds = true;
        return OK;
}

err_t scm_parse(bytes control, struct scm *scm)
{
        struct cmsg_cursor c = { .rest = control };

        for (;;) {
                struct cmsg m = cmsg_next(&c);
                if (m.kind == CMSG_END)
                        return OK;
                if (m.kind == CMSG_BAD)
                        return ERR(EINVAL);
                if (m.level != SOL_SOCKET)
                        continue;
                if (m.type == SCM_RIGHTS)
                        TRY(parse_rights(m.data, scm));
                else if (m.type == SCM_CREDENTIALS)
                        TRY(parse_creds(m.data, scm));
                else
                        return ERR(EINVAL);
        }
}

void scm_set_current(struct scm *scm)
{
        struct thread *t = thread_current();

        if (scm->creds)
                return;
        scm->pid = pid_hold(t->process->pid);
        scm->uid = t->cred->uid;
        scm->gid = t->cred->gid;
        scm->creds = true;
}

bool scm_same_creds(const struct scm *a, const struct scm *b)
{
        return a->creds == b->creds && a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

err_t scm_take_off(struct scm_files *files)
{
        struct thread *t = thread_current();
        u32 n = count_of(files);

        if (LOAD(t->account->unix_inflight) > rlimit_get(t->process, RLIMIT_NOFILE) && !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN))
                return ERR(ETOOMANYREFS);
        files->account = account_hold(t->account);
        FETCH_ADD(t->account->unix_inflight, n);
        unix_fly(files);
        return OK;
}

/* ---- The way out ---- */

void scm_uncount(struct scm_files *files)
{
        FETCH_SUB(files->account->unix_inflight, count_of(files));
        account_drop(files->account);
        files->account = NULL;
}

void scm_land(struct scm_files *files)
{
        if (!files || !files->account)
                return;
        unix_land(files);
        scm_uncount(files);
}

void scm_drop(struct scm *scm)
{
        if (scm->files) {
                scm_land(scm->files);
                unix_files_drop(scm->files);
                scm->files = NULL;
        }
        pid_drop(scm->pid);
        scm->pid = NULL;
}

void scm_discard(struct scm *scm)
{
        if (!scm->files)
                return;
        scm_land(scm->files);
        unix_files_drop(scm->files);
        scm->files = NULL;
}

err_t scm_copy(const struct scm *from, struct scm *to)
{
        for (struct scm_files *b = from->files; b; b = b->next) {
                for (u32 i = 0; i < b->count; i++) {
                        err_t err = add_file(to, file_hold(b->file[i]));
                        if (failed(err)) {
                                file_drop(b->file[i]);
                                return err;
                        }
                }
        }
        return OK;
}

/* A descriptor for f, its number written to `at`.  false: no more. */
static bool install(struct file *f, u64 at, bool cloexec)
{
        struct thread *t = thread_current();
        u32 fd = 0;

        if (failed(files_reserve(t->files, cloexec ? FD_CLOEXEC : 0, 0, rlimit_get(t->process, RLIMIT_NOFILE), &fd)))
                return false;
        if (failed(user_put(at, BYTES_OF(fd)))) {
                files_unreserve(t->files, fd);
                return false;
        }
        files_set(t->files, fd, file_hold(f));
        return true;
}

static void put_rights(const struct scm_files *files, struct control_out *c)
{
        usize room = control_room(c) / 4, n = 0;
        bool more = true;

        for (const struct scm_files *b = files; b && more; b = b->next) {
                for (u32 i = 0; i < b->count && more; i++) {
                        more = n < room && install(b->file[i], control_data(c) + n * 4, c->cloexec);
                        n += more;
                }
        }
        if (n > 0)
                control_end(c, SOL_SOCKET, SCM_RIGHTS, n * 4);
        if (!more)
                c->truncated = true;
}

void scm_deliver(struct scm *scm, struct sock *sk, struct sock_recv *m, bool peeked)
{
        if (scm->files && peeked)
                unix_gc_barrier();
        else
                scm_land(scm->files);
        if (m->control && sock_has(sk, SOPT_PASSCRED)) {
                struct linux_ucred uc = { .pid = scm->pid ? (i32)scm->pid->nr : 0, .uid = scm->creds ? scm->uid : OVERFLOW_ID,
                                          .gid = scm->creds ? scm->gid : OVERFLOW_ID };
                control_put(m->control, SOL_SOCKET, SCM_CREDENTIALS, BYTES_OF(uc));
        }
        if (m->control && scm->files)
                put_rights(scm->files, m->control);
}
