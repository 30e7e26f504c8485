/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks, as the rest of the framework sees them.
 */
#pragma once
#include "task_impl.h"

void lock_release_oopsed(enum held_kind kind, void *lock);
