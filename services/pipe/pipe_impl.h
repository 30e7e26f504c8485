/* SPDX-License-Identifier: Apache-2.0
 *
 * A pipe's inside.
 */
#pragma once
#include "services/pipe/pipe.h"
#include "services/process/account.h"

#define PIPE_DEFAULT 16u                /* slots */
#define PIPE_PART    256u               /* slots in one piece: 1 MiB, pipe-max-size at first */
#define PIPE_MAX     (1u << 16)         /* 256 MiB, as on Linux: for who may have more than pipe-max-size */
#define PIPE_ASK_MAX (1u << 19)         /* 2 GiB: what can be asked for */
#define PIPE_SMALL   2u                 /* slots of a new pipe of who has too many pages */
#define PIPE_SPARE   2u

struct pipe_slot {
        struct frame *frame;            /* counted */
        u16 off, len;                   /* bytes in it that are to be read */
        u32 packet;                     /* not 0: one write's bytes, read whole or cut */
};
OBJECT(pipe_slots) { struct pipe_slot slot[PIPE_PART]; };
POOL_DECLARE(pipe_slots)
OBJECT(pipe_parts) { struct pipe_slots *part[PIPE_MAX / PIPE_PART]; };          /* owned; NULL behind the last */
POOL_DECLARE(pipe_parts)

OBJECT(pipe) {
        struct mutex lock;
        struct account *account;        /* counted; fixed: whose pipe_pages has `size` */
        u32 size;                       /* slots: a power of two; lock */
        u32 head, tail;                 /* slots [tail, head) hold bytes; written under lock, LOAD by poll */
        u32 readers, writers;           /* open ends; written under lock, LOAD by poll */
        bool draining;                  /* the first slot is being moved elsewhere: nobody reads meanwhile (splice.c); lock */
        bool polled;                    /* somebody polls or has: each write is an edge for epoll; LOAD */
        u32 reader_opens, writer_opens; /* how often one was opened; lock */
        struct frame *spare[PIPE_SPARE];        /* counted; lock */
        struct waitq readable, writable;        /* slept on under lock, and polled */
        struct waitq opened;
        struct async_list tell_readers, tell_writers;   /* O_ASYNC; sides 0 and 1 */
        struct pipe_slots *more;        /* the slots, or the first of them, if size > PIPE_DEFAULT; owned if there are no parts */
        struct pipe_parts *parts;       /* owned: all of them if size > PIPE_PART */
        struct pipe_slot few[PIPE_DEFAULT];
};
POOL_DECLARE(pipe)

OBJECT(pipe_file) {
        struct file base;
        struct pipe *pipe;              /* counted; fixed */
        u32 other_seen;                 /* FIFO: the other side's opens when this was opened (one less if it was open) */
        bool fifo;
};
POOL_DECLARE(pipe_file)
DOWNCASTABLE(pipe_file, file);

/* *out: count 1.  ENOMEM; ENFILE: the user has too many pages in pipes. */
err_t pipe_make(struct payer *payer, struct pipe **out);
struct pipe_slot *pipe_slot_at(struct pipe *p, u32 i);
static inline bool pipe_is_full(const struct pipe *p)  { return LOAD(p->head) - LOAD(p->tail) >= LOAD(p->size); }
static inline bool pipe_is_empty(const struct pipe *p) { return LOAD(p->head) == LOAD(p->tail); }
/* REQUIRES(p->lock) */
struct frame *pipe_take_frame(struct pipe *p);           /* a spare one or new; NULL: no memory */
void  pipe_give_frame(struct pipe *p, struct frame *f);  /* kept as a spare, or dropped */
err_t pipe_resize_locked(struct pipe *p, struct payer *payer, u32 size);        /* EBUSY, EPERM, ENOMEM */
void  pipe_clear_locked(struct pipe *p);

extern const struct file_ops pipe_ops, fifo_ops;
/* A new end on a place; the pipe's count of its side is raised. */
err_t pipe_file_new(const struct actor *who, struct pipe *p, const struct path *at, u32 flags, struct pipe_file **out);
