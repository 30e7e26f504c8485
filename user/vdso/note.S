/* SPDX-License-Identifier: Apache-2.0
 *
 * The note by which C libraries learn the version of the Linux ABI: "Linux", type 0,
 * the version as uname tells it.
 */
        .section .note.version, "a", @note
        .balign 4
        .long 2f - 1f, 4f - 3f, 0
1:      .asciz "Linux"
2:      .balign 4
3:      .long 0x060100
4:      .balign 4
        .section .note.GNU-stack, "", @progbits
