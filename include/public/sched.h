/* SPDX-License-Identifier: MIT */
/*
 * sched_op: giving up the processor, waiting for events, ending a domain.
 */
#pragma once

#include "public/event_channel.h"

#define SCHEDOP_yield 0
#define SCHEDOP_block 1
#define SCHEDOP_shutdown 2
#define SCHEDOP_poll 3
#define SCHEDOP_remote_shutdown 4
#define SCHEDOP_shutdown_code 5
#define SCHEDOP_watchdog 6
#define SCHEDOP_pin_override 7

/* Argument of shutdown and shutdown_code. */
struct sched_shutdown {
    uint32_t reason; /* SHUTDOWN_* */
};

struct sched_poll {
    XEN_GUEST_HANDLE(evtchn_port_t) ports;
    uint32_t nr_ports;
    uint32_t _pad;
    uint64_t timeout; /* absolute system time in ns; 0: none */
};
struct compat_sched_poll {
    COMPAT_GUEST_HANDLE(evtchn_port_t) ports;
    uint32_t nr_ports;
    compat_u64 timeout;
};

struct sched_remote_shutdown {
    uint16_t domain_id;
    uint16_t _pad;
    uint32_t reason;
};

struct sched_watchdog {
    uint32_t id;
    uint32_t timeout; /* seconds */
};

struct sched_pin_override {
    int32_t pcpu;
};

#define SHUTDOWN_poweroff 0
#define SHUTDOWN_reboot 1
#define SHUTDOWN_suspend 2
#define SHUTDOWN_crash 3
#define SHUTDOWN_watchdog 4
#define SHUTDOWN_soft_reset 5
