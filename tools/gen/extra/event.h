/* Constants of the Linux ABI that its UAPI headers leave out: event files. */
#define EFD_SEMAPHORE   00000001
#define EFD_CLOEXEC     02000000
#define EFD_NONBLOCK    00004000
