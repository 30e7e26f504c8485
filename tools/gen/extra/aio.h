/* Constants of the Linux ABI that its UAPI headers leave out: vectors. */
#define IOV_MAX         1024
