/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: epoll_event is packed, so that 32-bit programs share it.
 */
#pragma once

struct PACKED linux_epoll_event {
        u32 events;
        u64 data;
};
