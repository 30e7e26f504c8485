/* SPDX-License-Identifier: Apache-2.0
 *
 * Times, timers and clocks as user space lays them out.
 */
#pragma once

struct linux_timespec {
        i64 tv_sec;
        i64 tv_nsec;
};

struct linux_timeval {
        i64 tv_sec;
        i64 tv_usec;
};

struct linux_timezone {
        i32 tz_minuteswest;
        i32 tz_dsttime;
};

struct linux_itimerval {
        struct linux_timeval it_interval;
        struct linux_timeval it_value;
};

struct linux_itimerspec {
        struct linux_timespec it_interval;
        struct linux_timespec it_value;
};

struct linux_tms {
        i64 tms_utime;                  /* in ticks of 1/USER_HZ second, as all four */
        i64 tms_stime;
        i64 tms_cutime;
        i64 tms_cstime;
};

struct linux_utimbuf {
        i64 actime;
        i64 modtime;
};

/* adjtimex(2), clock_adjtime(2) */
struct linux_timex {
        u32 modes;
        u32 pad0;
        i64 offset;
        i64 freq;
        i64 maxerror;
        i64 esterror;
        i32 status;
        u32 pad1;
        i64 constant;
        i64 precision;
        i64 tolerance;
        struct linux_timeval time;
        i64 tick;
        i64 ppsfreq;
        i64 jitter;
        i32 shift;
        u32 pad2;
        i64 stabil;
        i64 jitcnt;
        i64 calcnt;
        i64 errcnt;
        i64 stbcnt;
        i32 tai;
        u32 pad3[11];
};

/* /dev/rtc */
struct linux_rtc_time {
        i32 tm_sec;
        i32 tm_min;
        i32 tm_hour;
        i32 tm_mday;
        i32 tm_mon;
        i32 tm_year;
        i32 tm_wday;
        i32 tm_yday;
        i32 tm_isdst;
};

struct linux_rtc_wkalrm {
        u8 enabled;
        u8 pending;
        u16 pad;
        struct linux_rtc_time time;
};
