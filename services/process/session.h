/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions: a session id, its controlling terminal, its foreground group.
 */
#pragma once
#include "services/process/pid.h"

OBJECT(session) {
        struct pid *sid;                /* counted; fixed */
        struct process *leader;         /* borrowed: NULL after it has exited; tree lock */
        struct pid *hung_up;            /* counted: the foreground group of a terminal that hung up; tree lock; set by tty */
        struct tty *tty;                /* controlling terminal, counted by tty's own type; tree lock; set by tty */
};
POOL_DECLARE(session)

/* Registered by the tty service: called without locks when a session leader exits (hang-up, drop the tty). */
STABLE(session_ops) { void (*leader_exit)(struct session *s); };
void session_register(struct pid_ns *ns, const struct session_ops *ops);        /* at boot; inherited by namespaces below */
