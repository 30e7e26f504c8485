/* SPDX-License-Identifier: Apache-2.0
 *
 * File locks as /proc/locks and /proc/PID/fdinfo show them: proc(5).
 */
#include "services/procfs/tree.h"
#include "services/vfs/locks.h"
#include "services/vfs/registry.h"

static bytes kind_of(const struct lock_info *l)
{
        switch (l->kind) {
        case LOCK_WHOLE: return STR("FLOCK  ADVISORY ");
        case LOCK_POSIX: return STR("POSIX  ADVISORY ");
        case LOCK_OFD:   return STR("OFDLCK ADVISORY ");
        default:         return l->breaking ? STR("LEASE  BREAKING ") : STR("LEASE  ACTIVE   ");
        }
}

static void say_lock(struct text *t, u32 nr, const struct lock_info *l, const struct inode *inode)
{
        SAY(t, "{}: {}{} {} {} ", nr, l->waits ? STR("-> ") : NO_BYTES, kind_of(l),
            l->type == F_WRLCK ? STR("WRITE") : l->type == F_RDLCK ? STR("READ") : STR("UNLCK"),
            l->kind == LOCK_OFD ? -1 : (i64)l->pid);
        text_hex(t, dev_major(inode->sb->dev), 2);
        text_char(t, ':');
        text_hex(t, dev_minor(inode->sb->dev), 2);
        SAY(t, ":{} {} ", inode->ino, l->start);
        if (l->end == LOCK_TO_THE_END)
                text_add(t, STR("EOF\n"));
        else
                SAY(t, "{}\n", l->end);
}

/* The text is full, or nobody waits for it any more. */
static bool is_over(const struct text *t) { return t->failed || (task_interrupts() & INTR_KILL); }

/* Those of an inode, numbered on from *nr. */
static void say_locks(struct text *t, struct inode *inode, u32 *nr)
{
        struct lock_list list = {};

        for (u32 from = 0; !is_over(t) && (locks_list(inode, from, &list), list.n); from += list.n) {
                for (u32 i = 0; i < list.n; i++) {
                        *nr += !list.lock[i].waits;
                        say_lock(t, *nr, &list.lock[i], inode);
                }
        }
}

err_t proc_show_locks(struct text *t, const struct subject *s)
{
        u32 nr = 0;

        (void)s;
        for (struct superblock *sb = superblock_next(NULL); sb; sb = superblock_next(sb))
                for (struct inode *i = locks_next_inode(sb, NULL); i; i = locks_next_inode(sb, i))
                        say_locks(t, i, &nr);
        return OK;
}

void proc_say_file_locks(struct text *t, struct file *f, struct files *files)
{
        struct lock_list list = {};
        u32 nr = 0;

        for (u32 from = 0; locks_list(f->inode, from, &list), list.n; from += list.n) {
                for (u32 i = 0; i < list.n; i++) {
                        const struct lock_info *l = &list.lock[i];
                        if (l->waits || l->via != f || (l->files && l->files != files))
                                continue;
                        text_add(t, STR("lock:\t"));
                        say_lock(t, ++nr, l, f->inode);
                }
        }
}
