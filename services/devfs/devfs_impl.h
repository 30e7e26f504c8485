/* SPDX-License-Identifier: Apache-2.0
 *
 * The devices of this folder.
 */
#pragma once
#include "services/devfs/devfs.h"

void mem_init(void);
void kmsg_init(void);
