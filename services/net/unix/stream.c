/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams: a ring of bytes at the receiver.
 *
 * Bytes go straight from the writer's memory into the ring's frames, and from there to the reader; a write
 * allocates nothing while it fits into the last page.  What is not just bytes stands beside them:
 *   marks   from a byte on: credentials of the sender, and descriptors that come with the first read of it.  Bytes
 *           before the first mark have none.  An empty ring has no marks.
 *   oob     the place of the one urgent byte (MSG_OOB); an ordinary read stops before it, once.
 *
 * Locking     the receiver's sock.lock for everything; held while user memory is copied.
 * Invariants  R1  head - tail == used; pages of [tail, head) have frames, and the one of head may have.
 *             R2  used == 0: no marks, no oob but an OOB_NONE, and head is at a page's start if its frame is kept.
 *             R3  the last sleeper is woken: readers when bytes come, writers when the ring has become writable.
 */
#include "services/net/unix/unix_impl.h"
#include "services/process/pid.h"
#include "services/vfs/registry.h"

#define PIECE     32768ul               /* sent whole or, at a bad address, not at all */
#define ROOM(n)   (((n) - 1) * PAGE_SIZE)

POOL_DEFINE(unix_ring, NO_FINI);

static void unix_mark_fini(struct unix_mark *m) { pid_drop(m->scm.pid); }
POOL_DEFINE(unix_mark, unix_mark_fini);

/* ---- The ring ---- */

static struct frame *slot_get(struct unix_sock *u, u64 at)
{
        u64 page = at / PAGE_SIZE;
        return u->big ? u->big->slot[page % RING_BIG] : u->slot[page % RING_SMALL];
}

static void slot_set(struct unix_sock *u, u64 at, struct frame *f)
{
        u64 page = at / PAGE_SIZE;
        if (u->big)
                u->big->slot[page % RING_BIG] = f;
        else
                u->slot[page % RING_SMALL] = f;
}

static struct frame *take_frame(struct unix_sock *u)
{
        for (u32 i = 0; i < RING_SPARE; i++) {
                struct frame *f = u->spare[i];
                if (f) {
                        u->spare[i] = NULL;
                        return f;
                }
        }
        return frame_alloc(payer_current(), FRAME_FILL);
}

/* The page of `at` is no longer used. */
static void give_frame(struct unix_sock *u, u64 at)
{
        struct frame *f = slot_get(u, at);

        slot_set(u, at, NULL);
        for (u32 i = 0; f && i < RING_SPARE; i++) {
                if (!u->spare[i]) {
                        u->spare[i] = f;
                        return;
                }
        }
        frame_drop(f);
}

void unix_ring_free(struct unix_sock *u)
{
        for (u32 i = 0; i < RING_SMALL; i++) {
                frame_drop(u->slot[i]);
                u->slot[i] = NULL;
        }
        for (u32 i = 0; u->big && i < RING_BIG; i++)
                frame_drop(u->big->slot[i]);
        unix_ring_drop(u->big);
        u->big = NULL;
        for (u32 i = 0; i < RING_SPARE; i++) {
                frame_drop(u->spare[i]);
                u->spare[i] = NULL;
        }
        STORE(u->used, 0);
        STORE(u->charged, 0);
        STORE(u->oob, OOB_NONE);
        u->head = 0;
        u->tail = 0;
}

/* A larger ring for a sender with a large buffer; without memory it stays as it is. */
static void enlarge(struct unix_sock *u)
{
        struct unix_ring *big = unix_ring_alloc(payer_current(), MAY_RECLAIM);

        if (!big)
                return;
        for (u64 at = u->tail & ~PAGE_MASK; at < u->head + PAGE_SIZE; at += PAGE_SIZE) {
                u64 page = at / PAGE_SIZE;
                big->slot[page % RING_BIG] = u->slot[page % RING_SMALL];
                u->slot[page % RING_SMALL] = NULL;
        }
        PTR_STORE(u->big, big);
}

/* How many bytes of charge `from` may have in u's ring, as it is. */
static u32 limit_now(const struct unix_sock *u, const struct unix_sock *from)
{
        u32 room = (u32)(PTR_LOAD(u->big) ? ROOM(RING_BIG) : ROOM(RING_SMALL)) - (u32)PIECE;
        return min_u32(LOAD_RELAXED(from->base.sndbuf), room);
}

static u32 limit_of(struct unix_sock *u, const struct unix_sock *from)
{
        if (LOAD_RELAXED(from->base.sndbuf) > ROOM(RING_SMALL) - PIECE && !u->big)
                enlarge(u);
        return limit_now(u, from);
}

static void set_used(struct unix_sock *u, u32 used, u32 charged)
{
        STORE(u->used, used);
        STORE(u->charged, charged);
}

/* Back to `head`, after a piece that failed. */
static void take_back(struct unix_sock *u, u64 head)
{
        u32 n = (u32)(u->head - head);

        for (u64 at = (head + PAGE_SIZE - 1) & ~PAGE_MASK; at < u->head; at += PAGE_SIZE)
                give_frame(u, at);
        u->head = head;
        set_used(u, u->used - n, u->charged - n);
}

static err_t append(struct unix_sock *u, struct io *io, usize want)
{
        u64 start = u->head;

        while (u->head - start < want) {
                usize off = u->head & PAGE_MASK, n = min_u64(want - (u->head - start), PAGE_SIZE - off);
                struct frame *f = slot_get(u, u->head);
                if (!f) {
                        f = take_frame(u);
                        if (!f) {
                                take_back(u, start);
                                return ERR(ENOMEM);
                        }
                        slot_set(u, u->head, f);
                }
                usize got = io_to_frame(io, f, off, n);
                u->head += got;
                set_used(u, u->used + (u32)got, u->charged + (u32)got);
                if (got < n) {
                        take_back(u, start);
                        return ERR(EFAULT);
                }
        }
        return OK;
}

/* The n bytes from `at` on to io; false: a bad address. */
static bool copy_out(struct unix_sock *u, u64 at, usize n, struct io *io)
{
        while (n > 0) {
                usize off = at & PAGE_MASK, part = min_u64(n, PAGE_SIZE - off);
                if (io_from_frame(io, slot_get(u, at), off, part) < part)
                        return false;
                at += part;
                n -= part;
        }
        return true;
}

/* Onto *lost if it still has descriptors: the urgent byte's, which no read took. */
static void pop_mark(struct unix_sock *u, struct unix_mark **lost)
{
        struct unix_mark *m = u->mark;

        u->mark = m->next;
        if (!u->mark)
                u->last_mark = NULL;
        STORE(u->charged, u->charged - MARK_CHARGE);
        if (!m->scm.files) {
                unix_mark_drop(m);
                return;
        }
        m->next = *lost;
        *lost = m;
}

bool unix_stream_writable(const struct unix_sock *u, const struct unix_sock *from)
{
        return LOAD(u->charged) * 4ul <= limit_now(u, from);
}

/* The first n bytes are gone; keeps R1 to R3.  *lost: for unix_marks_discard without the lock. */
static void consume(struct unix_sock *u, usize n, struct unix_mark **lost)
{
        u64 end = u->tail + n;
        bool was_writable = !u->peer || unix_stream_writable(u, u->peer);

        for (u64 at = u->tail & ~PAGE_MASK; at + PAGE_SIZE <= end; at += PAGE_SIZE)
                give_frame(u, at);
        u->tail = end;
        set_used(u, u->used - (u32)n, u->charged - (u32)n);
        while (u->mark && (u->used == 0 || (u->mark->next && u->mark->next->start <= u->tail)))
                pop_mark(u, lost);
        if (u->used == 0) {
                u->tail &= ~PAGE_MASK;
                u->head = u->tail;
        }
        if (!was_writable && unix_stream_writable(u, u->peer))
                sock_wake_writers(&u->peer->base, POLL_OUT);
}

struct unix_mark *unix_marks_take(struct unix_sock *u)
{
        struct unix_mark *m = u->mark;

        u->mark = NULL;
        u->last_mark = NULL;
        return m;
}

void unix_marks_discard(struct unix_mark *m)
{
        while (m) {
                struct unix_mark *next = m->next;
                scm_discard(&m->scm);
                unix_mark_drop(m);
                m = next;
        }
}

/* ---- Sending ---- */

static const struct scm nobody;
static const struct scm *scm_of(const struct unix_mark *m) { return m ? &m->scm : &nobody; }

/* What the next bytes come with, if the last ones come with something else.  Takes scm's descriptors. */
static err_t mark_locked(struct unix_sock *to, struct scm *scm)
{
        const struct scm *last = scm_of(to->last_mark);
        bool again = to->last_mark && to->last_mark->scm.files;

        if (!scm->files && !again && scm_same_creds(last, scm))
                return OK;
        struct unix_mark *m = unix_mark_alloc(payer_current(), MAY_RECLAIM);
        if (!m)
                return ERR(ENOMEM);
        m->start = to->head;
        m->scm = *scm;
        if (scm->pid)
                m->scm.pid = pid_hold(scm->pid);
        scm->files = NULL;
        unix_mark_publish(m);
        if (to->last_mark)
                to->last_mark->next = m;
        else
                to->mark = m;
        to->last_mark = m;
        STORE(to->charged, to->charged + MARK_CHARGE);
        return OK;
}

/* The last mark, which was put behind `before`, is not to be: no byte came with it.  Gives its descriptors back. */
static void unmark_locked(struct unix_sock *to, struct unix_mark *before, struct scm *scm)
{
        struct unix_mark *m = to->last_mark;

        if (m == before)
                return;
        if (before)
                before->next = NULL;
        else
                to->mark = NULL;
        to->last_mark = before;
        STORE(to->charged, to->charged - MARK_CHARGE);
        scm->files = m->scm.files;
        m->scm.files = NULL;
        unix_mark_drop(m);
}

static bool is_cut(struct unix_sock *from, struct unix_sock *to)
{
        return to->dead || (to->base.shutdown & SHUT_RECV) != 0 || (LOAD(from->base.shutdown) & SHUT_SEND) != 0;
}

static err_t send_piece(struct unix_sock *from, struct unix_sock *to, struct sock_send *m, struct scm *scm)
{
        usize n = min_u64(io_left(m->io), PIECE);
        struct unix_mark *before = to->last_mark;

        if (unix_wants_creds(from) || unix_wants_creds(to) || !PTR_LOAD(to->base.file))
                scm_set_current(scm);
        TRY(mark_locked(to, scm));
        err_t err = append(to, m->io, n);
        if (failed(err))
                unmark_locked(to, before, scm);
        else
                m->done += n;
        return err;
}

static err_t send_locked(struct unix_sock *from, struct unix_sock *to, struct sock_send *m, struct scm *scm)
{
        do {
                if (is_cut(from, to))
                        return ERR(EPIPE);
                if (to->charged >= limit_of(to, from)) {
                        TRY(sock_sleep(&to->base, &from->base.writable, m->deadline));
                        continue;
                }
                TRY(send_piece(from, to, m, scm));
                if (io_left(m->io) > 0)
                        waitq_wake_all(&to->base.readable);     /* R3 */
        } while (io_left(m->io) > 0);
        if (m->flags & MSG_OOB) {
                to->oob_at = to->head - 1;
                STORE(to->oob, OOB_THERE);
        }
        return OK;
}

static err_t send_with(struct unix_sock *u, struct sock_send *m, struct scm *scm)
{
        if ((m->flags & MSG_OOB) != 0 && io_left(m->io) == 0)
                return ERR(EOPNOTSUPP);
        if (bytes_len(m->name) > 0)
                return LOAD(u->state) == UNIX_CONNECTED ? ERR(EISCONN) : ERR(EOPNOTSUPP);
        struct unix_sock *to = PTR_LOAD(u->peer);       /* stays until u's release */
        if (!to)
                return ERR(ENOTCONN);
        if (LOAD(u->base.shutdown) & SHUT_SEND)
                return ERR(EPIPE);
        if (io_left(m->io) == 0)
                return OK;
        if (scm->files)
                TRY(scm_take_off(scm->files));
        mutex_lock(&to->base.lock);
        err_t err = send_locked(u, to, m, scm);
        mutex_unlock(&to->base.lock);
        if (m->done > 0)
                sock_wake_readers(&to->base, (m->flags & MSG_OOB) != 0 ? POLL_PRI : POLL_IN);
        return err;
}

err_t unix_stream_send(struct sock *sk, struct sock_send *m)
{
        struct scm scm = {};
        err_t err = bytes_len(m->control) > 0 ? scm_parse(m->control, &scm) : OK;

        if (succeeded(err))
                err = send_with(unix_of(sk), m, &scm);
        scm_drop(&scm);
        if (err_is(err, EPIPE) && m->done == 0 && (m->flags & MSG_NOSIGNAL) == 0)
                registry_raise(SIGPIPE);
        return err;
}

/* ---- Receiving ---- */

u32 unix_stream_readable(struct unix_sock *u)
{
        u32 used = LOAD(u->used);
        return used - (used > 0 && LOAD(u->oob) == OOB_TAKEN);
}

/* A receive under way. */
struct reading {
        struct sock_recv *m;
        struct scm *scm;                /* what was found with the bytes */
        struct unix_mark *lost;         /* owned; to be discarded without the lock */
        usize skip;                     /* MSG_PEEK: bytes already seen */
        bool peek, took_files, any_creds;
};

/* The urgent byte is next. */
enum at_oob { OOB_STOP, OOB_SKIPPED, OOB_READ };
static enum at_oob meet_oob(struct unix_sock *u, struct reading *r)
{
        if (r->m->done > 0)
                return OOB_STOP;
        if (u->oob == OOB_THERE && sock_has(&u->base, SOPT_OOBINLINE)) {
                if (!r->peek)
                        STORE(u->oob, OOB_NONE);
                return OOB_READ;
        }
        if (r->peek) {
                r->skip++;
        } else {
                STORE(u->oob, OOB_NONE);
                consume(u, 1, &r->lost);
        }
        return OOB_SKIPPED;
}

/* The mark that holds at `at`; NULL: before the first. */
static struct unix_mark *mark_at(struct unix_sock *u, u64 at)
{
        struct unix_mark *m = u->mark;

        if (!m || m->start > at)
                return NULL;
        while (m->next && m->next->start <= at)
                m = m->next;
        return m;
}

/* How many bytes from `at` on come with the same things, up to the urgent one. */
static usize run_at(struct unix_sock *u, u64 at, const struct unix_mark *mark)
{
        const struct unix_mark *next = mark ? mark->next : u->mark;
        u64 end = next ? next->start : u->head;

        if (u->oob != OOB_NONE && u->oob_at > at && u->oob_at < end)
                end = u->oob_at;
        return end - at;
}

/* Credentials and descriptors at the start of a run; *stop: they do not go with what was read before. */
static err_t read_mark(struct unix_sock *u, struct reading *r, struct unix_mark *mark, bool *stop)
{
        const struct scm *here = scm_of(mark);

        *stop = false;
        if (unix_wants_creds(u)) {
                if (r->any_creds && !scm_same_creds(r->scm, here)) {
                        *stop = true;
                        return OK;
                }
                if (!r->any_creds && here->creds) {
                        r->scm->creds = true;
                        r->scm->uid = here->uid;
                        r->scm->gid = here->gid;
                        r->scm->pid = here->pid ? pid_hold(here->pid) : NULL;
                }
                r->any_creds = true;
        }
        if (!mark || !mark->scm.files)
                return OK;
        r->took_files = true;
        if (r->peek)
                return scm_copy(&mark->scm, r->scm);
        r->scm->files = mark->scm.files;
        mark->scm.files = NULL;
        return OK;
}

static void move_peek_off(struct unix_sock *u, bool peek, usize n)
{
        i32 off = u->base.peek_off;

        if (off < 0)
                return;
        if (peek)
                STORE(u->base.peek_off, (i32)min_u64((u64)off + n, I32_MAX));
        else
                STORE(u->base.peek_off, (usize)off > n ? off - (i32)n : 0);
}

/* One run; *stop: that was all for this receive. */
static err_t read_run(struct unix_sock *u, struct reading *r, bool *stop)
{
        u64 at = u->tail + r->skip;
        struct unix_mark *mark = mark_at(u, at);
        usize n = min_u64(run_at(u, at, mark), io_left(r->m->io));

        TRY(read_mark(u, r, mark, stop));
        if (*stop)
                return OK;
        if (!copy_out(u, at, n, r->m->io)) {
                *stop = true;
                return ERR(EFAULT);
        }
        r->m->done += n;
        move_peek_off(u, r->peek, n);
        if (r->peek)
                r->skip += n;
        else
                consume(u, n, &r->lost);
        *stop = r->took_files;
        return OK;
}

/* Nothing there: OK with *stop: the end; OK without: look again. */
static err_t wait_for_bytes(struct unix_sock *u, struct reading *r, usize target, bool *stop)
{
        *stop = true;
        if (r->m->done >= target || (r->peek && r->m->done > 0))
                return OK;
        u32 error = sock_take_error(&u->base);
        if (error)
                return ERR((int)error);
        if (u->base.shutdown & SHUT_RECV)
                return OK;
        *stop = false;
        return sock_sleep(&u->base, &u->base.readable, r->m->deadline);
}

static err_t recv_locked(struct unix_sock *u, struct reading *r)
{
        usize target = sock_target(&u->base, r->m->flags, io_left(r->m->io));
        bool stop = false;

        if (r->peek && u->base.peek_off > 0)
                r->skip = (usize)u->base.peek_off;
        do {
                if (u->used <= r->skip) {
                        TRY(wait_for_bytes(u, r, target, &stop));
                        continue;
                }
                enum at_oob oob = u->oob != OOB_NONE && u->oob_at == u->tail + r->skip ? meet_oob(u, r) : OOB_READ;
                if (oob == OOB_STOP)
                        return OK;
                if (oob == OOB_READ)
                        TRY(read_run(u, r, &stop));
        } while (!stop && io_left(r->m->io) > 0);
        return OK;
}

static err_t recv_oob_locked(struct unix_sock *u, struct reading *r)
{
        struct sock_recv *m = r->m;

        if (sock_has(&u->base, SOPT_OOBINLINE) || u->oob != OOB_THERE)
                return ERR(EINVAL);
        if (io_left(m->io) > 0 && !copy_out(u, u->oob_at, 1, m->io))
                return ERR(EFAULT);
        m->done = 1;
        m->out_flags |= MSG_OOB;
        if (m->flags & MSG_PEEK)
                return OK;
        STORE(u->oob, OOB_TAKEN);
        if (u->oob_at == u->tail) {
                STORE(u->oob, OOB_NONE);
                consume(u, 1, &r->lost);
        }
        return OK;
}

err_t unix_stream_recv(struct sock *sk, struct sock_recv *m)
{
        struct unix_sock *u = unix_of(sk);
        struct scm scm = {};
        struct reading r = { .m = m, .scm = &scm, .peek = (m->flags & MSG_PEEK) != 0 };

        if (LOAD(u->state) != UNIX_CONNECTED)
                return ERR(EINVAL);
        bool oob = (m->flags & MSG_OOB) != 0;
        mutex_lock(&sk->lock);
        err_t err = oob ? recv_oob_locked(u, &r) : recv_locked(u, &r);
        mutex_unlock(&sk->lock);
        unix_marks_discard(r.lost);
        if (oob)
                return err;
        struct unix_sock *peer = PTR_LOAD(u->peer);
        if (m->done > 0 && mbytes_len(m->name) > 0 && peer && LOAD(peer->name_len))
                m->name_len = unix_put_name(peer, m->name);
        if (r.took_files || m->control)
                scm_deliver(&scm, sk, m, r.peek);
        scm_drop(&scm);
        return err;
}
