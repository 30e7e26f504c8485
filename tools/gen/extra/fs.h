/* Constants of the Linux ABI that its UAPI headers leave out: file systems. */
#define MNT_FORCE       1
#define MNT_DETACH      2
#define MNT_EXPIRE      4
#define UMOUNT_NOFOLLOW 8
#define S_IRWXUGO       (S_IRWXU | S_IRWXG | S_IRWXO)
#define S_IALLUGO       (S_ISUID | S_ISGID | S_ISVTX | S_IRWXUGO)
#define S_IRUGO         (S_IRUSR | S_IRGRP | S_IROTH)
#define S_IWUGO         (S_IWUSR | S_IWGRP | S_IWOTH)
#define S_IXUGO         (S_IXUSR | S_IXGRP | S_IXOTH)
/* statfs f_flags */
#define ST_RDONLY       0x0001
#define ST_NOSUID       0x0002
#define ST_NODEV        0x0004
#define ST_NOEXEC       0x0008
#define ST_SYNCHRONOUS  0x0010
#define ST_VALID        0x0020
#define ST_MANDLOCK     0x0040
#define ST_NOATIME      0x0400
#define ST_NODIRATIME   0x0800
#define ST_RELATIME     0x1000
#define ST_NOSYMFOLLOW  0x2000
/* File system magic numbers that linux/magic.h does not have. */
#define MQUEUE_MAGIC    0x19800202
/* Limits on links in a path walk, and on the depth of a symlink chain. */
#define MAXSYMLINKS     40
/* utimensat(2) */
#define UTIME_NOW       0x3fffffff
#define UTIME_OMIT      0x3ffffffe
