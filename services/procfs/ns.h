/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces as files, within procfs.  See ns.c.
 */
#pragma once
#include "services/procfs/tree.h"
#include "services/namespace/namespace.h"

extern const struct proc_dir proc_ns_dir;                /* /proc/PID/ns */
void proc_ns_init(void);
