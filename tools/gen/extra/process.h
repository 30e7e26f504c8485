/* Constants of the Linux ABI that its UAPI headers leave out: processes. */
#define SYSLOG_ACTION_CLOSE             0
#define SYSLOG_ACTION_OPEN              1
#define SYSLOG_ACTION_READ              2
#define SYSLOG_ACTION_READ_ALL          3
#define SYSLOG_ACTION_READ_CLEAR        4
#define SYSLOG_ACTION_CLEAR             5
#define SYSLOG_ACTION_CONSOLE_OFF       6
#define SYSLOG_ACTION_CONSOLE_ON        7
#define SYSLOG_ACTION_CONSOLE_LEVEL     8
#define SYSLOG_ACTION_SIZE_UNREAD       9
#define SYSLOG_ACTION_SIZE_BUFFER       10
#define LOG_EMERG       0
#define LOG_ALERT       1
#define LOG_CRIT        2
#define LOG_ERR         3
#define LOG_WARNING     4
#define LOG_NOTICE      5
#define LOG_INFO        6
#define LOG_DEBUG       7
#define LOG_KERN        0
#define LOG_USER        8
/* wait(2) status words: the low seven bits are the signal, then the core bit. */
#define WCOREFLAG       0x80
/* glibc's names of the reboot(2) commands. */
#define RB_AUTOBOOT     LINUX_REBOOT_CMD_RESTART
#define RB_HALT_SYSTEM  LINUX_REBOOT_CMD_HALT
#define RB_ENABLE_CAD   LINUX_REBOOT_CMD_CAD_ON
#define RB_DISABLE_CAD  LINUX_REBOOT_CMD_CAD_OFF
#define RB_POWER_OFF    LINUX_REBOOT_CMD_POWER_OFF
#define RB_SW_SUSPEND   LINUX_REBOOT_CMD_SW_SUSPEND
#define RB_KEXEC        LINUX_REBOOT_CMD_KEXEC
/* Clock ticks per second that user space sees in /proc and times(2). */
#define USER_HZ         100
/* The size of a thread's name, with its zero. */
#define TASK_COMM_LEN   16
/* The longest single string of execve(2): 32 pages. */
#define MAX_ARG_STRLEN  131072
