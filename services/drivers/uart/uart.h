/* SPDX-License-Identifier: Apache-2.0
 *
 * 16550A serial ports: /dev/ttyS0 to ttyS3.
 */
#pragma once

/* Finds the ports of the machine and registers their terminals.  console: which one
 * console= names (0 to 3), or -1. */
void uart_init(i32 console);
