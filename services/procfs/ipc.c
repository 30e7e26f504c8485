/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/sysvipc, and the limits of System V IPC in /proc/sys/kernel.
 */
#include "services/procfs/ipc.h"
#include "services/ipc/ipc.h"
#include "services/security/cred.h"
#include "lib/num.h"

/* ---- /proc/sysvipc ---- */

static void number_signed(struct text *t, i64 v, u32 width)
{
        if (v >= 0) {
                text_number(t, (u64)v, width);
                return;
        }
        u32 digits = 1;
        for (u64 n = (u64)-v; n >= 10; n /= 10)
                digits++;
        for (u32 i = digits + 1; i < width; i++)
                text_char(t, ' ');
        text_char(t, '-');
        text_number(t, (u64)-v, 1);
}

static void number(struct text *t, u64 v, u32 width)
{
        text_char(t, ' ');
        text_number(t, v, width);
}

/* The mode, in octal. */
static void mode(struct text *t, u32 v, u32 width)
{
        u64 digits = 0, scale = 1;

        for (u32 n = v; n; n >>= 3, scale *= 10)
                digits += scale * (n & 7);
        text_char(t, ' ');
        text_number(t, digits, width);
}

static void key_and_id(struct text *t, const struct linux_ipc_perm *p, i32 id)
{
        number_signed(t, p->key, 10);
        number(t, (u64)id, 10);
        mode(t, p->mode, 5);
}

static void owners(struct text *t, const struct linux_ipc_perm *p)
{
        number(t, p->uid, 5);
        number(t, p->gid, 5);
        number(t, p->cuid, 5);
        number(t, p->cgid, 5);
}

/* The heading, if this is the first part; at which object the part begins. */
static u32 begin_part(struct text *t, u64 *at, bytes heading)
{
        if (*at == 0) {
                text_add(t, heading);
                *at = 1;
        }
        return (u32)(*at - 1);
}

static err_t show_shm(struct text *t, const struct subject *s, u64 *at)
{
        struct shm_info i;

        (void)s;
        u32 from = begin_part(t, at, STR("       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
                                        "      atime      dtime      ctime                   rss                  swap\n"));
        while (t->len < TEXT_PART_ENOUGH && shm_next(ipc_ns_current(), &from, &i)) {
                *at = from + 1;
                key_and_id(t, &i.ds.shm_perm, i.id);
                number(t, i.ds.shm_segsz, 21);
                number(t, (u64)i.ds.shm_cpid, 5);
                number(t, (u64)i.ds.shm_lpid, 5);
                number(t, i.ds.shm_nattch, 6);
                owners(t, &i.ds.shm_perm);
                number(t, (u64)i.ds.shm_atime, 10);
                number(t, (u64)i.ds.shm_dtime, 10);
                number(t, (u64)i.ds.shm_ctime, 10);
                number(t, i.rss, 21);
                number(t, 0, 21);
                text_char(t, '\n');
        }
        return OK;
}

static err_t show_msg(struct text *t, const struct subject *s, u64 *at)
{
        struct msg_info i;

        (void)s;
        u32 from = begin_part(t, at, STR("       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
                                        "      stime      rtime      ctime\n"));
        while (t->len < TEXT_PART_ENOUGH && msg_next(ipc_ns_current(), &from, &i)) {
                *at = from + 1;
                key_and_id(t, &i.ds.msg_perm, i.id);
                text_char(t, ' ');
                number(t, i.ds.msg_cbytes, 10);
                number(t, i.ds.msg_qnum, 10);
                number(t, (u64)i.ds.msg_lspid, 5);
                number(t, (u64)i.ds.msg_lrpid, 5);
                owners(t, &i.ds.msg_perm);
                number(t, (u64)i.ds.msg_stime, 10);
                number(t, (u64)i.ds.msg_rtime, 10);
                number(t, (u64)i.ds.msg_ctime, 10);
                text_char(t, '\n');
        }
        return OK;
}

static err_t show_sem(struct text *t, const struct subject *s, u64 *at)
{
        struct sem_info i;

        (void)s;
        u32 from = begin_part(t, at, STR("       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"));
        while (t->len < TEXT_PART_ENOUGH && sem_next(ipc_ns_current(), &from, &i)) {
                *at = from + 1;
                key_and_id(t, &i.ds.sem_perm, i.id);
                number(t, i.ds.sem_nsems, 10);
                owners(t, &i.ds.sem_perm);
                number(t, (u64)i.ds.sem_otime, 10);
                number(t, (u64)i.ds.sem_ctime, 10);
                text_char(t, '\n');
        }
        return OK;
}

const struct proc_dir proc_sysvipc_dir = { .entry = {
        { .name = "msg", .mode = 0444, .part = show_msg },
        { .name = "sem", .mode = 0444, .part = show_sem },
        { .name = "shm", .mode = 0444, .part = show_shm },
} };

/* ---- /proc/sys/kernel ---- */

static struct ipc_limits limits(void) { return *ipc_limits_of(ipc_ns_current()); }

static err_t say(struct text *t, u64 v)
{
        SAY(t, "{}\n", v);
        return OK;
}

#define LIMIT(NAME, TYPE, MAX) \
err_t proc_show_##NAME(struct text *t, const struct subject *s)  { (void)s; return say(t, limits().NAME); } \
err_t proc_write_##NAME(bytes text, const struct subject *s) \
{ \
        bool minus = false; \
        u64 v = 0; \
        (void)s; \
        if (!text_parse_setting(text, &minus, &v) || minus || v > (MAX)) \
                return ERR(EINVAL); \
        STORE(ipc_limits_of(ipc_ns_current())->NAME, (TYPE)v); \
        shm_forced(ipc_ns_current()); \
        return OK; \
}
IPC_LIMITS(LIMIT)

err_t proc_show_sem(struct text *t, const struct subject *s)
{
        struct ipc_limits l = limits();

        (void)s;
        SAY(t, "{}\t{}\t{}\t{}\n", l.semmsl, l.semmns, l.semopm, l.semmni);
        return OK;
}

err_t proc_write_sem(bytes text, const struct subject *s)
{
        struct ipc_limits *l = ipc_limits_of(ipc_ns_current());
        struct text_four f = { { l->semmsl, l->semmns, l->semopm, l->semmni } };

        (void)s;
        if (!text_parse_four(text, &f) || f.v[3] > 32768)
                return ERR(EINVAL);
        STORE(l->semmsl, f.v[0]);
        STORE(l->semmns, f.v[1]);
        STORE(l->semopm, f.v[2]);
        STORE(l->semmni, f.v[3]);
        return OK;
}

#define NEXT_ID(NAME, WHAT) \
err_t proc_show_##NAME(struct text *t, const struct subject *s)  { (void)s; SAY(t, "{}\n", ipc_next_id(ipc_ns_current(), WHAT)); return OK; } \
err_t proc_write_##NAME(bytes text, const struct subject *s) \
{ \
        bool minus = false; \
        u64 v = 0; \
        (void)s; \
        if (!text_parse_setting(text, &minus, &v) || minus || v > I32_MAX) \
                return ERR(EINVAL); \
        ipc_set_next_id(ipc_ns_current(), WHAT, (u32)v); \
        return OK; \
}
NEXT_ID(shm_next_id, IPC_SHM)
NEXT_ID(msg_next_id, IPC_MSG)
NEXT_ID(sem_next_id, IPC_SEM)

/* ---- /proc/sys/fs/mqueue ---- */

#define MQ_LIMITS(X) \
        X(msg_default, 1, 65536) X(msg_max, 1, 65536) X(msgsize_default, 128, 16777216) X(msgsize_max, 128, 16777216) \
        X(queues_max, 0, I32_MAX)

#define MQ_LIMIT(NAME, LEAST, MOST) \
static err_t show_mq_##NAME(struct text *t, const struct subject *s)  { (void)s; return say(t, limits().mq_##NAME); } \
static err_t write_mq_##NAME(bytes text, const struct subject *s) \
{ \
        bool minus = false; \
        u64 v = 0; \
        (void)s; \
        if (!text_parse_setting(text, &minus, &v) || minus || (i64)v < (LEAST) || v > (MOST)) \
                return ERR(EINVAL); \
        STORE(ipc_limits_of(ipc_ns_current())->mq_##NAME, (u32)v); \
        return OK; \
}
MQ_LIMITS(MQ_LIMIT)

#define MQ_ENTRY(NAME, LEAST, MOST) { .name = #NAME, .mode = 0644, .show = show_mq_##NAME, .write = write_mq_##NAME },
const struct proc_dir proc_mqueue_dir = { .entry = { MQ_LIMITS(MQ_ENTRY) } };
