/* SPDX-License-Identifier: Apache-2.0
 *
 * The services' start: every X_init in one list, the root, and the first process.
 *
 * Runs once, in a kernel thread.  What it makes lives as long as the machine; on an error
 * here there is nothing to go on with, so it panics as a Linux user would expect.
 */
#include "services/init/initramfs.h"
#include "services/init/params.h"
#include "services/coredump/coredump.h"
#include "services/devfs/devfs.h"
#include "services/drivers/uart/uart.h"
#include "services/drivers/virtio_console/virtio_console.h"
#include "services/exec/exec.h"
#include "services/futex/futex.h"
#include "services/namespace/namespace.h"
#include "services/net/socket/socket.h"
#include "services/net/netlink/netlink.h"
#include "services/net/unix/unix.h"
#include "services/pipe/pipe.h"
#include "services/ptimer/ptimer.h"
#include "services/random/random.h"
#include "services/inotify/inotify.h"
#include "services/ipc/ipc.h"
#include "services/ipc/mqueue.h"
#include "services/epoll/epoll.h"
#include "services/process/process.h"
#include "services/procfs/procfs.h"
#include "services/sched/sched.h"
#include "services/signal/signal.h"
#include "services/security/cred.h"
#include "services/syscall/call.h"
#include "services/sysfs/sysfs.h"
#include "services/syslog/syslog.h"
#include "services/time/clock.h"
#include "services/time/vvar.h"
#include "services/tmpfs/tmpfs.h"
#include "services/tty/tty.h"
#include "services/vfs/hooks.h"
#include "services/vfs/vfs.h"
#include "services/vm/vm.h"

static const struct user_ops user = {
        .start = user_start, .syscall = syscall_dispatch, .fault = user_fault,
        .exception = user_exception, .pending = user_pending, .died = user_died,
};
static const struct user_ops watched = {
        .start = user_start, .syscall = syscall_dispatch_watched, .fault = user_fault,
        .exception = user_exception, .pending = user_pending, .died = user_died,
};
static const struct process_ops process_ops = {
        .user = &user, .watched = &watched, .robust_exit = futex_exit_robust, .wake_address = futex_wake_addr, .priority_changed = futex_pi_changed,
        .dump = coredump_write, .timers_end = ptimers_end, .cpu_check = ptimer_cpu_check, .timer_taken = ptimer_taken,
        .undo_share = sem_undo_share, .undo_exit = sem_undo_exit, .shm_exit = shm_exit,
};
static const struct vfs_process_ops root_ops = { .move_root = process_move_root };
static const struct vfs_signal_ops signal_ops = { .raise = signal_raise, .to_owner = signal_send_owner };
static const struct vfs_clock_ops clock_ops = { .realtime = clock_realtime_coarse };
static const struct session_ops session_ops = { .leader_exit = tty_session_leader_exit };

static const struct vm_shmem_ops shmem_ops = { .file_new = tmpfs_shmem_file };

/* Everything the first process is given. */
struct world {
        struct payer *payer;
        struct vm_domain *domain;
        struct pid_ns *pids;
        struct ns_set *ns;
        struct cred *cred;
        struct fs_context *fs;
        struct files *files;
};

static void need(bool there, bytes what)
{
        if (!there) {
                klog(LOG_EMERG, "init: no memory for {}", what);
                machine_panic(STR("out of memory while starting"));
        }
}

static void init_services(const struct params *p)
{
        random_init();
        sched_init();
        vfs_init();
        vfs_register_signal(&signal_ops);
        vfs_register_process(&root_ops);
        vfs_register_clock(&clock_ops);
        vm_init();
        process_init();
        futex_init();
        tmpfs_init();
        syslog_init();
        devfs_init();
        pipe_init();
        mqueue_init();
        inotify_register();
        epoll_register();
        socket_init();
        unix_init();
        netlink_init();
        procfs_init();
        sysfs_init();
        tty_init();
        uart_init(p->console < 0 && p->console_virtual < 0 ? 0 : p->console);   /* without a word: the first one */
        virtio_console_register();
        sysfs_system_init();
        devfs_fill();
        virtio_console_init(p->console_virtual);
}

static void init_time(struct vm_domain *domain)
{
        struct vvar *page = vvar_new();
        need(page, STR("the vDSO's data"));
        clock_init(page);
        bytes vdso = boot_blob(STR("vdso.so"));
        if (!bytes_len(vdso)) {
                klog(LOG_WARNING, "init: built without a vDSO");
                return;
        }
        err_t err = exec_vdso_init(domain, vdso, vvar_frame(page));
        if (failed(err))
                klog(LOG_ERR, "init: vDSO: error {}", err_code(err));
}

static void init_root(struct world *w)
{
        struct user_ns *users = user_ns_first(NULL);
        need(users, STR("namespaces"));
        struct uts_ns *uts = uts_ns_first(NULL, users);
        struct superblock *root = NULL;
        struct mnt_ns *mounts = NULL;

        w->payer = payer_new(NULL, U64_MAX);
        w->pids = pid_ns_new(NULL);
        need(uts && w->payer && w->pids, STR("namespaces"));
        session_register(w->pids, &session_ops);
        need(succeeded(tmpfs_new_root(NULL, &root)), STR("the root"));
        struct superblock *shmem = NULL;
        need(succeeded(tmpfs_new_shmem(&shmem)), STR("shared memory"));
        vm_domain_set_shmem(w->domain, &shmem_ops, shmem);
        need(succeeded(mnt_ns_new(NULL, users, root, &mounts)), STR("the root"));
        struct net_ns *net = net_ns_new(NULL, users, NS_INUM_NET);
        need(net, STR("namespaces"));
        struct ipc_ns *ipc = ipc_ns_new(NULL, users, NS_INUM_IPC);
        need(ipc, STR("namespaces"));
        w->ns = ns_set_new(NULL, users, uts, mounts, w->pids, net, ipc);
        w->cred = cred_new_root(w->payer, users);
        w->files = files_new(w->payer);
        struct path top = { .mnt = mounts->root, .dentry = mounts->root->root };
        w->fs = fs_context_new(w->payer, &top, &top);
        need(w->ns && w->cred && w->files && w->fs, STR("the first process"));
}

static struct actor actor_of(const struct world *w)
{
        return (struct actor){ .cred = w->cred, .fs = w->fs, .files = w->files, .ns = w->ns, .payer = NULL };
}

/* Descriptors 0, 1 and 2 of the first process. */
static void open_console(const struct world *w)
{
        struct actor who = actor_of(w);
        struct file *f = NULL;
        u32 fd = 0;

        err_t err = vfs_open(&who, AT_FDCWD, STR("/dev/console"), (struct open_how){ .flags = O_RDWR }, &f);
        if (failed(err)) {
                klog(LOG_ERR, "Warning: unable to open an initial console.");
                return;
        }
        for (u32 i = 0; i < 3; i++) {
                if (failed(files_add(w->files, file_hold(f), 0, 0, 64, &fd)))
                        file_drop(f);
        }
        file_drop(f);
}

static bool is_there(const struct world *w, bytes path)
{
        struct actor who = actor_of(w);
        struct path p = {};

        if (failed(path_lookup(&who, walk_at(AT_FDCWD, LOOK_FOLLOW), path, &p)))
                return false;
        path_drop(&p);
        return true;
}

/* argv: the path, then what the command line left for init. */
static err_t try_init(const struct world *w, const struct params *p, bytes path)
{
        struct blob *name = blob_alloc(NULL, bytes_len(path) + 1);
        struct blob *argv = blob_alloc(NULL, INIT_TEXT + PATH_MAX_LEN);
        err_t err = ERR(ENOMEM);

        klog(LOG_INFO, "Run {} as init process", path);
        if (name && argv) {
                usize len = bytes_len(path);
                mbytes_copy(blob_mbytes(name), path);
                blob_set_len(name, len);
                mbytes_copy(blob_mbytes(argv), path);
                mbytes_copy(mbytes_skip(blob_mbytes(argv), len + 1), blob_bytes(p->args));
                blob_set_len(argv, len + 1 + blob_len(p->args));
                struct init_args args = {
                        .path = name, .argv = argv, .envp = p->env, .argc = 1 + p->n_args, .envc = p->n_env,
                        .domain = w->domain, .payer = w->payer, .ops = &process_ops,
                };
                err = process_start_init(args, w->ns, w->fs, w->files);
        }
        blob_drop(name);
        blob_drop(argv);
        return err;
}

static void panic_no_root(void)
{
        klog(LOG_CRIT, "VFS: Cannot open root device \"\" or unknown-block(0,0): error -6");
        klog(LOG_CRIT, "Please append a correct \"root=\" boot option; here are the available partitions:");
        machine_panic(STR("VFS: Unable to mount root fs on unknown-block(0,0)"));
}

/* As Linux chooses: rdinit= or /init from the initramfs; without it there would have to be a root device. */
static void run_init(const struct world *w, struct params *p)
{
        bytes rdinit = p->rdinit ? params_value(p, p->rdinit) : STR("/init");

        if (!is_there(w, rdinit)) {
                if (p->rdinit)
                        klog(LOG_ERR, "check access for rdinit={} failed: -{}, ignoring", rdinit, ENOENT);
                panic_no_root();
                return;
        }
        err_t err = try_init(w, p, rdinit);
        if (succeeded(err))
                return;
        klog(LOG_ERR, "Failed to execute {} (error -{})", rdinit, err_code(err));
        if (p->init) {
                bytes init = params_value(p, p->init);
                u8 text[200] = {};
                err = try_init(w, p, init);
                if (succeeded(err))
                        return;
                machine_panic(bytes_take(BYTES_OF(text), format(MBYTES_OF(text), "Requested init {} failed (error -{}).",
                                                                init, err_code(err))));
                return;
        }
        bytes usual[4] = { STR("/sbin/init"), STR("/etc/init"), STR("/bin/init"), STR("/bin/sh") };
        for (u32 i = 0; i < 4; i++) {
                if (is_there(w, usual[i]) && succeeded(try_init(w, p, usual[i])))
                        return;
        }
        machine_panic(STR("No working init found.  Try passing init= option to kernel. "
                          "See Linux Documentation/admin-guide/init.rst for guidance."));
}

void services_start(void)
{
        struct params *p = params_parse(boot_cmdline());
        struct world w = {};

        need(p, STR("the command line"));
        log_set_console_level(p->loglevel);
        machine_set_panic_timeout(p->panic);
        klog(LOG_NOTICE, "Keel " UTS_RELEASE);
        klog(LOG_NOTICE, "Kernel command line: {}", boot_cmdline());
        init_services(p);
        w.domain = vm_domain_new();
        need(w.domain, STR("memory accounting"));
        vm_domain_set_oom(w.domain, &process_oom_ops);
        init_time(w.domain);
        init_root(&w);
        struct actor who = actor_of(&w);
        need(succeeded(initramfs_defaults(&who)), STR("/dev"));
        initramfs_unpack(&who);
        open_console(&w);
        if (p->overflow)
                machine_panic(STR("Too many boot init vars or arguments"));
        run_init(&w, p);
        params_drop(p);
}
