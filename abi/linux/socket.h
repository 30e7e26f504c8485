/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets, addresses and their options as user space lays them out.
 */
#pragma once
#include "abi/linux/file.h"             /* struct linux_iovec */
#include "abi/linux/time.h"

/* Any address; the family says which.  Ports and internet addresses are big-endian. */
struct linux_sockaddr {
        u16 sa_family;
        u8 sa_data[14];
};

struct linux_sockaddr_storage {
        u16 ss_family;
        u8 pad[6];
        u64 align[15];
};

struct linux_sockaddr_un {
        u16 sun_family;
        u8 sun_path[108];
};

struct linux_in_addr {
        u32 s_addr;
};

struct linux_sockaddr_in {
        u16 sin_family;
        u16 sin_port;
        struct linux_in_addr sin_addr;
        u8 pad[8];
};

struct linux_in6_addr {
        u32 s6_addr32[4];
};

struct linux_sockaddr_in6 {
        u16 sin6_family;
        u16 sin6_port;
        u32 sin6_flowinfo;
        struct linux_in6_addr sin6_addr;
        u32 sin6_scope_id;
};

struct linux_sockaddr_nl {
        u16 nl_family;
        u16 nl_pad;
        u32 nl_pid;
        u32 nl_groups;
};

struct linux_sockaddr_ll {
        u16 sll_family;
        u16 sll_protocol;
        i32 sll_ifindex;
        u16 sll_hatype;
        u8 sll_pkttype;
        u8 sll_halen;
        u8 sll_addr[8];
};

struct linux_msghdr {
        u64 msg_name;
        i32 msg_namelen;
        u32 pad0;
        u64 msg_iov;
        u64 msg_iovlen;
        u64 msg_control;
        u64 msg_controllen;
        u32 msg_flags;
        u32 pad1;
};

struct linux_mmsghdr {
        struct linux_msghdr msg_hdr;
        u32 msg_len;
        u32 pad;
};

struct linux_cmsghdr {                  /* then the data; the next one is 8-aligned */
        u64 cmsg_len;
        i32 cmsg_level;
        i32 cmsg_type;
};

struct linux_ucred {
        i32 pid;
        u32 uid;
        u32 gid;
};

struct linux_linger {
        i32 l_onoff;
        i32 l_linger;
};

struct linux_ip_mreq {
        struct linux_in_addr imr_multiaddr;
        struct linux_in_addr imr_interface;
};

struct linux_ip_mreqn {
        struct linux_in_addr imr_multiaddr;
        struct linux_in_addr imr_address;
        i32 imr_ifindex;
};

struct linux_ip_mreq_source {
        u32 imr_multiaddr;
        u32 imr_interface;
        u32 imr_sourceaddr;
};

struct linux_in_pktinfo {
        i32 ipi_ifindex;
        struct linux_in_addr ipi_spec_dst;
        struct linux_in_addr ipi_addr;
};

struct linux_ipv6_mreq {
        struct linux_in6_addr ipv6mr_multiaddr;
        i32 ipv6mr_ifindex;
};

struct linux_in6_pktinfo {
        struct linux_in6_addr ipi6_addr;
        i32 ipi6_ifindex;
};

struct linux_ip6_mtuinfo {
        struct linux_sockaddr_in6 ip6m_addr;
        u32 ip6m_mtu;
};

struct linux_group_req {
        u32 gr_interface;
        u32 pad;
        struct linux_sockaddr_storage gr_group;
};

struct linux_group_source_req {
        u32 gsr_interface;
        u32 pad;
        struct linux_sockaddr_storage gsr_group;
        struct linux_sockaddr_storage gsr_source;
};

struct linux_sock_extended_err {
        u32 ee_errno;
        u8 ee_origin;
        u8 ee_type;
        u8 ee_code;
        u8 ee_pad;
        u32 ee_info;
        u32 ee_data;
};

struct linux_scm_timestamping {
        struct linux_timespec ts[3];
};

struct linux_tcp_info {
        u8 tcpi_state;
        u8 tcpi_ca_state;
        u8 tcpi_retransmits;
        u8 tcpi_probes;
        u8 tcpi_backoff;
        u8 tcpi_options;
        u8 tcpi_wscale;                 /* send in the low four bits, receive in the high */
        u8 tcpi_flags;                  /* bit 0 delivery rate app limited, 1-2 fast open failure */
        u32 tcpi_rto;
        u32 tcpi_ato;
        u32 tcpi_snd_mss;
        u32 tcpi_rcv_mss;
        u32 tcpi_unacked;
        u32 tcpi_sacked;
        u32 tcpi_lost;
        u32 tcpi_retrans;
        u32 tcpi_fackets;
        u32 tcpi_last_data_sent;
        u32 tcpi_last_ack_sent;
        u32 tcpi_last_data_recv;
        u32 tcpi_last_ack_recv;
        u32 tcpi_pmtu;
        u32 tcpi_rcv_ssthresh;
        u32 tcpi_rtt;
        u32 tcpi_rttvar;
        u32 tcpi_snd_ssthresh;
        u32 tcpi_snd_cwnd;
        u32 tcpi_advmss;
        u32 tcpi_reordering;
        u32 tcpi_rcv_rtt;
        u32 tcpi_rcv_space;
        u32 tcpi_total_retrans;
        u64 tcpi_pacing_rate;
        u64 tcpi_max_pacing_rate;
        u64 tcpi_bytes_acked;
        u64 tcpi_bytes_received;
        u32 tcpi_segs_out;
        u32 tcpi_segs_in;
        u32 tcpi_notsent_bytes;
        u32 tcpi_min_rtt;
        u32 tcpi_data_segs_in;
        u32 tcpi_data_segs_out;
        u64 tcpi_delivery_rate;
        u64 tcpi_busy_time;
        u64 tcpi_rwnd_limited;
        u64 tcpi_sndbuf_limited;
        u32 tcpi_delivered;
        u32 tcpi_delivered_ce;
        u64 tcpi_bytes_sent;
        u64 tcpi_bytes_retrans;
        u32 tcpi_dsack_dups;
        u32 tcpi_reord_seen;
        u32 tcpi_rcv_ooopack;
        u32 tcpi_snd_wnd;
};

/* AF_PACKET */
struct linux_packet_mreq {
        i32 mr_ifindex;
        u16 mr_type;
        u16 mr_alen;
        u8 mr_address[8];
};

struct linux_tpacket_auxdata {
        u32 tp_status;
        u32 tp_len;
        u32 tp_snaplen;
        u16 tp_mac;
        u16 tp_net;
        u16 tp_vlan_tci;
        u16 tp_vlan_tpid;
};

struct linux_tpacket_stats {
        u32 tp_packets;
        u32 tp_drops;
};

/* Interface ioctls (SIOCGIF*) */
struct linux_ifmap {
        u64 mem_start;
        u64 mem_end;
        u16 base_addr;
        u8 irq;
        u8 dma;
        u8 port;
        u8 pad[3];
};

union linux_ifreq_value {
        struct linux_sockaddr addr;     /* dstaddr, broadaddr, netmask, hwaddr */
        i16 flags;
        i32 ivalue;                     /* ifindex, metric, mtu, bandwidth, txqlen */
        struct linux_ifmap map;
        u8 name[16];                    /* slave, newname */
        u64 data;                       /* a user address */
};

struct linux_ifreq {
        u8 ifr_name[16];
        union linux_ifreq_value u;
};

struct linux_ifconf {
        i32 ifc_len;
        u32 pad;
        u64 ifc_buf;
};

struct linux_in6_ifreq {
        struct linux_in6_addr ifr6_addr;
        u32 ifr6_prefixlen;
        i32 ifr6_ifindex;
};

struct linux_rtentry {                  /* SIOCADDRT */
        u64 rt_pad1;
        struct linux_sockaddr rt_dst;
        struct linux_sockaddr rt_gateway;
        struct linux_sockaddr rt_genmask;
        u16 rt_flags;
        i16 rt_pad2;
        u32 pad0;
        u64 rt_pad3;
        u64 rt_pad4;
        i16 rt_metric;
        u16 pad1[3];
        u64 rt_dev;
        u64 rt_mtu;
        u64 rt_window;
        u16 rt_irtt;
        u16 pad2[3];
};

struct linux_arpreq {                   /* SIOCSARP */
        struct linux_sockaddr arp_pa;
        struct linux_sockaddr arp_ha;
        i32 arp_flags;
        struct linux_sockaddr arp_netmask;
        u8 arp_dev[16];
};
