/* Constants of the Linux ABI that its UAPI headers leave out: IPC. */
#define SHMMAX          (0xffffffffffffffffUL - (1UL << 24))
#define SHMALL          (0xffffffffffffffffUL - (1UL << 24))
/* In shm_perm.mode, as IPC_STAT shows it. */
#define SHM_DEST        01000
#define SHM_LOCKED      02000
