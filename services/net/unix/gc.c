/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors in flight, and the collection of those that nobody can reach any more.
 *
 * Why        A socket sent over itself (or round a circle) and then closed is held only by a queue that only
 *            it leads to.  Counts never free it.
 * What       A candidate is a socket whose file has no references but those in flight (no table, no call).  Take from
 *            its number of flights those that lie in queues of candidates; what has some left is reachable from
 *            outside, and so is all that lies in its queue, and so on.  Of the other candidates nobody will ever read the
 *            queue: the descriptors in it are dropped, and the sockets die with them.
 * When       At each release of an AF_UNIX socket while any is in flight.
 *
 * Why it is right though others go on meanwhile: descriptors are counted in flight (fly) before they are queued, and out of
 * it (land) after they left the queue but before anybody gets them, both under gc.lock, which a collection holds from
 * beginning to end.  So no candidate gets into a table during it, but by MSG_PEEK: that waits at the barrier
 * before it hands out what it held.  A message that leaves a queue meanwhile only makes more look reachable if it was not
 * yet subtracted; if it was, its reader stands before gc.lock with it, and it came from a candidate: which nobody has
 * in a table, so there is no such reader.
 *
 * Dropping   A queue may hold sockets whose queues hold sockets ...: what is dropped is put on a list, and the outermost
 *            caller drops from that list until it is empty, so the stack does not grow.
 *
 * Locking    gc.lock (mutex, class unix_gc), outside sock.lock.  gc.dead_lock (spin, a leaf): the list of the dropped.
 */
#include "services/net/unix/unix_impl.h"

LOCK_CLASS_DECLARE(file_pos);
LOCK_CLASS(unix_gc, AFTER(file_pos));  /* reading /proc may drop the last count of a socket */
LOCK_CLASS(unix_dead, LEAF);

/* The file-scope state (reviewed list): descriptors travel between namespaces. */
STABLE(unix_gc) {
        struct mutex lock;
        u64 flights;                    /* of sockets; lock, LOAD */
        struct unix_sock *first, *last; /* in flight; lock */
        struct unix_sock *todo;         /* found reachable, queue not yet looked at; lock, during a collection */
        struct scm_files *stolen;       /* of a collection; lock */
        struct spinlock dead_lock;
        struct scm_files *dead;         /* dead_lock */
        bool dropping;                  /* somebody is at the list; dead_lock */
};
static struct unix_gc gc;

static void push(struct unix_sock *u)
{
        u->fly_next = NULL;
        u->fly_prev = gc.last;
        if (gc.last)
                gc.last->fly_next = u;
        else
                gc.first = u;
        gc.last = u;
}

static void take(struct unix_sock *u)
{
        if (u->fly_prev)
                u->fly_prev->fly_next = u->fly_next;
        else
                gc.first = u->fly_next;
        if (u->fly_next)
                u->fly_next->fly_prev = u->fly_prev;
        else
                gc.last = u->fly_prev;
}

static bool has_sockets(const struct scm_files *files)
{
        for (; files; files = files->next)
                if (files->sockets > 0)
                        return true;
        return false;
}

static void fly_locked(struct unix_sock *u)
{
        if (u->flying++ == 0)
                push(u);
        STORE(gc.flights, gc.flights + 1);
}

static void land_locked(struct unix_sock *u)
{
        if (--u->flying == 0)
                take(u);
        STORE(gc.flights, gc.flights - 1);
}

/* ---- Looking into queues ---- */

enum visit { SUBTRACT, REACH, STEAL, FLY, LAND };

static void visit_sock(struct unix_sock *u, enum visit what)
{
        switch (what) {
        case SUBTRACT:
                if (u->mark_gc == GC_CANDIDATE)
                        u->outside--;
                break;
        case REACH:
                if (u->mark_gc == GC_CANDIDATE) {
                        u->mark_gc = GC_REACHED;
                        u->gc_next = gc.todo;
                        gc.todo = u;
                }
                break;
        case FLY:
                fly_locked(u);
                break;
        case LAND:
        case STEAL:
                land_locked(u);
                break;
        }
}

static void visit_files(const struct scm_files *files, enum visit what)
{
        for (const struct scm_files *b = files; b; b = b->next) {
                for (u32 i = 0; b->sockets > 0 && i < b->count; i++) {
                        struct unix_sock *u = unix_of_file(b->file[i]);
                        if (u)
                                visit_sock(u, what);
                }
        }
}

static void visit_scm(struct scm *scm, enum visit what)
{
        struct scm_files *files = scm->files;

        if (!files)
                return;
        visit_files(files, what);
        if (what != STEAL)
                return;
        scm->files = NULL;
        files->flying = false;
        scm_uncount(files);
        while (files) {
                struct scm_files *next = files->next;
                files->next = gc.stolen;
                gc.stolen = files;
                files = next;
        }
}

/* What lies in u's queue, and in those of its embryos. */
static void visit_queue(struct unix_sock *u, enum visit what)
{
        GUARD(&u->base.lock);
        for (struct unix_msg *m = u->first_msg; m; m = m->next)
                visit_scm(&m->scm, what);
        for (struct unix_mark *m = u->mark; m; m = m->next)
                visit_scm(&m->scm, what);
        for (struct unix_sock *e = u->embryo; e; e = e->next_embryo) {
                GUARD(&e->base.lock);
                for (struct unix_msg *m = e->first_msg; m; m = m->next)
                        visit_scm(&m->scm, what);
                for (struct unix_mark *m = e->mark; m; m = m->next)
                        visit_scm(&m->scm, what);
        }
}

/* ---- Flights ---- */

void unix_fly(struct scm_files *files)
{
        if (!has_sockets(files))
                return;
        GUARD(&gc.lock);
        visit_files(files, FLY);
        files->flying = true;
}

void unix_land(struct scm_files *files)
{
        if (!files->flying)
                return;
        GUARD(&gc.lock);
        visit_files(files, LAND);
        files->flying = false;
}

void unix_gc_barrier(void)
{
        mutex_lock(&gc.lock);
        mutex_unlock(&gc.lock);
}

/* ---- Dropping ---- */

static void drop_block(struct scm_files *b)
{
        for (u32 i = 0; i < b->count; i++) {
                file_drop(b->file[i]);
                b->file[i] = NULL;
        }
        b->count = 0;
        scm_files_drop(b);
}

/* The next of the list; NULL: it is empty, and whoever comes now is the outermost. */
static struct scm_files *next_dead(void)
{
        SPIN_GUARD(&gc.dead_lock);
        struct scm_files *b = gc.dead;
        if (b)
                gc.dead = b->next;
        else
                gc.dropping = false;
        return b;
}

/* true: nobody is at the list: the caller is to be. */
static bool put_dead(struct scm_files *b)
{
        SPIN_GUARD(&gc.dead_lock);
        b->next = gc.dead;
        gc.dead = b;
        bool mine = !gc.dropping;
        gc.dropping = true;
        return mine;
}

void unix_files_drop(struct scm_files *files)
{
        while (files) {
                struct scm_files *next = files->next, *b = files;
                files = next;
                if (b->sockets == 0) {
                        drop_block(b);
                        continue;
                }
                if (!put_dead(b))
                        continue;
                for (b = next_dead(); b; b = next_dead())
                        drop_block(b);
        }
}

/* ---- Collecting ---- */

static bool has_only_flights(struct unix_sock *u)
{
        struct file *f = PTR_LOAD(u->base.file);
        return f && file_refs(f) == u->flying;
}

static void collect_locked(void)
{
        bool any = false;

        for (struct unix_sock *u = gc.first; u; u = u->fly_next) {
                u->outside = u->flying;
                u->mark_gc = has_only_flights(u) ? GC_CANDIDATE : GC_NO;
                any = any || u->mark_gc == GC_CANDIDATE;
        }
        if (!any)
                return;
        for (struct unix_sock *u = gc.first; u; u = u->fly_next)
                if (u->mark_gc == GC_CANDIDATE)
                        visit_queue(u, SUBTRACT);
        for (struct unix_sock *u = gc.first; u; u = u->fly_next)
                if (u->mark_gc == GC_CANDIDATE && u->outside > 0)
                        visit_sock(u, REACH);
        while (gc.todo) {
                struct unix_sock *u = gc.todo;
                gc.todo = u->gc_next;
                u->gc_next = NULL;
                visit_queue(u, REACH);
        }
}

/* The garbage found, one after the other: stealing changes the list. */
static struct unix_sock *next_garbage(void)
{
        for (struct unix_sock *u = gc.first; u; u = u->fly_next)
                if (u->mark_gc == GC_CANDIDATE)
                        return u;
        return NULL;
}

static struct scm_files *collect(void)
{
        GUARD(&gc.lock);
        collect_locked();
        for (struct unix_sock *u = next_garbage(); u; u = next_garbage()) {
                u->mark_gc = GC_NO;
                visit_queue(u, STEAL);
        }
        struct scm_files *stolen = gc.stolen;
        gc.stolen = NULL;
        return stolen;
}

void unix_collect(void)
{
        if (LOAD(gc.flights) == 0)
                return;
        unix_files_drop(collect());
}

void unix_gc_init(void)
{
        lock_init(&gc.lock, unix_gc);
        lock_init(&gc.dead_lock, unix_dead);
}
