/* Constants of the Linux ABI that its UAPI headers leave out: ELF. */
#define NT_GNU_ABI_TAG  1
#define NT_GNU_BUILD_ID 3
#define AT_HWCAP3       29
#define AT_HWCAP4       30
