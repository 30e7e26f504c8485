/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces as files: /proc/PID/ns, and what setns(2) takes.  namespaces(7), ioctl_ns(2).
 *
 * Following a link of /proc/PID/ns leads to an inode of a file system of its own, whose number is the namespace's: two
 * files of one namespace have the same st_dev and st_ino.  There is one inode per file; it counts what it stands for.
 *
 * File-scope state   `nsfs` (reviewed list): that file system.
 */
#include "services/procfs/ns.h"
#include "services/procfs/procfs.h"
#include "services/ipc/ipc.h"
#include "services/net/socket/net_ns.h"
#include "services/vfs/anon.h"
#include "services/vfs/mount.h"
#include "services/vm/vm.h"
#include "abi/const/process.h"

STABLE(nsfs) { struct superblock *sb; struct mount *mnt; };      /* counted */
static struct nsfs nsfs;

enum ns_kind { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_PID_FOR_CHILDREN, NS_TIME, NS_USER, NS_UTS };
STABLE(ns_name) { u8 text[8]; u32 flag; };
static const struct ns_name names[] = {
        [NS_CGROUP] = { "cgroup", CLONE_NEWCGROUP }, [NS_IPC] = { "ipc", CLONE_NEWIPC }, [NS_MNT] = { "mnt", CLONE_NEWNS },
        [NS_NET] = { "net", CLONE_NEWNET }, [NS_PID] = { "pid", CLONE_NEWPID }, [NS_PID_FOR_CHILDREN] = { "pid", CLONE_NEWPID },
        [NS_TIME] = { "time", CLONE_NEWTIME }, [NS_USER] = { "user", CLONE_NEWUSER }, [NS_UTS] = { "uts", CLONE_NEWUTS },
};

OBJECT(ns_inode) {
        struct inode base;
        enum ns_kind kind;              /* fixed */
        struct ns_change of;            /* the one of this kind, counted (none: there is but one of the kind); fixed */
};
POOL_DECLARE(ns_inode)
DOWNCASTABLE(ns_inode, inode);

static void ns_inode_fini(struct ns_inode *i)
{
        mnt_ns_drop(i->of.mnt);
        uts_ns_drop(i->of.uts);
        net_ns_drop(i->of.net);
        pid_ns_drop(i->of.pid_for_children);
        user_ns_drop(i->of.user);
        inode_fini(&i->base);
}
POOL_DEFINE(ns_inode, ns_inode_fini);

/* 0: none. */
static u64 number_of(const struct ns_set *ns, enum ns_kind kind)
{
        switch (kind) {
        case NS_CGROUP:           return NS_INUM_CGROUP;        /* of these there is but one */
        case NS_IPC:              return NS_INUM_IPC;
        case NS_TIME:             return NS_INUM_TIME;
        case NS_MNT:              return ns->mnt ? ns->mnt->inum : 0;
        case NS_NET:              return ns->net ? ns->net->inum : 0;
        case NS_PID:              return pid_ns_inum(ns->pid);
        case NS_PID_FOR_CHILDREN: return pid_ns_inum(ns->pid_for_children);
        case NS_USER:             return ns->user->inum;
        case NS_UTS:              return ns->uts->inum;
        }
        return 0;
}

/* The namespaces of the subject, counted.  EACCES, ENOENT: it has none any more. */
static err_t set_of(const struct subject *s, struct ns_set **out)
{
        if (!process_may_trace(s->process, false))
                return ERR(EACCES);
        struct thread *who = subject_thread(s);
        if (who) {
                SPIN_GUARD(&who->process->lock);
                *out = who->ns ? ns_set_hold(who->ns) : NULL;
        }
        thread_drop(who);
        return *out ? OK : ERR(ENOENT);
}

static usize say_name(mbytes out, enum ns_kind kind, u64 number) { return format(out, "{}:[{}]", padded(BYTES_OF(names[kind].text)), number); }

static err_t link_ns(mbytes buf, usize *len, const struct subject *s, enum ns_kind kind)
{
        struct ns_set *ns = NULL;

        TRY(set_of(s, &ns));
        u64 number = number_of(ns, kind);
        ns_set_drop(ns);
        if (!number)
                return ERR(ENOENT);
        *len = say_name(buf, kind, number);
        return OK;
}

/* ---- Files ---- */

static const struct inode_ops ns_inode_ops;
static const struct file_ops ns_file_ops;

static void hold_kind(struct ns_inode *i, const struct ns_set *ns)
{
        switch (i->kind) {
        case NS_MNT:              i->of.mnt = mnt_ns_hold(ns->mnt); break;
        case NS_UTS:              i->of.uts = uts_ns_hold(ns->uts); break;
        case NS_NET:              i->of.net = net_ns_hold(ns->net); break;
        case NS_USER:             i->of.user = user_ns_hold(ns->user); break;
        case NS_PID:              i->of.pid_for_children = pid_ns_hold(ns->pid); break;
        case NS_PID_FOR_CHILDREN: i->of.pid_for_children = pid_ns_hold(ns->pid_for_children); break;
        case NS_CGROUP:
        case NS_IPC:
        case NS_TIME:             break;
        }
}

/* A place that stands for one of the namespaces, counted. */
static err_t make_place(const struct ns_set *ns, enum ns_kind kind, struct path *out)
{
        u64 number = number_of(ns, kind);
        u8 name[32] = {};

        if (!number)
                return ERR(ENOENT);
        struct ns_inode *i = ns_inode_alloc(payer_current(), MAY_RECLAIM);
        if (!i)
                return ERR(ENOMEM);
        struct inode_init init = { .ops = &ns_inode_ops, .fops = &ns_file_ops, .sb = nsfs.sb, .ino = number, .mode = S_IFREG | 0444 };
        inode_init(&i->base, &init);
        i->base.flags |= INODE_IMMUTABLE;
        i->kind = kind;
        hold_kind(i, ns);
        ns_inode_publish(i);
        usize n = say_name(MBYTES_OF(name), kind, number);
        struct dentry *d = dentry_new_anon(nsfs.sb, bytes_take(BYTES_OF(name), n), &i->base);
        if (!d)
                return ERR(ENOMEM);
        *out = (struct path){ .mnt = mount_hold(nsfs.mnt), .dentry = d };
        return OK;
}

static err_t follow_ns(struct path *out, const struct subject *s, enum ns_kind kind)
{
        struct ns_set *ns = NULL;

        TRY(set_of(s, &ns));
        err_t err = make_place(ns, kind, out);
        ns_set_drop(ns);
        return err;
}

/* NS_GET_USERNS: a descriptor of the user namespace to which this one belongs: there is but the first. */
static err_t open_user(u64 *result)
{
        struct actor who = actor_current();
        struct file *f = NULL;
        struct path p = {};
        u32 fd = 0;

        TRY(files_reserve(who.files, FD_CLOEXEC, 0, rlimit_get(who.process, RLIMIT_NOFILE), &fd));
        err_t err = make_place(who.ns, NS_USER, &p);
        if (succeeded(err))
                err = vfs_open_path(&who, &p, O_RDONLY, &f);
        path_drop(&p);
        if (failed(err)) {
                files_unreserve(who.files, fd);
                return err;
        }
        files_set(who.files, fd, f);
        *result = fd;
        return OK;
}

static err_t ns_ioctl(struct file *f, u32 cmd, u64 arg, u64 *result)
{
        struct ns_inode *i = DOWNCAST(ns_inode, f->inode);
        bool is_user = i->kind == NS_USER, has_parent = is_user || i->kind == NS_PID || i->kind == NS_PID_FOR_CHILDREN;

        switch (cmd) {
        case NS_GET_USERNS:
                return is_user ? ERR(EPERM) : open_user(result);
        case NS_GET_PARENT:             /* outside of what the caller may see: there are only first ones */
                return has_parent ? ERR(EPERM) : ERR(EINVAL);
        case NS_GET_NSTYPE:
                *result = names[i->kind].flag;
                return OK;
        case NS_GET_OWNER_UID:
                return is_user ? VM_PUT(arg, i->of.user->owner) : ERR(EINVAL);
        default:
                return ERR(ENOTTY);
        }
}

static const struct file_ops ns_file_ops = { .ioctl = ns_ioctl, .llseek = generic_no_llseek, .fsync = file_no_fsync,
                                             .flags = FOPS_NO_SPLICE_IN | FOPS_NO_SPLICE_OUT | FOPS_NO_EXEC };

u32 procfs_namespace(struct file *f, struct ns_change *out)
{
        if (!f->inode || !IS_A(ns_inode, f->inode))
                return 0;
        struct ns_inode *i = DOWNCAST(ns_inode, f->inode);
        *out = i->of;
        return names[i->kind].flag;
}

/* ---- The directory ---- */

#define NS_LINK(KIND, WORD) \
static err_t link_##WORD(mbytes b, usize *n, const struct subject *s) { return link_ns(b, n, s, KIND); } \
static err_t follow_##WORD(struct path *out, const struct subject *s) { return follow_ns(out, s, KIND); }
NS_LINK(NS_CGROUP, cgroup)
NS_LINK(NS_IPC, ipc)
NS_LINK(NS_MNT, mnt)
NS_LINK(NS_NET, net)
NS_LINK(NS_PID, pid)
NS_LINK(NS_PID_FOR_CHILDREN, pid_for_children)
NS_LINK(NS_TIME, time)
NS_LINK(NS_USER, user)
NS_LINK(NS_UTS, uts)

#define NS_ENTRY(NAME, WORD) { .name = NAME, .mode = 0777, .link = link_##WORD, .follow = follow_##WORD }
const struct proc_dir proc_ns_dir = { .entry = {
        NS_ENTRY("cgroup", cgroup), NS_ENTRY("ipc", ipc), NS_ENTRY("mnt", mnt), NS_ENTRY("net", net), NS_ENTRY("pid", pid),
        NS_ENTRY("pid_for_children", pid_for_children), NS_ENTRY("time", time), NS_ENTRY("time_for_children", time),
        NS_ENTRY("user", user), NS_ENTRY("uts", uts),
} };

static const struct fs_type nsfs_type = { .name = "nsfs", .flags = FS_NODEV | FS_KERNEL_ONLY };

void proc_ns_init(void)
{
        err_t err = anon_super_new(&nsfs_type, NSFS_MAGIC, &nsfs.sb, &nsfs.mnt);
        assert(succeeded(err));
}
