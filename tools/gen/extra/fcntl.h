/* Constants of the Linux ABI that its UAPI headers leave out: files. */
#define DT_UNKNOWN      0
#define DT_FIFO         1
#define DT_CHR          2
#define DT_DIR          4
#define DT_BLK          6
#define DT_REG          8
#define DT_LNK          10
#define DT_SOCK         12
#define DT_WHT          14
#define SPLICE_F_MOVE           0x01
#define SPLICE_F_NONBLOCK       0x02
#define SPLICE_F_MORE           0x04
#define SPLICE_F_GIFT           0x08
#define R_OK            4
#define W_OK            2
#define X_OK            1
#define F_OK            0
/* What open(2) looks at; O_LARGEFILE is set by 64-bit calls themselves. */
#define VALID_OPEN_FLAGS (O_RDONLY | O_WRONLY | O_RDWR | O_CREAT | O_EXCL | O_NOCTTY | \
        O_TRUNC | O_APPEND | O_NDELAY | O_NONBLOCK | O_SYNC | O_DSYNC | FASYNC | O_DIRECT | \
        O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE)
/* The bit that tells O_TMPFILE from O_DIRECTORY, and O_SYNC from O_DSYNC. */
#define O_TMPFILE_BIT   020000000
#define O_SYNC_BIT      04000000
/* The longest f_handle that name_to_handle_at(2) writes. */
#define MAX_HANDLE_SZ   128
