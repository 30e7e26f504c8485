/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's end of NETLINK_ROUTE: rtnetlink(7).  There are no network devices, addresses, routes or neighbours: dumps of them
 * are empty (a C library that looks up names waits for their end, and hears no error).  Other requests are answered by an
 * NLMSG_ERROR that carries them: EOPNOTSUPP.
 */
#include "services/net/netlink/netlink_impl.h"
#include "abi/const/netlink.h"

#define ANSWER_MAX 4096u                /* a longer request comes back without its data */

OBJECT(netlink_answer) { u8 data[ANSWER_MAX]; };
POOL_DECLARE(netlink_answer)
POOL_DEFINE(netlink_answer, NO_FINI);

/* To the request with header h: a code, and what follows it. */
static void reply(struct netlink_sock *s, const struct linux_nlmsghdr *h, u16 type, u16 flags, i32 code, bytes rest)
{
        struct linux_nlmsghdr out = { .nlmsg_len = (u32)(sizeof out + sizeof code + bytes_len(rest)), .nlmsg_type = type, .nlmsg_flags = flags,
                                      .nlmsg_seq = h->nlmsg_seq, .nlmsg_pid = s->port };
        struct netlink_answer *a = netlink_answer_alloc(payer_current(), MAY_RECLAIM);

        if (!a)
                return;
        mbytes_copy(MBYTES_OF(a->data), BYTES_OF(out));
        mbytes_copy(mbytes_skip(MBYTES_OF(a->data), sizeof out), BYTES_OF(code));
        mbytes_copy(mbytes_skip(MBYTES_OF(a->data), sizeof out + sizeof code), rest);
        (void)netlink_answer(s, bytes_take(BYTES_OF(a->data), out.nlmsg_len));
        netlink_answer_drop(a);
}

static void answer(struct netlink_sock *s, const struct linux_nlmsghdr *h, bytes request, int error)
{
        bool whole = error != 0 && !netlink_has(s, NETLINK_CAP_ACK) && bytes_len(request) + 20 <= ANSWER_MAX;

        reply(s, h, NLMSG_ERROR, error && !whole ? NLM_F_CAPPED : 0, -error, whole ? request : BYTES_OF(*h));
}

/* Of what there could be, and is not. */
static bool asks_for_dump(const struct linux_nlmsghdr *h)
{
        u32 of = h->nlmsg_type;

        return (h->nlmsg_flags & NLM_F_DUMP) != 0 && (of == RTM_GETLINK || of == RTM_GETADDR || of == RTM_GETROUTE || of == RTM_GETNEIGH);
}

void netlink_kernel(struct netlink_sock *s, bytes data)
{
        while (bytes_len(data) >= sizeof(struct linux_nlmsghdr)) {
                struct linux_nlmsghdr h = {};
                mbytes_copy(MBYTES_OF(h), bytes_take(data, sizeof h));
                if (h.nlmsg_len < sizeof h || h.nlmsg_len > bytes_len(data))
                        return;
                bool asks = (h.nlmsg_flags & NLM_F_REQUEST) != 0 && h.nlmsg_type >= NLMSG_MIN_TYPE;
                if (asks && asks_for_dump(&h))
                        reply(s, &h, NLMSG_DONE, NLM_F_MULTI, 0, STR(""));
                else if (asks || (h.nlmsg_flags & NLM_F_ACK))
                        answer(s, &h, bytes_take(data, h.nlmsg_len), asks ? EOPNOTSUPP : 0);
                data = bytes_skip(data, min_u64((h.nlmsg_len + 3ul) & ~3ul, bytes_len(data)));
        }
}
