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

/* Where a part begins and how far it got. */
struct place { u32 line, nr; };                 /* lines before it, numbers given so far; a line that waits has none of its own */

static u64 packed(const struct place *p) { return (u64)p->nr << 32 | p->line; }

/* The part is full, or nobody waits for it any more. */
static bool is_over(const struct text *t) { return t->failed || t->len >= TEXT_PART_LONG || (task_interrupts() & INTR_KILL); }

/* Those of an inode, but for the first *skip of all that follow. */
static void say_locks(struct text *t, struct inode *inode, struct place *at, u32 *skip)
{
        struct lock_list list = {};
        u32 from = *skip;

        for (; !is_over(t) && (locks_list(inode, from, &list), list.n); from += list.n) {
                for (u32 i = 0; i < list.n; i++) {
                        at->line++;
                        at->nr += !list.lock[i].waits;
                        say_lock(t, at->nr, &list.lock[i], inode);
                }
        }
        *skip -= min_u32(*skip, list.passed);
}

err_t proc_show_locks(struct text *t, const struct subject *s, u64 *at)
{
        struct place p = { (u32)*at, (u32)(*at >> 32) };
        struct superblock *sb = superblock_next(NULL);
        u32 skip = p.line;

        (void)s;
        for (; sb && !is_over(t); sb = superblock_next(sb)) {
                struct inode *i = locks_next_inode(sb, NULL);
                for (; i && !is_over(t); i = locks_next_inode(sb, i))
                        say_locks(t, i, &p, &skip);
                inode_drop(i);
        }
        superblock_drop(sb);
        *at = packed(&p);
        return OK;
}

void proc_say_file_locks(struct text *t, struct file *f, struct files *files)
{
        struct lock_list list = {};
        u32 nr = 0;

        for (u32 from = 0; !is_over(t) && (locks_list(f->inode, from, &list), list.n); from += list.n) {
                for (u32 i = 0; i < list.n; i++) {
                        const struct lock_info *l = &list.lock[i];
                        if (l->waits || l->via != f || (l->files && l->files != files))
                                continue;
                        text_add(t, STR("lock:\t"));
                        say_lock(t, ++nr, l, f->inode);
                }
        }
}
