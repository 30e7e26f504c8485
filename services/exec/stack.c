/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program finds on its stack, from low addresses to high:
 *
 *      sp ->  argc, argv[0] … NULL, envp[0] … NULL, auxv … AT_NULL
 *             random bytes, platform
 *             argument strings, environment strings, the program's path
 *             end of the stack's area
 *
 * It is written upwards in one pass: the pointers are counted first, so the strings' place
 * is known, and each string is copied from the old address space straight into the page
 * where it will lie.  Pages come by the new address space's own faults; if anything fails
 * the address space goes, and all with it.
 */
#include "services/exec/exec_impl.h"
#include "services/random/random.h"

#define ARG_ROOM_MIN (128ull << 10)     /* for arguments, however small the stack's limit */
#define ARG_ROOM_MAX (6ull << 20)
#define STACK_FIRST  (128ull << 10)     /* the area's size below the first page */
#define POINTER_CHUNK 32
#define AUXV_PAIRS   22                 /* at most; VM_AUXV_WORDS / 2 bounds it */
#define CLOCK_TICKS  100
#define SIGFRAME_ROOM 1088              /* a signal frame without the extended state */

/* A place in the new address space where bytes are put one after another. */
struct writer { struct vm *vm; u64 at, end; struct frame *frame; };     /* frame: counted, that of `at`, or NULL */

static void writer_close(struct writer *w)
{
        if (w->frame)
                vm_ungrab(w->frame);
        w->frame = NULL;
}

/* The frame of w->at, and how many bytes are left in it. E2BIG: no more room. */
static err_t writer_page(struct writer *w, usize *room)
{
        if (w->at >= w->end)
                return ERR(E2BIG);
        if (!w->frame)
                w->frame = vm_grab(w->vm, w->at, true);
        *room = min_u64(PAGE_SIZE - (w->at & PAGE_MASK), w->end - w->at);
        return w->frame ? OK : ERR(ENOMEM);
}

static void advance(struct writer *w, u64 n)
{
        u64 page = w->at >> PAGE_SHIFT;
        w->at += n;
        if (w->at >> PAGE_SHIFT != page)
                writer_close(w);
}

static err_t put_bytes(struct writer *w, bytes b)
{
        while (bytes_len(b)) {
                usize room = 0;
                TRY(writer_page(w, &room));
                usize n = min_u64(room, bytes_len(b));
                frame_write(w->frame, w->at & PAGE_MASK, bytes_take(b, n));
                advance(w, n);
                b = bytes_skip(b, n);
        }
        return OK;
}

static err_t put_u64(struct writer *w, u64 v) { return put_bytes(w, BYTES_OF(v)); }
static err_t put_string(struct writer *w, bytes s)
{
        TRY(put_bytes(w, s));
        return put_bytes(w, STR("\0"));
}

/* As much of the user's string as is present and fits in this page. */
static usize copy_present(struct writer *w, usize room, u64 from, bool *end)
{
        PIN(p, w->frame);
        mbytes to = mbytes_sub(pin_bytes(&p), w->at & PAGE_MASK, room);
        return user_copy_string(to, from, end);
}

static err_t put_user_string(struct writer *w, u64 from)
{
        u64 done = 0;
        for (bool end = false; !end;) {
                usize room = 0;
                TRY(writer_page(w, &room));
                usize n = copy_present(w, room, from + done, &end);
                done += n;
                advance(w, n);
                if (done > EXEC_MAX_STRING || (done == EXEC_MAX_STRING && !end))
                        return ERR(E2BIG);
                if (!end && n < room)
                        TRY(vm_fault_in(from + done, 1, false));
        }
        return OK;
}

/* ---- Where strings come from ---- */

/* A user array of pointers, read ahead up to its page's end: what lies behind it may not be there. */
struct pointers { u64 word[POINTER_CHUNK]; u32 have, next; u64 at; };

/* The next pointer of a user array. */
static err_t next_pointer(struct pointers *p, u64 *out)
{
        if (p->next == p->have) {
                u64 left = (PAGE_SIZE - (p->at & PAGE_MASK)) / sizeof(u64);
                u64 want = min_u64(max_u64(left, 1), POINTER_CHUNK);
                TRY(vm_copy_in(mbytes_take(MBYTES_OF(p->word), want * sizeof(u64)), p->at));
                p->at += want * sizeof(u64);
                p->have = (u32)want;
                p->next = 0;
        }
        *out = p->word[p->next++];
        return OK;
}

/* How many strings there are; more than `most`: E2BIG. */
static err_t count_strings(const struct exec_strings *s, u64 most, u64 *count)
{
        struct pointers p = { .at = s->user_array };
        u64 n = 0;
        if (s->blob)
                n = s->count;
        for (u64 word = 1; !s->blob && s->user_array;) {
                TRY(next_pointer(&p, &word));
                if (!word)
                        break;
                if (n++ >= most)
                        return ERR(E2BIG);
        }
        *count = n;
        return n > most ? ERR(E2BIG) : OK;
}

/* Both ends of the block: pointers and strings. */
struct block { struct writer words, text; };

/* The string at text becomes the next pointer. */
static err_t point(struct block *b) { return put_u64(&b->words, b->text.at); }

static err_t put_one(struct block *b, bytes s)
{
        if (bytes_len(s) >= EXEC_MAX_STRING)
                return ERR(E2BIG);
        TRY(point(b));
        return put_string(&b->text, s);
}

static err_t put_from_blob(struct block *b, const struct exec_strings *s, u64 skip)
{
        bytes left = blob_bytes(s->blob);
        for (u64 i = 0; i < s->count; i++) {
                usize n = bytes_find(left, 0);
                if (i >= skip)
                        TRY(put_one(b, bytes_take(left, n)));
                left = bytes_skip(left, min_u64(n + 1, bytes_len(left)));
        }
        return OK;
}

static err_t put_from_user(struct block *b, const struct exec_strings *s, u64 count, u64 skip)
{
        struct pointers p = { .at = s->user_array };
        for (u64 i = 0; i < count; i++) {
                u64 from = 0;
                TRY(next_pointer(&p, &from));
                if (i < skip)
                        continue;
                TRY(point(b));
                TRY(put_user_string(&b->text, from));
        }
        return OK;
}

static err_t put_strings(struct block *b, const struct exec_strings *s, u64 count, u64 skip)
{
        if (s->blob)
                return put_from_blob(b, s, skip);
        return put_from_user(b, s, count, skip);
}

/* ---- Arguments ---- */

/* What a script puts before the arguments, in place of argv[0]: of the innermost first, interpreter
 * and argument; at the end the script the caller named. */
static u64 count_prefix(const struct loading *l)
{
        u64 n = 0;
        for (u32 i = 0; i < l->scripts; i++)
                n += l->script[i].arg_len ? 2 : 1;
        return l->scripts ? n + 1 : 0;
}

static err_t put_prefix(struct loading *l, struct block *b)
{
        for (u32 i = l->scripts; i > 0; i--) {
                const struct script *s = &l->script[i - 1];
                TRY(put_one(b, script_interp(s)));
                if (s->arg_len)
                        TRY(put_one(b, script_arg(s)));
        }
        return l->scripts ? put_one(b, blob_bytes(l->req->path)) : OK;
}

struct counts { u64 argc, envc, prefix, skip; };

static err_t put_arguments(struct loading *l, struct block *b, const struct counts *c)
{
        u64 argc = c->prefix + c->argc - c->skip;
        TRY(put_u64(&b->words, argc ? argc : 1));
        l->layout.arg_start = b->text.at;
        TRY(put_prefix(l, b));
        TRY(put_strings(b, &l->req->argv, c->argc, c->skip));
        /* A program without argv[0] would read its environment as arguments: it gets an empty one. */
        if (!argc)
                TRY(put_one(b, NO_BYTES));
        TRY(put_u64(&b->words, 0));
        l->layout.arg_end = l->layout.env_start = b->text.at;
        TRY(put_strings(b, &l->req->envp, c->envc, 0));
        l->layout.env_end = b->text.at;
        return put_u64(&b->words, 0);
}

/* ---- Auxiliary vector ---- */

struct auxv { u64 word[VM_AUXV_WORDS]; u32 n; };

static void aux(struct auxv *v, u64 type, u64 value)
{
        v->word[v->n] = type;
        v->word[v->n + 1] = value;
        v->n += 2;
}

struct places_of { u64 random, platform, path; };

static void fill_auxv(struct loading *l, struct auxv *v, struct places_of at)
{
        struct cpu_info cpu = cpu_info(0);
        if (l->vdso)
                aux(v, AT_SYSINFO_EHDR, l->vdso);
        aux(v, AT_MINSIGSTKSZ, SIGFRAME_ROOM + fpu_size());
        aux(v, AT_HWCAP, cpu.hwcap);
        aux(v, AT_PAGESZ, PAGE_SIZE);
        aux(v, AT_CLKTCK, CLOCK_TICKS);
        aux(v, AT_PHDR, l->phdr);
        aux(v, AT_PHENT, sizeof(struct linux_elf64_phdr));
        aux(v, AT_PHNUM, l->phnum);
        aux(v, AT_BASE, l->interp_base);
        aux(v, AT_FLAGS, 0);
        aux(v, AT_ENTRY, l->entry);
        aux(v, AT_UID, l->cred->uid);
        aux(v, AT_EUID, l->cred->euid);
        aux(v, AT_GID, l->cred->gid);
        aux(v, AT_EGID, l->cred->egid);
        aux(v, AT_SECURE, l->secure & CRED_SECURE);
        aux(v, AT_RANDOM, at.random);
        aux(v, AT_HWCAP2, cpu.hwcap2);
        aux(v, AT_EXECFN, at.path);
        aux(v, AT_PLATFORM, at.platform);
        aux(v, AT_NULL, 0);
}

/* ---- The stack ---- */

/* The vDSO: its data first, its code behind it, as user/vdso was linked. */
static err_t map_vdso(struct loading *l)
{
        struct vm_special *code = vm_vdso_code(l->req->domain), *data = vm_vdso_data(l->req->domain);
        if (!code || !data)
                return OK;
        u64 before = (u64)vm_special_pages(data) << PAGE_SHIFT;
        u64 at = vm_place(l->vm, before + ((u64)vm_special_pages(code) << PAGE_SHIFT));
        if (!at)
                return ERR(ENOMEM);
        TRY(vm_map_special(l->vm, at, data, VM_READ));
        TRY(vm_map_special(l->vm, at + before, code, VM_READ | VM_EXEC));
        l->vdso = at + before;
        return OK;
}

err_t exec_check_arguments(const struct exec_strings *argv, const struct exec_strings *envp)
{
        u64 n = 0;
        TRY(count_strings(argv, ARG_ROOM_MAX / sizeof(u64), &n));
        return count_strings(envp, ARG_ROOM_MAX / sizeof(u64), &n);
}

static u64 room_for_arguments(const struct loading *l)
{
        return page_down(min_u64(max_u64(l->req->stack_limit / 4, ARG_ROOM_MIN), ARG_ROOM_MAX));
}

static err_t count_all(struct loading *l, u64 room, struct counts *c)
{
        TRY(count_strings(&l->req->argv, room / sizeof(u64), &c->argc));
        TRY(count_strings(&l->req->envp, room / sizeof(u64), &c->envc));
        c->prefix = count_prefix(l);
        c->skip = l->scripts && c->argc ? 1 : 0;
        return OK;
}

/* Fills [base, …) of the stack; base: page-aligned. */
static err_t write_block(struct loading *l, struct block *b, const struct counts *c)
{
        struct auxv v = {};
        u64 noise[2] = { random_u64(), random_u64() };
        struct places_of at = { .random = b->text.at };
        TRY(put_bytes(&b->text, BYTES_OF(noise)));
        at.platform = b->text.at;
        TRY(put_string(&b->text, STR("x86_64")));
        TRY(put_arguments(l, b, c));
        at.path = b->text.at;
        TRY(put_string(&b->text, blob_bytes(l->req->path)));
        fill_auxv(l, &v, at);
        TRY(put_bytes(&b->words, bytes_take(BYTES_OF(v.word), v.n * sizeof(u64))));
        vm_set_auxv(l->vm, bytes_take(BYTES_OF(v.word), v.n * sizeof(u64)));
        return OK;
}

err_t stack_build(struct loading *l)
{
        u64 room = room_for_arguments(l);
        struct counts c = {};
        TRY(count_all(l, room, &c));

        /* argc and two NULLs, and where argv[0] has to be made up, its pointer. */
        u64 words = 4 + c.prefix + c.argc + c.envc + 2 * AUXV_PAIRS;
        u64 base = page_down(l->places.stack_top - room) - PAGE_SIZE;
        u64 skew = l->req->randomize ? (random_u64() & (PAGE_SIZE / 2 - 1)) & ~15ul : 0;
        u64 first = base - min_u64(STACK_FIRST, page_down(l->req->stack_limit));
        u32 prot = VM_READ | VM_WRITE | (l->exec_stack ? VM_EXEC : 0);
        l->sp = base + PAGE_SIZE / 2 + skew;            /* below it: room for the program's first frames */
        if (words * sizeof(u64) >= room - PAGE_SIZE)
                return ERR(E2BIG);
        TRY(vm_map_stack(l->vm, first, base + room, prot));
        TRY(map_vdso(l));

        u64 text = l->sp + words * sizeof(u64);
        struct block b = { .words = { .vm = l->vm, .at = l->sp, .end = text },
                           .text = { .vm = l->vm, .at = text, .end = base + room } };
        err_t err = write_block(l, &b, &c);
        writer_close(&b.words);
        writer_close(&b.text);
        TRY(err);
        vm_trim_stack(l->vm, page_up(b.text.at));
        l->layout.start_stack = l->sp;
        return OK;
}
