/* Constants of the Linux ABI that its UAPI headers leave out: signals. */
#define NSIG            64              /* the kernel's _NSIG: the highest number */
#define SIGRTMAX        64
#define SIG_DFL         0UL             /* sa_handler values, as user addresses */
#define SIG_IGN         1UL
#define SIG_ERR         0xffffffffffffffffUL
