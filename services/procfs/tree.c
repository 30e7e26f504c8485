/* SPDX-License-Identifier: Apache-2.0
 *
 * procfs as a file system: superblock, inodes, look-up, directories, files.
 *
 * Entry points  procfs_init; everything else through the tables of operations.
 * Lifetime   An inode holds its process (and thread).  A process's directory goes stale when
 *            the process has been reaped: revalidate() says so, and it is looked up again.  A sweep, each time as
 *            many inodes were made as it left, forgets stale ones.
 * Locking    none of its own; what it shows is read under the owners' locks.
 */
#include "services/procfs/procfs.h"
#include "services/procfs/ns.h"
#include "services/security/cred.h"
#include "services/vm/vm.h"
#include "lib/num.h"
#include "abi/const/fs.h"

#define SWEEP_LEAST 256                 /* inodes made between two sweeps */

OBJECT(proc_super) {
        struct superblock base;
        struct pid_ns *pids;            /* counted; fixed */
        u32 made, sweep_at;             /* ATOMIC: inodes of processes since the last sweep, and how many there are at the next */
};
POOL_DECLARE(proc_super)
DOWNCASTABLE(proc_super, superblock);

static void proc_super_fini(struct proc_super *ps)
{
        superblock_fini(&ps->base);
        pid_ns_drop(ps->pids);
}
POOL_DEFINE(proc_super, proc_super_fini);

OBJECT(proc_inode) {
        struct inode base;
        const struct proc_entry *entry; /* NULL: a root of a process, thread or the whole; fixed, as all here */
        const struct proc_dir *dir;     /* not NULL: a directory */
        struct process *process;        /* counted, or NULL */
        struct thread *thread;          /* counted, or NULL */
        u32 fd;                         /* in fd/ and fdinfo/ */
        enum dynamic kind;              /* DYN_FDS, DYN_FDINFO: one of those entries */
};
POOL_DECLARE(proc_inode)
DOWNCASTABLE(proc_inode, inode);

static void proc_inode_fini(struct proc_inode *pi)
{
        process_drop(pi->process);
        thread_drop(pi->thread);
        inode_fini(&pi->base);
}
POOL_DEFINE(proc_inode, proc_inode_fini);

OBJECT(proc_file) {
        struct file base;
        struct text *text;              /* counted; made at the first read; pos_lock, as below */
        u64 begin;                      /* of the text in the file: 0 but for files in parts */
        u64 next;                       /* where the part behind it begins (proc_entry.part) */
        u64 memory;                     /* see struct subject; fixed */
};
POOL_DECLARE(proc_file)
DOWNCASTABLE(proc_file, file);

static void proc_file_fini(struct proc_file *pf)
{
        text_drop(pf->text);
        file_fini(&pf->base);
}
POOL_DEFINE(proc_file, proc_file_fini);

static struct subject subject_of(struct proc_inode *pi)
{
        return (struct subject){ .process = pi->process, .thread = pi->thread, .fd = pi->fd };
}

struct subject procfs_subject(struct inode *inode) { return subject_of(DOWNCAST(proc_inode, inode)); }

struct thread *subject_thread(const struct subject *s)
{
        if (s->thread)
                return thread_hold(s->thread);
        return process_thread_next(s->process, 0);
}

struct vm *subject_vm(const struct subject *s)
{
        struct thread *t = subject_thread(s);
        struct vm *vm = NULL;

        if (!t)
                return NULL;
        {
                SPIN_GUARD(&t->process->lock);
                if (t->vm && (!s->memory || vm_serial(t->vm) == s->memory))
                        vm = vm_hold(t->vm);
        }
        thread_drop(t);
        return vm;
}

u64 subject_memory(const struct subject *s)
{
        struct vm *vm = subject_vm(s);
        u64 serial = vm ? vm_serial(vm) : U64_MAX;

        vm_drop(vm);
        return serial;
}

/* The descriptor table of the subject, counted; NULL: none. */
static struct files *files_of(struct proc_inode *pi)
{
        struct subject s = subject_of(pi);
        struct thread *t = subject_thread(&s);
        struct files *files = NULL;

        if (!t)
                return NULL;
        {
                SPIN_GUARD(&t->process->lock);
                if (t->files)
                        files = files_hold(t->files);
        }
        thread_drop(t);
        return files;
}

static struct file *file_of(struct proc_inode *pi, u32 fd)      /* counted, or NULL */
{
        struct files *files = files_of(pi);
        struct file *f = files ? files_get(files, fd) : NULL;
        files_drop(files);
        return f;
}

/* ---- inodes ---- */

static const struct inode_ops dir_inode_ops, fd_dir_inode_ops, file_inode_ops, text_link_ops, magic_link_ops;
static const struct file_ops dir_file_ops, text_file_ops;

struct made { const struct proc_entry *entry; const struct proc_dir *dir; struct process *process; struct thread *thread;
              u32 fd; enum dynamic kind; u32 mode; };

/* Its effective ids; root's if it may not be looked into, but for directories that tell nothing. */
static void owner_of(struct process *p, u32 mode, u32 *uid, u32 *gid)
{
        SPIN_GUARD(&p->lock);
        struct thread *t = p->threads ? p->leader : NULL;       /* reaped: it is gone */
        bool its = t && t->cred && (p->dumpable == DUMP_USER || mode == (S_IFDIR | 0555));
        *uid = its ? t->cred->euid : 0;
        *gid = its ? t->cred->egid : 0;
}

/* A new inode, counted. ENOMEM. */
static err_t make_inode(struct superblock *sb, const struct made *m, struct inode **out)
{
        struct proc_inode *pi = proc_inode_alloc(sb->payer, MAY_RECLAIM);
        u32 type = m->mode & S_IFMT;
        bool magic = m->kind == DYN_FDS || (m->entry && m->entry->follow);
        u32 uid = 0, gid = 0;

        if (!pi)
                return ERR(ENOMEM);
        if (m->process)
                owner_of(m->process, m->mode, &uid, &gid);
        struct inode_init init = {
                .ops = type == S_IFDIR ? (m->dir->dynamic == DYN_FDS ? &fd_dir_inode_ops : &dir_inode_ops) : type != S_IFLNK ? &file_inode_ops : magic ? &magic_link_ops : &text_link_ops,
                .fops = type == S_IFDIR ? &dir_file_ops : &text_file_ops,
                .sb = sb, .ino = super_new_ino(sb), .mode = m->mode, .uid = uid, .gid = gid,
        };
        if (m->entry && m->entry->fops)
                init.fops = m->entry->fops;
        inode_init(&pi->base, &init);
        pi->entry = m->entry;
        pi->dir = m->dir;
        pi->fd = m->fd;
        pi->kind = m->kind;
        if (m->process)
                pi->process = process_hold(m->process);
        if (m->thread)
                pi->thread = thread_hold(m->thread);
        if (type == S_IFDIR)
                pi->base.nlink = 2;
        if (magic)
                pi->base.flags |= INODE_MAGICLINK;
        pi->base.flags |= INODE_STALE_OK;
        proc_inode_publish(pi);
        *out = &pi->base;
        return OK;
}

/* Its process or thread has been reaped, or it is a descriptor's: those are looked up anew each time. */
static bool is_stale(struct dentry *d)
{
        struct inode *inode = PTR_LOAD(d->inode);

        if (!inode)
                return false;
        struct proc_inode *pi = DOWNCAST(proc_inode, inode);
        if (pi->kind != DYN_NONE)
                return true;
        if (pi->thread)
                return LOAD_RELAXED(pi->thread->dead);
        return pi->process && PTR_LOAD(pi->process->pid->process) != pi->process;
}

/* What was looked at of processes does not outlive them for long, or each `ps` would leave its share of memory behind. */
static void sweep(struct proc_super *ps)
{
        STORE(ps->made, 0);
        dentry_forget(&ps->base, is_stale);
        STORE(ps->sweep_at, SWEEP_LEAST + LOAD_RELAXED(ps->base.dentries));
}

static err_t set(struct inode *dir, struct dentry *d, const struct made *m)
{
        struct proc_super *ps = DOWNCAST(proc_super, dir->sb);
        struct inode *inode = NULL;

        if (m->process && FETCH_ADD(ps->made, 1) >= LOAD_RELAXED(ps->sweep_at))
                sweep(ps);
        TRY(make_inode(dir->sb, m, &inode));
        dentry_set(d, inode);
        return OK;
}

static u32 mode_of(const struct proc_entry *e)
{
        return e->mode | (e->dir ? S_IFDIR : e->link || e->follow ? S_IFLNK : S_IFREG);
}

static bytes name_of(const struct proc_entry *e)
{
        return padded(BYTES_OF(e->name));
}

static bool may_look(struct process *p)
{
        return !p || process_may_trace(p, false);
}

struct process *procfs_process(struct file *f)
{
        if (!IS_A(proc_inode, f->inode))
                return NULL;
        struct proc_inode *pi = DOWNCAST(proc_inode, f->inode);
        return pi->dir == &proc_process_dir ? process_hold(pi->process) : NULL;
}

/* ---- look-up ---- */

static err_t lookup_number(struct proc_inode *dir, struct dentry *d, u32 nr)
{
        struct superblock *sb = dir->base.sb;
        struct pid_ns *ns = DOWNCAST(proc_super, sb)->pids;
        err_t err = ERR(ENOENT);        /* not a negative dentry: processes come without notice */

        switch (dir->dir->dynamic) {
        case DYN_PROCESSES: {
                struct process *p = process_find(ns, nr);
                if (!p) {                               /* a thread's number works too, unlisted */
                        struct thread *t = thread_find(ns, nr);
                        if (t)
                                p = process_hold(t->process);
                        thread_drop(t);
                }
                if (!p)
                        return ERR(ENOENT);
                err = set(&dir->base, d, &(struct made){ .dir = &proc_process_dir, .process = p, .mode = S_IFDIR | 0555 });
                process_drop(p);
                return err;
        }
        case DYN_THREADS: {
                struct thread *t = thread_find(ns, nr);
                if (t && t->process == dir->process)
                        err = set(&dir->base, d, &(struct made){ .dir = &proc_thread_dir, .process = t->process, .thread = t,
                                                                 .mode = S_IFDIR | 0555 });
                thread_drop(t);
                return err;
        }
        case DYN_FDS:
        case DYN_FDINFO: {
                if (!may_look(dir->process))
                        return ERR(EACCES);
                struct file *f = file_of(dir, nr);
                if (!f)
                        return ERR(ENOENT);
                bool is_link = dir->dir->dynamic == DYN_FDS;
                u32 rights = (file_may_read(f) ? 0500u : 0) | (file_may_write(f) ? 0300u : 0);
                file_drop(f);
                return set(&dir->base, d, &(struct made){ .process = dir->process, .thread = dir->thread, .fd = nr,
                           .kind = dir->dir->dynamic, .mode = is_link ? S_IFLNK | rights : S_IFREG | 0400 });
        }
        default:
                return err;
        }
}

static err_t proc_lookup(struct inode *inode, struct dentry *d)
{
        struct proc_inode *dir = DOWNCAST(proc_inode, inode);
        bytes name = dentry_name(d);
        u64 nr = 0;

        for (u32 i = 0; i < PROC_ENTRIES && dir->dir->entry[i].name[0]; i++) {
                const struct proc_entry *e = &dir->dir->entry[i];
                if (bytes_eq(name, name_of(e)))
                        return set(inode, d, &(struct made){ .entry = e, .dir = e->dir, .process = dir->process,
                                                             .thread = dir->thread, .mode = mode_of(e) });
        }
        if (dir->dir->dynamic != DYN_NONE && num_parse(name, 10, &nr) && nr < U32_MAX &&
            (bytes_at(name, 0) != '0' || bytes_len(name) == 1))
                return lookup_number(dir, d, (u32)nr);
        return ERR(ENOENT);
}

/* ---- directories ---- */

#define FIRST_NUMBER 1000u              /* cookies: entries from 2 on, numbers from here */

static bytes number_text(mbytes into, u32 nr) { return bytes_take(bytes_const(into), format(into, "{}", nr)); }

static err_t list_processes(struct pid_ns *ns, struct dir_out *out)
{
        for (;;) {
                u32 from = out->pos < FIRST_NUMBER ? 0 : (u32)(out->pos - FIRST_NUMBER);
                struct process *p = process_next(ns, from);
                u8 digits[12] = {};
                if (!p)
                        return OK;
                u32 nr = p->tgid;
                process_drop(p);
                if (!dir_emit(out, number_text(MBYTES_OF(digits), nr), FIRST_NUMBER + nr, DT_DIR, (u64)FIRST_NUMBER + nr + 1))
                        return OK;
        }
}

static err_t list_threads(struct process *p, struct dir_out *out)
{
        for (;;) {
                u32 from = out->pos < FIRST_NUMBER ? 0 : (u32)(out->pos - FIRST_NUMBER);
                struct thread *t = process_thread_next(p, from);
                u8 digits[12] = {};
                if (!t)
                        return OK;
                u32 nr = t->tid;
                thread_drop(t);
                if (!dir_emit(out, number_text(MBYTES_OF(digits), nr), FIRST_NUMBER + nr, DT_DIR, (u64)FIRST_NUMBER + nr + 1))
                        return OK;
        }
}

static err_t list_fds(struct proc_inode *dir, struct dir_out *out)
{
        if (!may_look(dir->process))
                return ERR(EACCES);
        struct files *files = files_of(dir);
        if (!files)
                return OK;
        for (;;) {
                u32 from = out->pos < FIRST_NUMBER ? 0 : (u32)(out->pos - FIRST_NUMBER), fd = 0;
                u8 digits[12] = {};
                if (!files_next(files, from, &fd))
                        break;
                u32 type = dir->dir->dynamic == DYN_FDS ? DT_LNK : DT_REG;
                if (!dir_emit(out, number_text(MBYTES_OF(digits), fd), FIRST_NUMBER + fd, type, (u64)FIRST_NUMBER + fd + 1))
                        break;
        }
        files_drop(files);
        return OK;
}

static u32 dirent_type(const struct proc_entry *e) { return e->dir ? DT_DIR : e->link || e->follow ? DT_LNK : DT_REG; }

static err_t proc_readdir(struct file *f, struct dir_out *out)
{
        struct proc_inode *dir = DOWNCAST(proc_inode, f->inode);

        if (!dir_emit_dots(f, out))
                return OK;
        for (u64 i = out->pos - 2; out->pos < FIRST_NUMBER && i < PROC_ENTRIES && dir->dir->entry[i].name[0]; i++) {
                const struct proc_entry *e = &dir->dir->entry[i];
                if (!dir_emit(out, name_of(e), 2 + i, dirent_type(e), i + 3))
                        return OK;
        }
        switch (dir->dir->dynamic) {
        case DYN_PROCESSES:
                return list_processes(DOWNCAST(proc_super, dir->base.sb)->pids, out);
        case DYN_THREADS:
                return list_threads(dir->process, out);
        case DYN_FDS:
        case DYN_FDINFO:
                return list_fds(dir, out);
        default:
                return OK;
        }
}

/* ---- files ---- */

static bool is_cloexec(struct proc_inode *pi)
{
        struct files *files = files_of(pi);
        u32 flags = 0;
        bool is = files && succeeded(files_get_flags(files, pi->fd, &flags)) && (flags & FD_CLOEXEC) != 0;

        files_drop(files);
        return is;
}

/* "pos:\t0\nflags:\t02\nmnt_id:\t1\n" */
static err_t show_fdinfo(struct text *t, struct proc_inode *pi)
{
        struct file *f = file_of(pi, pi->fd);
        if (!f)
                return ERR(ENOENT);
        u32 flags = LOAD(f->flags) | (is_cloexec(pi) ? O_CLOEXEC : 0), shift = 30;
        SAY(t, "pos:\t{}\nflags:\t0", f->pos);
        while (shift && !(flags >> shift & 7))
                shift -= 3;
        for (;; shift -= 3) {
                text_char(t, (u8)('0' + (flags >> shift & 7)));
                if (!shift)
                        break;
        }
        SAY(t, "\nmnt_id:\t{}\nino:\t{}\n", f->path.mnt ? f->path.mnt->id : 0, f->inode ? f->inode->ino : 0);
        if (f->inode) {
                struct files *files = files_of(pi);
                proc_say_file_locks(t, f, files);
                files_drop(files);
        }
        if (f->ops->show_fdinfo) {
                u8 more[256] = {};
                usize n = f->ops->show_fdinfo(f, MBYTES_OF(more));
                text_add(t, bytes_take(BYTES_OF(more), n));
        }
        file_drop(f);
        return OK;
}

static bool is_guarded(const struct proc_inode *pi) { return pi->kind != DYN_NONE || (pi->entry && pi->entry->guarded); }

/* The whole text, or the next part. */
static err_t fill(struct proc_file *pf)
{
        struct proc_inode *pi = DOWNCAST(proc_inode, pf->base.inode);
        struct subject s = subject_of(pi);

        s.memory = pf->memory;
        if (!pf->text)
                pf->text = text_new(thread_current()->payer);
        if (!pf->text)
                return ERR(ENOMEM);
        text_clear(pf->text);
        if (pi->kind != DYN_FDINFO && (!pi->entry || (!pi->entry->show && !pi->entry->part)))
                return ERR(EINVAL);
        err_t err = pi->kind == DYN_FDINFO ? show_fdinfo(pf->text, pi) : pi->entry->part ? pi->entry->part(pf->text, &s, &pf->next) : pi->entry->show(pf->text, &s);
        if (succeeded(err) && pf->text->failed && pi->entry && pi->entry->part)
                err = ERR(ENOMEM);
        /* Whoever opened the file may not read what the process has become by gaining rights since.  (Its memory is another then.) */
        if (succeeded(err) && is_guarded(pi) && !pf->memory && !may_look(pi->process))
                err = ERR(EACCES);
        if (failed(err)) {
                text_drop(pf->text);    /* the next read begins anew */
                pf->text = NULL;
        }
        return err;
}

/* Forward, part after part; to a place before the present part from the beginning.  What each call makes anew begins at the place. */
static err_t read_parts(struct proc_file *pf, struct io *io, u64 *pos, enum proc_life life)
{
        if (life == LIFE_CALL || *pos == 0 || *pos < pf->begin || !pf->text) {
                pf->begin = pf->next = life == LIFE_CALL ? *pos : 0;
                TRY(fill(pf));
        }
        while (io_left(io) && pf->text->len) {
                u64 end = pf->begin + pf->text->len;
                if (*pos < end) {
                        u64 at = *pos - pf->begin;
                        err_t err = text_read(pf->text, io, &at);
                        *pos = pf->begin + at;
                        TRY(err);
                } else {
                        pf->begin = end;
                        TRY(fill(pf));
                }
        }
        return OK;
}

static err_t proc_read(struct file *f, struct io *io, u64 *pos)
{
        struct proc_file *pf = DOWNCAST(proc_file, f);
        struct proc_inode *pi = DOWNCAST(proc_inode, f->inode);
        enum proc_life life = pi->entry ? pi->entry->life : LIFE_READ;

        if (pi->entry && pi->entry->part)
                return read_parts(pf, io, pos, life);
        if (!pf->text || life == LIFE_CALL || (life == LIFE_READ && *pos == 0))
                TRY(fill(pf));
        return text_read(pf->text, io, pos);
}

static err_t proc_write(struct file *f, struct io *io, u64 *pos)
{
        struct proc_inode *pi = DOWNCAST(proc_inode, f->inode);
        struct subject s = subject_of(pi);
        u8 line[512] = {};

        if (!pi->entry || !pi->entry->write)
                return ERR(EIO);
        usize n = min_u64(io_left(io), sizeof line), rest = io_left(io) - n;
        if (n == 0 && !pi->process)
                return OK;              /* nothing changes no setting of the system */
        if (io_copy_in(io, mbytes_take(MBYTES_OF(line), n)) < n)
                return ERR(EFAULT);
        bytes text = bytes_take(BYTES_OF(line), n);
        if (bytes_len(text) && bytes_at(text, bytes_len(text) - 1) == '\n')
                text = bytes_take(text, bytes_len(text) - 1);
        err_t err = pi->entry->write(text, &s);
        if (failed(err)) {
                io->done -= n;          /* or the error would be dropped */
                return err;
        }
        io_skip(io, rest);
        *pos += n + rest;
        return OK;
}

static err_t proc_open(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        struct proc_inode *pi = DOWNCAST(proc_inode, p->dentry->inode);
        struct subject s = subject_of(pi);
        u64 memory = pi->entry && pi->entry->of_memory ? subject_memory(&s) : 0;        /* before the question */

        if (is_guarded(pi) && !may_look(pi->process))
                return ERR(EACCES);
        struct proc_file *pf = proc_file_alloc(who->payer, MAY_RECLAIM);
        if (!pf)
                return ERR(ENOMEM);
        file_init(&pf->base, &text_file_ops, p, who->cred, flags);
        pf->memory = memory;
        proc_file_publish(pf);
        err_t err = pi->entry && pi->entry->life == LIFE_FILE ? fill(pf) : OK;
        if (failed(err)) {
                proc_file_drop(pf);
                return err;
        }
        *out = &pf->base;
        return OK;
}

/* ---- links ---- */

static err_t fd_path(struct proc_inode *pi, struct path *out)
{
        struct file *f = file_of(pi, pi->fd);
        if (!f)
                return ERR(ENOENT);
        *out = path_hold(&f->path);
        file_drop(f);
        return OK;
}

static err_t proc_follow(struct inode *inode, struct path *out)
{
        struct proc_inode *pi = DOWNCAST(proc_inode, inode);
        struct subject s = subject_of(pi);

        if (pi->kind == DYN_FDS) {
                if (!may_look(pi->process))
                        return ERR(EACCES);
                TRY(fd_path(pi, out));
                if (may_look(pi->process))      /* still, now that it is taken: see fill() */
                        return OK;
                path_drop(out);
                return ERR(EACCES);
        }
        if (!pi->entry->follow)
                return ERR(EINVAL);
        if (pi->entry->guarded && !may_look(pi->process))
                return ERR(EACCES);
        return pi->entry->follow(out, &s);
}

static err_t path_as_text(const struct path *p, mbytes buf, usize *len)
{
        struct path root = fs_root(thread_current()->fs);
        struct blob *space = blob_alloc(thread_current()->payer, PATH_MAX_LEN);
        usize start = 0;
        err_t err = ERR(ENOMEM);

        if (space) {
                err = path_text(p, &root, 0, blob_mbytes(space), &start);
                if (succeeded(err))
                        *len = mbytes_copy(buf, bytes_skip(blob_bytes(space), start));
        }
        blob_drop(space);
        path_drop(&root);
        return err;
}

static err_t proc_readlink(struct inode *inode, mbytes buf, usize *len)
{
        struct proc_inode *pi = DOWNCAST(proc_inode, inode);
        struct subject s = subject_of(pi);

        if (pi->kind != DYN_FDS && pi->entry->link)
                return pi->entry->link(buf, len, &s);
        struct path p = {};
        TRY(proc_follow(inode, &p));
        err_t err = path_as_text(&p, buf, len);
        path_drop(&p);
        return err;
}

/* One's own descriptors, also for who gave up the rights by which the directory is root's. */
static err_t fd_dir_permission(const struct actor *who, struct inode *inode, u32 want)
{
        struct proc_inode *pi = DOWNCAST(proc_inode, inode);
        struct file_owner owner = { LOAD_RELAXED(inode->uid), LOAD_RELAXED(inode->gid), LOAD_RELAXED(inode->mode) };

        return pi->process == thread_current()->process ? OK : cred_may_access(who->cred, owner, want);
}

static const struct inode_ops dir_inode_ops = { .lookup = proc_lookup };
static const struct inode_ops fd_dir_inode_ops = { .lookup = proc_lookup, .permission = fd_dir_permission };
static const struct inode_ops file_inode_ops = { .setattr = NULL };
static const struct inode_ops text_link_ops = { .readlink = proc_readlink };
static const struct inode_ops magic_link_ops = { .readlink = proc_readlink, .follow = proc_follow };
static const struct file_ops dir_file_ops = { .readdir = proc_readdir, .fsync = file_no_fsync, .flags = FOPS_NO_EXEC };
/* As of Linux's sequential files: there is no size to count from. */
static err_t text_llseek(struct file *f, i64 off, u32 whence, u64 *pos)
{
        return whence > SEEK_CUR ? ERR(EINVAL) : generic_llseek(f, off, whence, pos);
}

static const struct file_ops text_file_ops = { .open = proc_open, .read = proc_read, .write = proc_write, .llseek = text_llseek, .fsync = file_no_fsync,
                                               .flags = FOPS_SERIAL | FOPS_NO_SPLICE_IN | FOPS_NO_SPLICE_OUT | FOPS_NO_EXEC };

/* ---- the file system ---- */

static bool proc_revalidate(struct dentry *d)
{
        struct inode *inode = PTR_LOAD(d->inode);

        if (!inode || is_stale(d))
                return false;
        struct proc_inode *pi = DOWNCAST(proc_inode, inode);
        if (pi->process) {
                u32 uid = 0, gid = 0;
                owner_of(pi->process, LOAD_RELAXED(inode->mode), &uid, &gid);
                if (uid != LOAD_RELAXED(inode->uid) || gid != LOAD_RELAXED(inode->gid)) {
                        STORE(inode->uid, uid);
                        STORE(inode->gid, gid);
                }
        }
        return true;
}

static err_t proc_statfs(struct superblock *sb, struct linux_statfs *out)
{
        *out = (struct linux_statfs){ .f_type = (i64)sb->magic, .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = 255 };
        return OK;
}

static const struct super_ops super_ops = { .statfs = proc_statfs, .revalidate = proc_revalidate };

static err_t proc_mount(const struct fs_type *type, const struct mount_request *req, struct superblock **out)
{
        struct proc_super *ps = proc_super_alloc(req->payer, MAY_RECLAIM);
        struct inode *root = NULL;

        if (!ps)
                return ERR(ENOMEM);
        err_t err = superblock_init(&ps->base, &super_ops, type, req->payer);
        if (succeeded(err)) {
                ps->pids = pid_ns_hold(pid_ns_current());
                ps->base.magic = PROC_SUPER_MAGIC;
                ps->base.block_size = 1024;
                ps->base.name_max = 255;
                err = make_inode(&ps->base, &(struct made){ .dir = &proc_root_dir, .mode = S_IFDIR | 0555 }, &root);
        }
        if (succeeded(err))
                err = superblock_set_root(&ps->base, root);
        if (failed(err)) {
                proc_super_drop(ps);
                return err;
        }
        *out = &ps->base;
        return OK;
}

static const struct fs_type proc_type = { .name = "proc", .flags = FS_NODEV | FS_USERNS, .mount = proc_mount };

void procfs_init(void)
{
        fs_register(&proc_type);
        proc_ns_init();
}
