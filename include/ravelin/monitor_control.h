/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypercalls of both interfaces for monitors do to a watch: attach and
 * detach a listener, settings, answers, registers. Permission has been checked;
 * sizes and values of requests are checked here.
 */
#pragma once

#include "ravelin/evtchn.h"
#include "ravelin/monitor.h"

struct monitor_format;

/* What a listener binds to, in place of a port of the watched domain: there is
 * none, or that domain would see it. Beyond what a port can be. */
#define MONITOR_REMOTE_PORT EVTCHN_2L_NR_CHANNELS

/* The three formats of rings. */
extern const struct monitor_format monitor_format_own;
extern const struct monitor_format monitor_format_mem_event;
extern const struct monitor_format monitor_format_vm_event;

struct monitor_attach_request {
    struct domain *listener;
    const struct monitor_format *format;
    uint32_t slot_size;
    uint32_t slots; /* a power of two; consistent with the pages */
    uint32_t page_count;
    const uint64_t *gfns; /* of the listener; NULL: the one page that
                             HVM_PARAM_MONITOR_RING_PFN names */
};

/**
 * Attaches; nobody is told anything before something is listened to. No lock
 * held. Detached again if either domain has ended meanwhile.
 * @return 0; -EBUSY somebody is attached; -ENOENT a frame is no RAM; -ENOMEM;
 *         -ESRCH the listener is going. Nothing has changed on error.
 */
int rv_must_check monitor_attach(struct monitor *m,
                                 const struct monitor_attach_request *req);
/** Ends it: no intercepts, waiting vCPUs go on, pages are let go. No lock held.
 * 0; -ENOENT nobody is attached; -EBUSY somebody else is at it. */
int rv_must_check monitor_detach(struct monitor *m);
/** The same where it does not matter who does it. */
void monitor_drop(struct monitor *m);
/** Connects a port of `listener`, in place of an earlier one, and raises it.
 * 0; -EINVAL it is not attached; -ENOSPC, -ENOMEM. */
int rv_must_check monitor_port_bind(struct monitor *m, struct domain *listener,
                                    evtchn_port_t *port);
/** The port of `listener`; 0: it is not the one attached, or has none. */
evtchn_port_t monitor_port_of(const struct monitor *m,
                              const struct domain *listener);
/** Takes all answers and uses the room in the ring. No lock held. */
void monitor_resume(struct monitor *m);

/** Could this mode be listened with to this reason? */
bool monitor_mode_is_valid(unsigned reason, uint32_t mode);
/** HVMPME_* for a RAVELIN_REASON_*, in force on all vCPUs on return. No lock
 * held. 0; -ENOENT nobody is attached; -EINVAL. */
int rv_must_check monitor_listen(struct monitor *m, unsigned reason,
                                 uint32_t mode);
/** The mode of a reason, HVMPME_*. */
uint32_t monitor_mode_get(struct monitor *m, unsigned reason);
/** 0; -ENOENT nobody is attached; -EINVAL; -E2BIG; -ENOMEM. */
int rv_must_check monitor_filter_set(struct monitor *m, unsigned kind,
                                     const struct ravelin_range *ranges,
                                     unsigned count);
void monitor_status_get(struct monitor *m, struct ravelin_monitor_status *out);

/** `v` is out of guest mode and stays so. */
void monitor_registers_read(const struct vcpu *v,
                            struct ravelin_registers *out);
/** Takes over what a monitor may set; `v` as above. 0; -EINVAL what the
 * processor would refuse, and nothing has changed. */
int rv_must_check monitor_registers_write(struct vcpu *v,
                                          const struct ravelin_registers *in);
