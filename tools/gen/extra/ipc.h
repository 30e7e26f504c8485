/* Constants of the Linux ABI that its UAPI headers leave out: IPC. */
#define SHMMAX          (0xffffffffffffffffUL - (1UL << 24))
#define SHMALL          (0xffffffffffffffffUL - (1UL << 24))
