/* Constants of the Linux ABI that its UAPI headers leave out: time. */
#define UTIME_NOW       ((1l << 30) - 1l)
#define UTIME_OMIT      ((1l << 30) - 2l)
