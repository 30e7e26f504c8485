/* SPDX-License-Identifier: Apache-2.0
 *
 * The framework's safe API, whole: force-included in every service and library
 * file.  What is not marked SAFE_API or a macro below is not for services.
 */
#pragma once
#include "frame/marks.h"
#include "frame/types.h"
#include "frame/err.h"
#include "frame/bytes.h"
#include "frame/object.h"
#include "frame/atomic.h"
#include "frame/lock.h"
#include "frame/task.h"
#include "frame/wait.h"
#include "frame/time.h"
#include "frame/frames.h"
#include "frame/vmspace.h"
#include "frame/arch/regs.h"
#include "frame/user.h"
#include "frame/io.h"
#include "frame/pci.h"
#include "frame/virtio.h"
#include "frame/log.h"
#include "frame/machine.h"
