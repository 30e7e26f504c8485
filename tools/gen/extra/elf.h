/* Constants of the Linux ABI that its UAPI headers leave out: ELF. */
#define NT_GNU_ABI_TAG  1
#define NT_GNU_BUILD_ID 3
