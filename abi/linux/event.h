/* SPDX-License-Identifier: Apache-2.0
 *
 * poll and epoll as user space lays them out.
 */
#pragma once
#include "abi/cpu/epoll.h"              /* struct linux_epoll_event */

struct linux_pollfd {
        i32 fd;
        i16 events;
        i16 revents;
};
