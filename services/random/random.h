/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers: getrandom(2), /dev/random, addresses and names that nobody can guess.
 */
#pragma once

void random_init(void);                 /* first of all services */
void random_fill(mbytes out);           /* cryptographic; never blocks */
u64  random_u64(void);
void random_add(bytes more);         /* mixed in; credits nothing */
