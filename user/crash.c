/* SPDX-License-Identifier: Apache-2.0
 *
 * crash: as process 1, what a kernel does when it gets a fault that it does not handle.
 */
int main(void)
{
        int *volatile nowhere = (int *)8;

        *nowhere = 0;
        return 0;
}
