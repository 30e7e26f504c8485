/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing the vDSO's data page.
 *
 * Locking    lock (spin, a leaf): one writer.  Readers are user programs: they read `seq`,
 *            the data, and `seq` again, and begin anew if it was odd or has changed.
 */
#include "services/time/vvar.h"

LOCK_CLASS_DECLARE(timekeeper);
LOCK_CLASS(vvar, AFTER(timekeeper));

OBJECT(vvar) {
        struct spinlock lock;
        u32 seq;                        /* lock; even at rest */
        struct frame *frame;            /* counted; fixed */
};

static void vvar_fini(struct vvar *v) { frame_drop(v->frame); }

POOL_DEFINE(vvar, vvar_fini);

struct vvar *vvar_new(void)
{
        struct vvar *v = vvar_alloc(NULL, MAY_RECLAIM);
        if (!v)
                return NULL;
        v->frame = frame_alloc(NULL, FRAME_ZERO);
        if (!v->frame) {
                vvar_drop(v);
                return NULL;
        }
        lock_init(&v->lock, vvar);
        vvar_publish(v);
        return v;
}

struct frame *vvar_frame(struct vvar *v) { return v->frame; }

static void set_seq(struct vvar *v, u32 seq)
{
        v->seq = seq;
        frame_write(v->frame, 0, BYTES_OF(seq));
        memory_barrier();
}

#define LEAF_EXT1_EDX_RDTSCP (1u << 27)

static u32 flags_of(struct clock_params clock)
{
        u32 flags = clock.user_readable ? VVAR_TSC : 0;
        return cpu_info(0).ext1_edx & LEAF_EXT1_EDX_RDTSCP ? flags | VVAR_RDTSCP : flags;
}

void vvar_update(struct vvar *v, struct clock_params clock, struct vvar_offsets o)
{
        struct vvar_data d = { .flags = flags_of(clock), .base_tsc = clock.base_tsc, .base_ns = clock.base_ns,
                .mult = clock.mult, .shift = clock.shift, .realtime_offset = o.realtime,
                .monotonic_offset = o.monotonic, .tai_offset = o.tai, .minuteswest = o.minuteswest,
                .dsttime = o.dsttime, .slew_base = o.slew_base, .slew_rate = o.slew_rate };
        if (!v)
                return;
        SPIN_GUARD(&v->lock);
        u32 seq = v->seq;
        set_seq(v, seq + 1);
        frame_write(v->frame, sizeof seq, bytes_skip(BYTES_OF(d), sizeof seq));
        memory_barrier();
        set_seq(v, seq + 2);
}
