/* SPDX-License-Identifier: Apache-2.0
 *
 * Netlink messages as user space lays them out.
 */
#pragma once

struct linux_nlmsghdr {
        u32 nlmsg_len;
        u16 nlmsg_type;
        u16 nlmsg_flags;
        u32 nlmsg_seq;
        u32 nlmsg_pid;
};

struct linux_nlmsgerr {
        i32 error;
        struct linux_nlmsghdr msg;
};

struct linux_nlattr {                   /* rtattr too: then the data, 4-aligned */
        u16 nla_len;
        u16 nla_type;
};

struct linux_genlmsghdr {
        u8 cmd;
        u8 version;
        u16 reserved;
};

struct linux_rtgenmsg {
        u8 rtgen_family;
};

struct linux_ifinfomsg {
        u8 ifi_family;
        u8 ifi_pad;
        u16 ifi_type;
        i32 ifi_index;
        u32 ifi_flags;
        u32 ifi_change;
};

struct linux_ifaddrmsg {
        u8 ifa_family;
        u8 ifa_prefixlen;
        u8 ifa_flags;
        u8 ifa_scope;
        u32 ifa_index;
};

struct linux_ifa_cacheinfo {
        u32 ifa_prefered;
        u32 ifa_valid;
        u32 cstamp;
        u32 tstamp;
};

struct linux_ifla_cacheinfo {
        u32 max_reasm_len;
        u32 tstamp;
        u32 reachable_time;
        u32 retrans_time;
};

struct linux_rtmsg {
        u8 rtm_family;
        u8 rtm_dst_len;
        u8 rtm_src_len;
        u8 rtm_tos;
        u8 rtm_table;
        u8 rtm_protocol;
        u8 rtm_scope;
        u8 rtm_type;
        u32 rtm_flags;
};

struct linux_rtnexthop {
        u16 rtnh_len;
        u8 rtnh_flags;
        u8 rtnh_hops;
        i32 rtnh_ifindex;
};

struct linux_rta_cacheinfo {
        u32 rta_clntref;
        u32 rta_lastuse;
        i32 rta_expires;
        u32 rta_error;
        u32 rta_used;
        u32 rta_id;
        u32 rta_ts;
        u32 rta_tsage;
};

struct linux_ndmsg {
        u8 ndm_family;
        u8 ndm_pad1;
        u16 ndm_pad2;
        i32 ndm_ifindex;
        u16 ndm_state;
        u8 ndm_flags;
        u8 ndm_type;
};

struct linux_nda_cacheinfo {
        u32 ndm_confirmed;
        u32 ndm_used;
        u32 ndm_updated;
        u32 ndm_refcnt;
};

struct linux_tcmsg {
        u8 tcm_family;
        u8 tcm_pad1;
        u16 tcm_pad2;
        i32 tcm_ifindex;
        u32 tcm_handle;
        u32 tcm_parent;
        u32 tcm_info;
};

struct linux_if_stats_msg {
        u8 family;
        u8 pad1;
        u16 pad2;
        u32 ifindex;
        u32 filter_mask;
};

struct linux_rtnl_link_stats {
        u32 rx_packets;
        u32 tx_packets;
        u32 rx_bytes;
        u32 tx_bytes;
        u32 rx_errors;
        u32 tx_errors;
        u32 rx_dropped;
        u32 tx_dropped;
        u32 multicast;
        u32 collisions;
        u32 rx_length_errors;
        u32 rx_over_errors;
        u32 rx_crc_errors;
        u32 rx_frame_errors;
        u32 rx_fifo_errors;
        u32 rx_missed_errors;
        u32 tx_aborted_errors;
        u32 tx_carrier_errors;
        u32 tx_fifo_errors;
        u32 tx_heartbeat_errors;
        u32 tx_window_errors;
        u32 rx_compressed;
        u32 tx_compressed;
        u32 rx_nohandler;
};

struct linux_rtnl_link_stats64 {
        u64 rx_packets;
        u64 tx_packets;
        u64 rx_bytes;
        u64 tx_bytes;
        u64 rx_errors;
        u64 tx_errors;
        u64 rx_dropped;
        u64 tx_dropped;
        u64 multicast;
        u64 collisions;
        u64 rx_length_errors;
        u64 rx_over_errors;
        u64 rx_crc_errors;
        u64 rx_frame_errors;
        u64 rx_fifo_errors;
        u64 rx_missed_errors;
        u64 tx_aborted_errors;
        u64 tx_carrier_errors;
        u64 tx_fifo_errors;
        u64 tx_heartbeat_errors;
        u64 tx_window_errors;
        u64 rx_compressed;
        u64 tx_compressed;
        u64 rx_nohandler;
        u64 rx_otherhost_dropped;
};

struct linux_rtnl_link_ifmap {
        u64 mem_start;
        u64 mem_end;
        u64 base_addr;
        u16 irq;
        u8 dma;
        u8 port;
        u32 pad;
};

/* sock_diag(7) */
struct linux_sock_diag_req {
        u8 sdiag_family;
        u8 sdiag_protocol;
};

struct linux_inet_diag_sockid {
        u16 idiag_sport;
        u16 idiag_dport;
        u32 idiag_src[4];
        u32 idiag_dst[4];
        u32 idiag_if;
        u32 idiag_cookie[2];
};

struct linux_inet_diag_req_v2 {
        u8 sdiag_family;
        u8 sdiag_protocol;
        u8 idiag_ext;
        u8 pad;
        u32 idiag_states;
        struct linux_inet_diag_sockid id;
};

struct linux_inet_diag_msg {
        u8 idiag_family;
        u8 idiag_state;
        u8 idiag_timer;
        u8 idiag_retrans;
        struct linux_inet_diag_sockid id;
        u32 idiag_expires;
        u32 idiag_rqueue;
        u32 idiag_wqueue;
        u32 idiag_uid;
        u32 idiag_inode;
};

struct linux_inet_diag_meminfo {
        u32 idiag_rmem;
        u32 idiag_wmem;
        u32 idiag_fmem;
        u32 idiag_tmem;
};

struct linux_unix_diag_req {
        u8 sdiag_family;
        u8 sdiag_protocol;
        u16 pad;
        u32 udiag_states;
        u32 udiag_ino;
        u32 udiag_show;
        u32 udiag_cookie[2];
};

struct linux_unix_diag_msg {
        u8 udiag_family;
        u8 udiag_type;
        u8 udiag_state;
        u8 pad;
        u32 udiag_ino;
        u32 udiag_cookie[2];
};

struct linux_unix_diag_vfs {
        u32 udiag_vfs_ino;
        u32 udiag_vfs_dev;
};

struct linux_unix_diag_rqlen {
        u32 udiag_rqueue;
        u32 udiag_wqueue;
};
