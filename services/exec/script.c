/* SPDX-License-Identifier: Apache-2.0
 *
 * Interpreter scripts: "#!interpreter [argument]" in the first line, as execve(2) tells.
 * The argument is one, spaces inside it and all.
 */
#include "services/exec/exec_impl.h"

static bool is_blank(u8 c) { return c == ' ' || c == '\t'; }

static usize skip_blanks(bytes b, usize i)
{
        while (i < bytes_len(b) && is_blank(bytes_at(b, i)))
                i++;
        return i;
}

static usize skip_word(bytes b, usize i)
{
        while (i < bytes_len(b) && !is_blank(bytes_at(b, i)) && bytes_at(b, i))
                i++;
        return i;
}

/* Parses a line that starts with "#!".  ENOEXEC: no interpreter, or one cut off by the line's limit. */
static err_t parse(bytes head, struct script *s)
{
        usize end = bytes_find(head, '\n');
        bool whole = end < HEAD_BYTES;           /* a short file ends its line */
        bytes line = bytes_take(head, end);

        usize nul = bytes_find(line, 0);
        if (nul < bytes_len(line)) {
                whole = true;
                line = bytes_take(line, nul);
        }
        usize from = skip_blanks(line, 2);
        usize to = skip_word(line, from);
        if (to == from || (to == bytes_len(line) && !whole))
                return ERR(ENOEXEC);
        s->interp = (u32)from;
        s->interp_len = (u32)(to - from);
        from = skip_blanks(line, to);
        to = bytes_len(line);
        while (to > from && is_blank(bytes_at(line, to - 1)))
                to--;
        s->arg = (u32)from;
        s->arg_len = (u32)(to - from);
        return OK;
}

bytes script_interp(const struct script *s) { return bytes_sub(blob_bytes(s->line), s->interp, s->interp_len); }
bytes script_arg(const struct script *s)    { return bytes_sub(blob_bytes(s->line), s->arg, s->arg_len); }

static err_t read_head(struct loading *l)
{
        l->head_len = 0;
        mbytes_fill(MBYTES_OF(l->head), 0);
        return file_read_kernel(l->file, 0, MBYTES_OF(l->head), &l->head_len);
}

static err_t follow(struct loading *l)
{
        struct script s = {};
        bytes head = bytes_take(BYTES_OF(l->head), l->head_len);
        TRY(parse(head, &s));
        /* The interpreter could not open what it is told to read. */
        if (l->req->fd_closes)
                return ERR(ENOENT);
        if (l->scripts == EXEC_MAX_DEPTH)
                return ERR(ELOOP);
        s.line = blob_copy(l->req->payer, head);
        if (!s.line)
                return ERR(ENOMEM);
        l->script[l->scripts++] = s;

        struct file *next = NULL;
        TRY(l->req->ops->open(script_interp(&s), &next));
        file_drop(l->file);
        l->file = next;
        return OK;
}

err_t script_resolve(struct loading *l)
{
        for (;;) {
                TRY(read_head(l));
                if (!bytes_starts(bytes_take(BYTES_OF(l->head), l->head_len), STR("#!")))
                        return OK;
                TRY(follow(l));
        }
}
