/* SPDX-License-Identifier: Apache-2.0
 *
 * A pipe's ring of frames.
 */
#include "services/pipe/pipe_impl.h"
#include "services/security/cred.h"

LOCK_CLASS_DECLARE(file_pos);
LOCK_CLASS_DECLARE(inode);
LOCK_CLASS(pipe, AFTER2(file_pos, inode));      /* under the inode's: opening a FIFO */

static void pipe_parts_fini(struct pipe_parts *all)
{
        for (u32 i = 0; i < PIPE_MAX / PIPE_PART && all->part[i]; i++)
                pipe_slots_drop(all->part[i]);
}

static void slots_free(struct pipe_slots *more, struct pipe_parts *parts)
{
        if (parts)
                pipe_parts_drop(parts);
        else
                pipe_slots_drop(more);
}

static void pipe_fini(struct pipe *p)
{
        pipe_clear_locked(p);
        slots_free(p->more, p->parts);
        if (p->account)
                FETCH_SUB(p->account->pipe_pages, p->size);
        account_drop(p->account);
}
POOL_DEFINE(pipe, pipe_fini);
POOL_DEFINE(pipe_slots, NO_FINI);
POOL_DEFINE(pipe_parts, pipe_parts_fini);

static bool is_limited(void) { return !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN); }

/* Is that more than the limit?  The caller has counted it. */
static bool exceeds(const struct account *a, bool hard)
{
        u64 limit = pipe_user_pages(hard);

        return limit && LOAD(a->pipe_pages) > limit && is_limited();
}

/* Counts a new pipe's slots; 0: it may not be. */
static u32 take_slots(struct account *a)
{
        u32 slots = PIPE_DEFAULT;

        if (slots * (u32)PAGE_SIZE > pipe_max_size() && !capable(CAP_SYS_RESOURCE))
                slots = pipe_max_size() / (u32)PAGE_SIZE;
        FETCH_ADD(a->pipe_pages, slots);
        if (slots > PIPE_SMALL && exceeds(a, false)) {
                FETCH_SUB(a->pipe_pages, slots - PIPE_SMALL);
                slots = PIPE_SMALL;
        }
        if (!exceeds(a, true))
                return slots;
        FETCH_SUB(a->pipe_pages, slots);
        return 0;
}

err_t pipe_make(struct payer *payer, struct pipe **out)
{
        struct pipe *p = pipe_alloc(payer, MAY_RECLAIM);

        if (!p)
                return ERR(ENOMEM);
        p->account = account_hold(thread_current()->account);
        p->size = take_slots(p->account);
        lock_init(&p->lock, pipe);
        async_init(&p->tell_readers, 0);
        async_init(&p->tell_writers, 1);
        pipe_publish(p);
        if (p->size == 0) {
                pipe_drop(p);
                return ERR(ENFILE);
        }
        *out = p;
        return OK;
}

static struct pipe_slot *slot_of(struct pipe_slots *more, struct pipe_parts *parts, u32 i)
{
        return parts ? &parts->part[i / PIPE_PART]->slot[i % PIPE_PART] : &more->slot[i];
}

struct pipe_slot *pipe_slot_at(struct pipe *p, u32 i)
{
        i &= p->size - 1;
        return p->more ? slot_of(p->more, p->parts, i) : &p->few[i];
}

struct frame *pipe_take_frame(struct pipe *p)
{
        for (u32 i = 0; i < PIPE_SPARE; i++) {
                struct frame *f = p->spare[i];
                if (f) {
                        p->spare[i] = NULL;
                        return f;
                }
        }
        return frame_alloc(payer_current(), FRAME_FILL);
}

void pipe_give_frame(struct pipe *p, struct frame *f)
{
        if (frame_refs(f) == 1) {
                for (u32 i = 0; i < PIPE_SPARE; i++) {
                        if (!p->spare[i]) {
                                p->spare[i] = f;
                                return;
                        }
                }
        }
        frame_drop(f);
}

void pipe_clear_locked(struct pipe *p)
{
        for (u32 i = p->tail; i != p->head; i++)
                frame_drop(pipe_slot_at(p, i)->frame);
        STORE(p->tail, p->head);
        for (u32 i = 0; i < PIPE_SPARE; i++) {
                frame_drop(p->spare[i]);
                p->spare[i] = NULL;
        }
}

/* Room for `size` slots: more than PIPE_DEFAULT. */
static err_t slots_new(struct payer *payer, u32 size, struct pipe_slots **more, struct pipe_parts **parts)
{
        *parts = NULL;
        if (size <= PIPE_PART) {
                *more = pipe_slots_alloc(payer, MAY_RECLAIM);
                return *more ? OK : ERR(ENOMEM);
        }
        struct pipe_parts *all = size <= PIPE_MAX ? pipe_parts_alloc(payer, MAY_RECLAIM) : NULL;
        if (!all)
                return ERR(ENOMEM);
        for (u32 i = 0; i < size / PIPE_PART; i++) {
                all->part[i] = pipe_slots_alloc(payer, MAY_RECLAIM);
                if (!all->part[i]) {
                        pipe_parts_drop(all);
                        return ERR(ENOMEM);
                }
        }
        *more = all->part[0];
        *parts = all;
        return OK;
}

static err_t resize_locked(struct pipe *p, struct payer *payer, u32 size)
{
        u32 used = p->head - p->tail;
        struct pipe_slots *new = NULL;
        struct pipe_parts *parts = NULL;

        if (used > size || p->draining)
                return ERR(EBUSY);
        if (size > PIPE_DEFAULT) {
                TRY(slots_new(payer, size, &new, &parts));
                for (u32 i = 0; i < used; i++)
                        *slot_of(new, parts, i) = *pipe_slot_at(p, p->tail + i);
        } else {
                struct pipe_slot kept[PIPE_DEFAULT] = { };
                for (u32 i = 0; i < used; i++)
                        kept[i] = *pipe_slot_at(p, p->tail + i);
                for (u32 i = 0; i < used; i++)
                        p->few[i] = kept[i];
        }
        slots_free(p->more, p->parts);
        p->more = new;
        p->parts = parts;
        STORE(p->tail, 0);
        STORE(p->head, used);
        STORE(p->size, size);
        return OK;
}

err_t pipe_resize_locked(struct pipe *p, struct payer *payer, u32 size)
{
        u32 had = p->size, more = size > had ? size - had : 0;

        FETCH_ADD(p->account->pipe_pages, more);
        bool too_many = more > 0 && (exceeds(p->account, true) || exceeds(p->account, false));
        err_t err = too_many ? ERR(EPERM) : resize_locked(p, payer, size);
        if (failed(err))
                FETCH_SUB(p->account->pipe_pages, more);
        else if (size < had)
                FETCH_SUB(p->account->pipe_pages, had - size);
        return err;
}
