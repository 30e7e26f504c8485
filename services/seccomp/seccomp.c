/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters of system calls, and who has them.
 *
 * Lifetime   A filter is guaranteed to exist as long as a thread holds it or a newer one that holds it.
 * Locking    process.lock for thread.seccomp and thread.seccomp_mode; the thread itself reads them without: one that another
 *            thread of its process puts a newer one in the place of is held by that newer one.
 * Invariants S1  a filter never changes once a thread has it
 *            S2  a thread that has a mode has operations that look at its calls
 */
#include "services/seccomp/seccomp.h"
#include "services/seccomp/bpf.h"
#include "abi/const/process.h"

#define MAX_TOTAL 32768u                /* instructions of a thread's filters; each counts OVERHEAD more once another is there */
#define OVERHEAD  4u

OBJECT(seccomp_filter) {                /* fixed */
        struct seccomp_filter *older;   /* counted; NULL: none */
        struct blob *program;           /* counted */
        u32 total;                      /* instructions of this one and older ones, with their OVERHEAD */
        u32 count;                      /* of filters, this one too */
};

/* One after another: a chain may be as long as no stack is deep. */
static void seccomp_filter_fini(struct seccomp_filter *f)
{
        struct seccomp_filter *older = f->older;

        blob_drop(f->program);
        while (older && seccomp_filter_refs(older) == 1) {      /* ours alone, and it stays so: who holds it gives it on */
                struct seccomp_filter *next = older->older;
                older->older = NULL;
                seccomp_filter_drop(older);
                older = next;
        }
        seccomp_filter_drop(older);
}
POOL_DEFINE(seccomp_filter, seccomp_filter_fini);

static bool is_part_of(struct seccomp_filter *part, struct seccomp_filter *chain)
{
        while (chain && part && chain->count > part->count)
                chain = chain->older;
        return chain == part;
}

/* The first thread of p that cannot have the filters of t; NULL: none. */
static struct thread *stranger_locked(struct process *p, struct thread *t)
{
        for (struct thread *other = p->threads; other; other = other->next)
                if (other != t && !other->exiting && other->seccomp_mode != SECCOMP_MODE_DISABLED
                    && (other->seccomp_mode != SECCOMP_MODE_FILTER || !is_part_of(other->seccomp, t->seccomp)))
                        return other;
        return NULL;
}

/* keeps S2 */
static void watch_locked(struct thread *t, u32 mode, const struct user_ops *ops)
{
        STORE(t->seccomp_mode, mode);
        task_set_ops(t->base.task, ops);
}

static err_t attach_locked(struct process *p, struct thread *t, struct seccomp_filter *f, bool all, const struct user_ops *ops, u32 *culprit)
{
        struct seccomp_filter *older = t->seccomp;
        struct thread *stranger = all ? stranger_locked(p, t) : NULL;

        if (t->seccomp_mode == SECCOMP_MODE_STRICT)
                return ERR(EINVAL);
        if (stranger) {
                *culprit = stranger->tid;
                return ERR(ESRCH);
        }
        if (older && f->total + older->total + OVERHEAD > MAX_TOTAL)
                return ERR(ENOMEM);
        if (older) {
                f->total += older->total + OVERHEAD;
                f->count += older->count;
        }
        f->older = older;
        PTR_STORE(t->seccomp, f);
        watch_locked(t, SECCOMP_MODE_FILTER, ops);
        for (struct thread *other = all ? p->threads : NULL; other; other = other->next) {
                if (other == t || other->exiting)
                        continue;
                struct seccomp_filter *had = other->seccomp;
                PTR_STORE(other->seccomp, seccomp_filter_hold(f));
                if (LOAD(t->no_new_privs))
                        STORE(other->no_new_privs, true);
                watch_locked(other, SECCOMP_MODE_FILTER, ops);
                seccomp_filter_drop(had);       /* f holds it as well */
        }
        return OK;
}

err_t seccomp_attach(struct blob *program, bool all, const struct user_ops *ops, u32 *culprit)
{
        struct thread *t = thread_current();
        u32 n = (u32)(bytes_len(blob_bytes(program)) / BPF_INSN);
        struct blob *spare = blob_alloc(t->payer, n * 2ul);

        if (!spare)
                return ERR(ENOMEM);
        bool good = bpf_check(blob_bytes(program), blob_mbytes(spare));
        blob_drop(spare);
        if (!good)
                return ERR(EINVAL);
        struct seccomp_filter *f = seccomp_filter_alloc(t->payer, MAY_RECLAIM);
        if (!f)
                return ERR(ENOMEM);
        f->total = n;
        f->count = 1;
        f->program = program;
        spin_lock(&t->process->lock);
        err_t err = attach_locked(t->process, t, f, all, ops, culprit);
        spin_unlock(&t->process->lock);
        if (failed(err)) {
                f->program = NULL;      /* the caller's still */
                seccomp_filter_drop(f);
        }
        return err;
}

err_t seccomp_strict(const struct user_ops *ops)
{
        struct thread *t = thread_current();
        SPIN_GUARD(&t->process->lock);

        if (t->seccomp_mode == SECCOMP_MODE_FILTER)
                return ERR(EINVAL);
        watch_locked(t, SECCOMP_MODE_STRICT, ops);
        return OK;
}

u32 seccomp_judge(struct thread *t, const struct linux_seccomp_data *call)
{
        u32 verdict = SECCOMP_RET_ALLOW;

        /* As signed numbers the stricter actions are the smaller ones; among equals the newest filter's data counts. */
        for (struct seccomp_filter *f = PTR_LOAD(t->seccomp); f; f = f->older) {
                u32 says = bpf_run(blob_bytes(f->program), call);
                if ((i32)(says & SECCOMP_RET_ACTION_FULL) < (i32)(verdict & SECCOMP_RET_ACTION_FULL))
                        verdict = says;
        }
        return verdict;
}

void seccomp_inherit_locked(struct thread *t, struct thread *from, const struct user_ops *ops)
{
        t->no_new_privs = LOAD(from->no_new_privs);
        if (from->seccomp_mode == SECCOMP_MODE_DISABLED)
                return;
        if (from->seccomp)
                t->seccomp = seccomp_filter_hold(from->seccomp);
        watch_locked(t, from->seccomp_mode, ops);
}

u32 seccomp_count_locked(struct thread *t) { return t->seccomp ? t->seccomp->count : 0; }
