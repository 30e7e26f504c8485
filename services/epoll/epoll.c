/* SPDX-License-Identifier: Apache-2.0
 *
 * epoll: items, their notifiers, and the ready list.
 *
 * Objects    `epoll_file` is what a descriptor means; `epoll` behind it holds the items. An item
 *            (epoll, file, fd) does not hold its file; it holds its epoll, so that a notifier that is
 *            running finds a lock that is alive.  An item lives while it stands in its epoll's tree and its
 *            file's list (one count), or somebody looks at it.  It leaves both at once: by EPOLL_CTL_DEL,
 *            with the epoll file, or with the file's last reference (on_gone).  Who takes it off then ends
 *            its notifier, without locks, and drops it.
 * Waking     notify(): its file's queues woke: it goes to the tail of `ready`, and waiters are woken.  That it
 *            is in `ready` is a hint; whoever takes it from there asks the file.
 *            Of EPOLLEXCLUSIVE items a file's queue wakes one; if nobody waits at its epoll, or whoever does finds the file not
 *            ready, the wake-up goes on to the file's next such item until it wakes somebody.
 * Taking     transfer(), under epoll.transfer, so that an edge goes to one waiter.  An item stays in the list
 *            while its file is asked, so that others who look see it; `again` tells of a wake-up meanwhile.
 * Locking    transfer (mutex, class epoll) -> links -> epoll.lock.  links (spin) guards what ties items to
 *            files and epolls; it is held for changes of both ends.  epoll.lock (spin) is a leaf, taken in wakers'
 *            contexts under whatever locks they hold; so is turn (spin), for a file's list of exclusive items.  Wake-ups are sent with neither held; files are asked with transfer alone held, and let go of without.
 * Invariants E1  an item that is armed, enabled and ready is in `ready`, or its notifier is about to put it there.
 *            E2  who finds `ready` empty after waiter_add sleeps rightly: notify puts, then wakes.
 *            E3  no epoll contains itself, over any number of steps; a path has at most MAX_NESTS of them.
 */
#include "services/epoll/epoll.h"
#include "services/process/account.h"
#include "abi/const/event.h"
#include "lib/list.h"
#include "lib/num.h"
#include "lib/rbtree.h"

LOCK_CLASS(epoll);
LOCK_CLASS(epoll_links);
LOCK_CLASS(epoll_turn, LEAF);
LOCK_CLASS(epoll_ready, LEAF);          /* wakers come with locks of all kinds */

#define MAX_NESTS  5u                   /* epolls on a path */
#define OPTIONS    ((u32)(EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE))
#define ALWAYS     (EPOLLERR | EPOLLHUP)
#define WITH_EXCLUSIVE ((u32)(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE))

#define ITEM_COST  184u                 /* bytes of an item on Linux: those of a user may take a 25th of all memory, */
#define MAX_ITEMS  65536u               /* and no more than this, so that other users have nodes for waiting, too */
#define CHUNK      8u                   /* items taken before files are let go of */

OBJECT(epoll);

OBJECT(epoll_item) {
        struct epoll *epoll;            /* counted; fixed */
        u32 fd;                         /* fixed */
        struct notifier notifier;
        struct file *file;              /* not counted; changed under links and epoll.lock; NULL: taken off */
        struct epoll_item *file_next, *file_prev;       /* the file's; links */
        struct epoll_item *sub_next, *sub_prev;         /* the epoll's items that are epolls; links */
        struct epoll_item *older, *younger;             /* the file's exclusive items; turn */
        bool in_turn;                                   /* among these; turn */
        struct epoll_item *left, *right, *up;           /* the epoll's tree; changed under links and epoll.lock */
        bool red;
        /* epoll.lock */
        u32 events;                     /* asked for, with options; options alone: disabled by EPOLLONESHOT */
        u64 data;
        u32 changes;                    /* of events and data */
        bool ready;                     /* it is in `ready` */
        bool again;                     /* woken since it was last taken */
        u64 round;                      /* the transfer that took it last */
        struct epoll_item *next, *prev; /* ready */
};
POOL_DECLARE(epoll_item)

static bool item_less(struct epoll_item *a, struct epoll_item *b) { return a->fd < b->fd; }
RBTREE_HEAD(item_tree, epoll_item);
RBTREE_FUNCTIONS(item_tree, epoll_item, left, right, up, red, item_less, RBTREE_NO_UPDATE)
LIST_HEAD(ready_list, epoll_item);
LIST_FUNCTIONS(ready_list, epoll_item, next, prev)
LIST_HEAD(sub_list, epoll_item);
LIST_FUNCTIONS(sub_list, epoll_item, sub_next, sub_prev)

OBJECT(epoll) {
        struct mutex transfer;
        struct waitq wait;              /* epoll_wait; exclusive */
        struct waitq polled;            /* those who poll the epoll file */
        struct spinlock lock;
        struct ready_list ready;        /* lock; LOAD of first */
        u64 rounds;                     /* transfer */
        u32 waiting;                    /* who may sleep in epoll_wait; ATOMIC */
        u32 moves;                      /* items taken from `ready` or moved in it; lock */
        struct item_tree items;         /* by fd; changed under links and lock */
        struct account *account;        /* who made it: its items count there; counted; fixed, as max_items */
        u32 max_items;                  /* of all of the user's epolls */
        /* links */
        struct sub_list subs;
        struct file *file;              /* not counted: ours; NULL: closed */
        u64 walk;                       /* the walk that has been here, and the depth it found */
        u32 depth;
};
POOL_DECLARE(epoll)
static void epoll_fini(struct epoll *ep) { account_drop(ep->account); }
POOL_DEFINE(epoll, epoll_fini);

OBJECT(epoll_file) {
        struct file base;
        struct epoll *epoll;            /* counted; fixed */
};
POOL_DECLARE(epoll_file)
DOWNCASTABLE(epoll_file, file);

static void epoll_item_fini(struct epoll_item *item)
{
        notifier_fini(&item->notifier);
        FETCH_SUB(item->epoll->account->epoll_items, 1);
        epoll_drop(item->epoll);
}
POOL_DEFINE(epoll_item, epoll_item_fini);

/* The file-scope state (reviewed list): one lock for the ties between files, items and epolls. */
STABLE(epoll_state) {
        struct spinlock links;
        struct spinlock turn;
        u64 walks;                      /* links */
};
static struct epoll_state state;

bool epoll_is(struct file *f) { return IS_A(epoll_file, f); }
static struct epoll *of(struct file *f) { return DOWNCAST(epoll_file, f)->epoll; }

/* ---- The ready list ---- */

static bool is_enabled(const struct epoll_item *item) { return (item->events & ~OPTIONS) != 0; }

/* false: it is gone or disabled. */
static bool put_locked(struct epoll *ep, struct epoll_item *item)
{
        if (!item->file || !is_enabled(item))
                return false;
        item->again = true;
        if (!item->ready) {
                item->ready = true;
                ready_list_push_back(&ep->ready, item);
        }
        return true;
}

static void take_locked(struct epoll *ep, struct epoll_item *item)
{
        if (item->ready)
                ready_list_remove(&ep->ready, item);
        item->ready = false;
        ep->moves++;
}

/* True: it woke somebody.  keeps E1, E2 */
static bool put(struct epoll *ep, struct epoll_item *item)
{
        spin_lock(&ep->lock);
        bool wake = put_locked(ep, item);
        spin_unlock(&ep->lock);
        return wake && waitq_wake_one(&ep->wait) + waitq_wake_all(&ep->polled) > 0;
}

/* The exclusive item of the same file that is next to `at`, or if that has left meanwhile, to `item`; counted.  NULL: none. */
static struct epoll_item *next_turn(struct epoll_item *item, struct epoll_item *at, bool older)
{
        SPIN_GUARD(&state.turn);
        struct epoll_item *from = at->in_turn ? at : item;
        struct epoll_item *next = older ? from->older : from->younger;
        return next ? epoll_item_hold(next) : NULL;
}

/* A wake-up of an exclusive item that nobody has used goes to those on one side of it.  True: it woke somebody. */
static bool pass_on(struct epoll_item *item, bool older)
{
        struct epoll_item *at = next_turn(item, item, older);
        bool woke = false;

        while (at) {
                woke = put(at->epoll, at);
                struct epoll_item *next = woke ? NULL : next_turn(item, at, older);
                epoll_item_drop(at);
                at = next;
        }
        return woke;
}

/* In the waker's context. */
static void notify(struct notifier *n)
{
        struct epoll_item *item = OWNER_OF(epoll_item, notifier, n);

        if (put(item->epoll, item) || (LOAD(item->events) & EPOLLEXCLUSIVE) == 0)
                return;
        /* The oldest is asked first, but not if two were added at once. */
        if (!pass_on(item, false))
                (void)pass_on(item, true);
}

/* ---- Ties ---- */

/* Behind f's other exclusive items.  REQUIRES(state.links) */
static void join_turn_locked(struct epoll_item *item, struct file *f)
{
        struct epoll_item *last = f->epoll_items;       /* the youngest first */

        while (last && !(last->events & EPOLLEXCLUSIVE))
                last = last->file_next;
        SPIN_GUARD(&state.turn);
        item->older = last;
        item->in_turn = true;
        if (last)
                last->younger = item;
}

static void leave_turn(struct epoll_item *item)
{
        SPIN_GUARD(&state.turn);
        if (item->older)
                item->older->younger = item->younger;
        if (item->younger)
                item->younger->older = item->older;
        item->older = NULL;
        item->younger = NULL;
        item->in_turn = false;
}

/* REQUIRES(state.links) */
static void tie_locked(struct epoll *ep, struct epoll_item *item, struct file *f)
{
        if (item->events & EPOLLEXCLUSIVE)
                join_turn_locked(item, f);
        item->file_next = f->epoll_items;
        if (item->file_next)
                item->file_next->file_prev = item;
        PTR_STORE(f->epoll_items, item);
        if (epoll_is(f))
                sub_list_push_back(&ep->subs, item);
        spin_lock(&ep->lock);
        item->file = f;
        item_tree_insert(&ep->items, item);
        spin_unlock(&ep->lock);
}

/* REQUIRES(state.links). Its count is the caller's: end_item. */
static void untie_locked(struct epoll_item *item)
{
        struct epoll *ep = item->epoll;
        struct file *f = item->file;

        if (item->file_prev)
                item->file_prev->file_next = item->file_next;
        else
                PTR_STORE(f->epoll_items, item->file_next);
        if (item->file_next)
                item->file_next->file_prev = item->file_prev;
        item->file_next = NULL;
        item->file_prev = NULL;
        if (item->events & EPOLLEXCLUSIVE)
                leave_turn(item);
        if (epoll_is(f))
                sub_list_remove(&ep->subs, item);
        spin_lock(&ep->lock);
        take_locked(ep, item);
        item_tree_remove(&ep->items, item);
        item->file = NULL;
        spin_unlock(&ep->lock);
}

static void end_item(struct epoll_item *item)
{
        notifier_fini(&item->notifier);
        epoll_item_drop(item);
}

/* links or epoll.lock held: the first item of fd, or behind it. */
static struct epoll_item *first_of_locked(struct epoll *ep, u32 fd)
{
        struct epoll_item *x = ep->items.root, *first = NULL;

        while (x) {
                if (x->fd >= fd)
                        first = x;
                x = x->fd < fd ? x->right : x->left;
        }
        return first;
}

/* links or epoll.lock held.  A descriptor may be in several items, when it meant several files. */
static struct epoll_item *find_locked(struct epoll *ep, struct file *f, u32 fd)
{
        struct epoll_item *first = first_of_locked(ep, fd);

        while (first && first->fd == fd && first->file != f)
                first = item_tree_next(first);
        return first && first->fd == fd ? first : NULL;
}

err_t epoll_target(struct file *epoll, u32 fd, u32 nth, struct file **out)
{
        if (!epoll_is(epoll))
                return ERR(EINVAL);
        struct epoll *ep = of(epoll);
        SPIN_GUARD(&ep->lock);
        struct epoll_item *item = first_of_locked(ep, fd);
        for (; item && item->fd == fd && nth > 0; nth--)
                item = item_tree_next(item);
        if (!item || item->fd != fd || !file_try_hold(item->file))
                return ERR(ENOENT);
        *out = item->file;
        return OK;
}

/* The last reference of a watched file has gone. */
static void on_gone(struct file *f)
{
        for (;;) {
                spin_lock(&state.links);
                struct epoll_item *item = f->epoll_items;
                if (item)
                        untie_locked(item);
                spin_unlock(&state.links);
                if (!item)
                        return;
                end_item(item);
        }
}

static const struct vfs_event_ops event_ops = { .gone = on_gone };
void epoll_register(void)
{
        lock_init(&state.links, epoll_links);
        lock_init(&state.turn, epoll_turn);
        vfs_register_events(&event_ops);
}

/* ---- Nesting ---- */

/* Epolls on the longest path down from ep; more than MAX_NESTS: too many, or `avoid` is on one.  Each epoll is
 * looked at once per walk; E3 bounds the recursion. */
static u32 depth_down(struct epoll *ep, struct epoll *avoid, u64 walk)
{
        u32 deepest = 0;

        if (ep == avoid)
                return MAX_NESTS + 1;
        if (ep->walk == walk)
                return ep->depth;
        for (struct epoll_item *i = ep->subs.first; i; i = i->sub_next)
                deepest = (u32)max_u64(deepest, depth_down(of(i->file), avoid, walk));
        ep->walk = walk;
        ep->depth = deepest + 1;
        return ep->depth;
}

static u32 depth_up(struct epoll *ep, u64 walk)
{
        u32 deepest = 0;

        if (ep->walk == walk)
                return ep->depth;
        for (struct epoll_item *i = ep->file ? ep->file->epoll_items : NULL; i; i = i->file_next)
                deepest = (u32)max_u64(deepest, depth_up(i->epoll, walk));
        ep->walk = walk;
        ep->depth = deepest + 1;
        return ep->depth;
}

/* keeps E3; REQUIRES(state.links) */
static err_t may_nest_locked(struct epoll *ep, struct epoll *target)
{
        u32 down = depth_down(target, ep, ++state.walks);

        return down > MAX_NESTS || down + depth_up(ep, ++state.walks) > MAX_NESTS ? ERR(ELOOP) : OK;
}

/* ---- epoll_ctl ---- */

static err_t tie(struct epoll *ep, struct epoll_item *item, struct file *f)
{
        SPIN_GUARD(&state.links);
        if (find_locked(ep, f, item->fd))
                return ERR(EEXIST);
        if (epoll_is(f))
                TRY(may_nest_locked(ep, of(f)));
        tie_locked(ep, item, f);
        return OK;
}

/* Asks the file, with `w` on its queues if it is not NULL; an item that is ready goes into the list. */
static void ask(struct epoll *ep, struct epoll_item *item, struct file *f, struct waiter *w)
{
        if (file_poll(f, w) & LOAD(item->events))
                put(ep, item);
}

static bool has(struct epoll *ep, struct file *f, u32 fd)
{
        SPIN_GUARD(&ep->lock);
        return find_locked(ep, f, fd) != NULL;
}

/* An item more of the user's; what ends it takes it off again. */
static err_t count_item(struct epoll *ep)
{
        if (FETCH_ADD(ep->account->epoll_items, 1) < ep->max_items)
                return OK;
        FETCH_SUB(ep->account->epoll_items, 1);
        return ERR(ENOSPC);
}

static err_t add(struct epoll *ep, struct payer *payer, struct file *f, u32 fd, struct linux_epoll_event ev)
{
        if (failed(count_item(ep)))
                return has(ep, f, fd) ? ERR(EEXIST) : ERR(ENOSPC);
        struct epoll_item *item = epoll_item_alloc(payer, MAY_RECLAIM);
        if (!item) {
                FETCH_SUB(ep->account->epoll_items, 1);
                return ERR(ENOMEM);
        }
        item->epoll = epoll_hold(ep);
        item->fd = fd;
        item->events = ev.events | ALWAYS;
        item->data = ev.data;
        err_t err = notifier_init(&item->notifier, notify);
        if (succeeded(err)) {
                epoll_item_publish(item);
                epoll_item_hold(item);          /* once tied, it may be taken off at any time */
                err = tie(ep, item, f);
                if (failed(err)) {
                        epoll_item_drop(item);
                } else {
                        struct waiter w = ev.events & EPOLLEXCLUSIVE ? notifier_waiter_alone(&item->notifier) : notifier_waiter(&item->notifier);
                        ask(ep, item, f, &w);
                }
        }
        epoll_item_drop(item);
        return err;
}

static err_t modify_locked(struct epoll *ep, struct file *f, u32 fd, struct linux_epoll_event ev, struct epoll_item **out)
{
        struct epoll_item *item = find_locked(ep, f, fd);

        if (!item)
                return ERR(ENOENT);
        if (item->events & EPOLLEXCLUSIVE)
                return ERR(EINVAL);
        STORE(item->events, ev.events | ALWAYS);
        item->data = ev.data;
        item->changes++;
        *out = epoll_item_hold(item);
        return OK;
}

static err_t modify(struct epoll *ep, struct file *f, u32 fd, struct linux_epoll_event ev)
{
        struct epoll_item *item = NULL;

        spin_lock(&ep->lock);
        err_t err = modify_locked(ep, f, fd, ev, &item);
        spin_unlock(&ep->lock);
        if (succeeded(err))
                ask(ep, item, f, NULL);
        epoll_item_drop(item);
        return err;
}

static err_t delete(struct epoll *ep, struct file *f, u32 fd)
{
        spin_lock(&state.links);
        struct epoll_item *item = find_locked(ep, f, fd);
        if (item)
                untie_locked(item);
        spin_unlock(&state.links);
        if (!item)
                return ERR(ENOENT);
        end_item(item);
        return OK;
}

static err_t check_exclusive(u32 op, struct file *target, u32 events)
{
        if ((events & EPOLLEXCLUSIVE) == 0 || op == EPOLL_CTL_DEL)
                return OK;
        return op == EPOLL_CTL_MOD || epoll_is(target) || (events & ~WITH_EXCLUSIVE) != 0 ? ERR(EINVAL) : OK;
}

err_t epoll_control(struct file *epoll, u32 op, struct file *target, u32 fd, struct linux_epoll_event ev)
{
        if (!target->ops->poll)
                return ERR(EPERM);
        if (!epoll_is(epoll) || target == epoll)
                return ERR(EINVAL);
        TRY(check_exclusive(op, target, ev.events));
        switch (op) {
        case EPOLL_CTL_ADD:
                return add(of(epoll), payer_current(), target, fd, ev);
        case EPOLL_CTL_MOD:
                return modify(of(epoll), target, fd, ev);
        case EPOLL_CTL_DEL:
                return delete(of(epoll), target, fd);
        default:
                return ERR(EINVAL);
        }
}

/* ---- epoll_wait ---- */

/* An item that a transfer is asking.  The file is counted; the item is not: the round tells that it is still this one. */
struct taken { struct epoll_item *item; struct file *file; u32 events; u64 data; u32 changes; };

/* The next item that this round has not seen; it stays in the list.  item NULL: none. */
static struct taken next_locked(struct epoll *ep, u64 round)
{
        struct epoll_item *item;

        while ((item = ep->ready.first) != NULL && item->round < round) {
                item->round = round;
                item->again = false;
                if (is_enabled(item) && file_try_hold(item->file))
                        return (struct taken){ item, item->file, item->events, item->data, item->changes };
                take_locked(ep, item);
        }
        return (struct taken){};
}

/* The file was asked; got: an event was stored.  A level-triggered one comes back at the tail. */
static void settle_locked(struct epoll *ep, const struct taken *t, u64 round, bool got)
{
        struct epoll_item *item = t->item;

        if (item->epoll != ep || item->round != round || !item->ready)
                return;                         /* taken off meanwhile */
        if (got && (t->events & EPOLLONESHOT) != 0 && item->changes == t->changes)
                STORE(item->events, item->events & OPTIONS);
        bool stays = item->again || (got && (t->events & EPOLLET) == 0);
        if (stays && is_enabled(item) && !item->next) {
                ep->moves++;                    /* the last one already */
                return;
        }
        take_locked(ep, item);
        if (stays && is_enabled(item)) {
                item->ready = true;
                ready_list_push_back(&ep->ready, item);
        }
}

/* Asks t's file and stores the event.  EFAULT: it stays at the head. */
static err_t store(const struct taken *t, u64 at, u32 n, bool *got)
{
        struct linux_epoll_event ev = { .events = file_poll(t->file, NULL) & t->events & ~OPTIONS, .data = t->data };

        *got = ev.events != 0;
        at += (u64)n * sizeof ev;
        if (!*got)
                return OK;
        if ((at & 3) == 0 && user_store32(at, ev.events) && user_store32(at + 4, (u32)ev.data) && user_store32(at + 8, (u32)(ev.data >> 32)))
                return OK;
        return user_put(at, BYTES_OF(ev));
}

/* Up to CHUNK items; *more: stopped by that.  *round: 0: begins one. */
static err_t transfer_some(struct epoll *ep, u64 *round, u64 at, u32 max, u32 *n, bool *more)
{
        struct file *held[CHUNK] = {};
        u32 count = 0;
        err_t err = OK;

        mutex_lock(&ep->transfer);
        if (*round == 0)
                *round = ++ep->rounds;
        spin_lock(&ep->lock);
        struct taken t = next_locked(ep, *round);
        while (t.item) {
                bool got = false;
                spin_unlock(&ep->lock);
                held[count++] = t.file;
                err = store(&t, at, *n, &got);
                if (!got && (t.events & EPOLLEXCLUSIVE) && succeeded(err))
                        (void)pass_on(t.item, false);   /* not back, so that it ends */
                spin_lock(&ep->lock);
                if (failed(err))
                        break;
                settle_locked(ep, &t, *round, got);
                *n += got;
                if (*n == max || count == CHUNK)
                        break;
                t = next_locked(ep, *round);
        }
        spin_unlock(&ep->lock);
        mutex_unlock(&ep->transfer);
        *more = count == CHUNK;
        /* Perhaps they are the last references: not with the lock held. */
        while (count > 0)
                file_drop(held[--count]);
        return err;
}

/* *n: how many were stored.  An error after some is dropped. */
static err_t transfer(struct epoll *ep, u64 at, u32 max, u32 *n)
{
        bool more = true;
        u64 round = 0;
        err_t err = OK;

        *n = 0;
        if (!PTR_LOAD(ep->ready.first))
                return OK;
        while (more && *n < max && succeeded(err))
                err = transfer_some(ep, &round, at, max, n, &more);
        if (PTR_LOAD(ep->ready.first) && LOAD(ep->waiting) > 0)
                waitq_wake_one(&ep->wait);      /* there is something for the next one, too */
        return *n > 0 ? OK : err;
}

static err_t wait_events(struct epoll *ep, u64 at, u32 max, u64 deadline, u32 *n)
{
        err_t slept = OK;

        WAITER(w);
        waiter_add_exclusive(&w, &ep->wait);
        for (;;) {
                TRY(transfer(ep, at, max, n));
                if (*n > 0 || err_is(slept, ETIMEDOUT))
                        return OK;
                TRY(slept);
                slept = waiter_sleep(&w, WAIT_INTERRUPTIBLE, thread_slack(deadline));
        }
}

err_t epoll_wait_events(struct file *epoll, u64 at, u32 max, u64 deadline, u32 *n)
{
        if (!epoll_is(epoll))
                return ERR(EINVAL);
        struct epoll *ep = of(epoll);

        TRY(transfer(ep, at, max, n));
        if (*n > 0 || deadline == 0)
                return OK;
        FETCH_ADD(ep->waiting, 1u);
        err_t err = wait_events(ep, at, max, deadline, n);
        FETCH_SUB(ep->waiting, 1u);
        return err;
}

/* ---- The file ---- */

#define TRIES 4u

/* Is the item's file ready, of an item that stays in the list?  ep->lock held, let go of meanwhile. */
static bool asks_ready_locked(struct epoll *ep, struct epoll_item *item)
{
        struct file *f = item->file;
        u32 events = item->events & ~OPTIONS;

        if (!events || !file_try_hold(f))
                return false;
        epoll_item_hold(item);
        spin_unlock(&ep->lock);
        bool yes = (file_poll(f, NULL) & events) != 0;
        file_drop(f);
        epoll_item_drop(item);
        spin_lock(&ep->lock);
        return yes;
}

/* Is any item ready?  Without the transfer lock, so what is moved meanwhile makes us begin again; in the end we say
 * yes, which costs the asker a look. */
static bool is_any_ready(struct epoll *ep)
{
        SPIN_GUARD(&ep->lock);
        for (u32 tries = 0; tries < TRIES; tries++) {
                u32 moves = ep->moves;
                struct epoll_item *item = ep->ready.first;
                for (; item; item = item->next) {
                        if (asks_ready_locked(ep, item))
                                return true;
                        if (ep->moves != moves)
                                break;
                }
                if (ep->moves == moves)
                        return false;
        }
        return true;
}

static u32 epoll_poll(struct file *f, struct waiter *w)
{
        struct epoll *ep = of(f);

        waiter_add(w, &ep->polled);
        return PTR_LOAD(ep->ready.first) && is_any_ready(ep) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void put_hex(struct writer *w, u64 v, u32 width)
{
        u32 digits = 1;

        while (digits < 16 && v >> (4 * digits) != 0)
                digits++;
        for (; digits < width; width--)
                writer_u8(w, ' ');
        num_write(w, v, 16, 1);
}

/* "tfd:        5 events:       19 data:                5  pos:0 ino:1 sdev:f" */
static void put_line(struct writer *w, struct epoll_item *item)
{
        struct file *f = item->file;
        u8 fd[16] = {};
        usize len = format(MBYTES_OF(fd), "{}", item->fd);

        writer_put(w, STR("tfd: "));
        for (; len < 8; len++)
                writer_u8(w, ' ');
        num_write(w, item->fd, 10, 1);
        writer_put(w, STR(" events: "));
        put_hex(w, item->events, 8);
        writer_put(w, STR(" data: "));
        put_hex(w, item->data, 16);
        writer_put(w, STR("  pos:"));
        num_write(w, f->pos, 10, 1);
        writer_put(w, STR(" ino:"));
        put_hex(w, f->inode->ino, 1);
        writer_put(w, STR(" sdev:"));
        put_hex(w, f->inode->sb->dev, 1);
        writer_u8(w, '\n');
}

/* As many whole lines as fit. */
static usize epoll_fdinfo(struct file *f, mbytes out)
{
        struct epoll *ep = of(f);
        struct writer w = writer_of(out);
        usize whole = 0;

        SPIN_GUARD(&state.links);
        for (struct epoll_item *item = item_tree_first(&ep->items); item && !w.full; item = item_tree_next(item)) {
                put_line(&w, item);
                if (!w.full)
                        whole = w.at;
        }
        return whole;
}

static const struct file_ops epoll_ops = {
        .poll = epoll_poll, .llseek = generic_noop_llseek, .show_fdinfo = epoll_fdinfo, .flags = FOPS_STREAM | FOPS_NOLOCK,
};

static void epoll_file_fini(struct epoll_file *ef)
{
        struct epoll *ep = ef->epoll;

        while (ep) {
                spin_lock(&state.links);
                ep->file = NULL;
                struct epoll_item *item = item_tree_first(&ep->items);
                if (item)
                        untie_locked(item);
                spin_unlock(&state.links);
                if (!item)
                        break;
                end_item(item);
        }
        epoll_drop(ep);
        file_fini(&ef->base);
}
POOL_DEFINE(epoll_file, epoll_file_fini);

static err_t fill(struct epoll_file *ef, const struct actor *who)
{
        ef->epoll = epoll_alloc(who->payer, MAY_RECLAIM);
        if (!ef->epoll)
                return ERR(ENOMEM);
        ef->epoll->account = account_hold(thread_current()->account);
        ef->epoll->max_items = (u32)min_u64(mem_stats().total / 25 * PAGE_SIZE / ITEM_COST, MAX_ITEMS);
        lock_init(&ef->epoll->transfer, epoll);
        lock_init(&ef->epoll->lock, epoll_ready);
        ef->epoll->file = &ef->base;
        epoll_publish(ef->epoll);
        return file_init_anon(&ef->base, &epoll_ops, who->cred, O_RDWR, STR("anon_inode:[eventpoll]"));
}

err_t epoll_new(const struct actor *who, struct file **out)
{
        struct epoll_file *ef = epoll_file_alloc(who->payer, MAY_RECLAIM);

        if (!ef)
                return ERR(ENOMEM);
        err_t err = fill(ef, who);
        if (failed(err)) {
                epoll_file_drop(ef);
                return err;
        }
        epoll_file_publish(ef);
        *out = &ef->base;
        return OK;
}
