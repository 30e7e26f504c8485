/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a program, and as its interpreter: an error, or an address space in order.
 */
#include "tests/host/vmhost.h"
#include "services/exec/exec_impl.h"

static struct file *program;
static err_t open_it(bytes path, struct file **out)
{
        CHECK(bytes_len(path) < 4096 && bytes_find(path, 0) == bytes_len(path));
        if (bytes_len(path) == 0)
                return ERR(ENOENT);
        *out = file_hold(program);
        return OK;
}
static err_t cred_it(struct file *f, struct cred **c, u32 *secure)
{
        *c = cred_hold(vmhost.cred);
        *secure = 0;
        return OK;
}
static const struct exec_ops ops = { .open = open_it, .cred = cred_it };

int LLVMFuzzerTestOneInput(const u8 *data, usize size);
int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
        static struct vm_domain *domain;
        static struct blob *path, *argv, *envp;
        usize done = 0;
        if (!domain) {
                vmhost_begin();
                domain = vm_domain_new();
                path = blob_copy(NULL, STR("/bin/prog"));
                argv = blob_copy(NULL, STR("prog\0-x\0"));
                envp = blob_copy(NULL, STR("A=b\0"));
        }
        u64 before = host_live();
        struct exec_image im = {};
        program = host_file(3);
        CHECK_ERR(file_write_kernel(program, 0, (bytes){ data, size }, &done), 0);
        struct exec_request r = { .file = program, .path = path, .argv = { .blob = argv, .count = 2 }, .envp = { .blob = envp, .count = 1 },
                .domain = domain, .ops = &ops, .stack_limit = 8ul << 20, .randomize = size & 1 };
        if (succeeded(exec_prepare(&r, &im))) {
                areas_check(im.vm);
                CHECK(im.stack % 16 == 0 && im.stack < VM_MAX);
                exec_discard(&im);
        }
        file_drop(program);
        host_at_rest();
        CHECK_EQ(host_live(), before);
        CHECK(!vm_committed(domain));
        return 0;
}
