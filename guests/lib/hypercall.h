/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls through the page that the hypervisor filled in, typed by the
 * public headers, and the bare instruction for tests of the entry itself.
 * The result is 0 or positive, or a negative XEN_E* number.
 */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include <stdint.h>

#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xen.h>

extern uint8_t hypercall_page[4096];

#ifdef __x86_64__
static inline long hypercall(unsigned int nr, unsigned long a1,
                             unsigned long a2, unsigned long a3,
                             unsigned long a4, unsigned long a5)
{
    long ret;
    register unsigned long r10 asm("r10") = a4;
    register unsigned long r8 asm("r8") = a5;

    asm volatile("call *%[page]"
                 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                 : [page] "0"(hypercall_page + nr * 32)
                 : "memory", "rcx", "r11", "cc");
    return ret;
}

/* VMMCALL itself: numbers beyond the page, and measurements. */
static inline long hypercall_raw(unsigned long nr, unsigned long a1,
                                 unsigned long a2, unsigned long a3,
                                 unsigned long a4, unsigned long a5)
{
    long ret;
    register unsigned long r10 asm("r10") = a4;
    register unsigned long r8 asm("r8") = a5;

    asm volatile("vmmcall"
                 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                 : "0"(nr)
                 : "memory", "rcx", "r11", "cc");
    return ret;
}
#else
static inline long hypercall(unsigned int nr, unsigned long a1,
                             unsigned long a2, unsigned long a3,
                             unsigned long a4, unsigned long a5)
{
    long ret;

    asm volatile("call *%[page]"
                 : "=a"(ret), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5)
                 : [page] "0"(hypercall_page + nr * 32)
                 : "memory", "cc");
    return ret;
}

static inline long hypercall_raw(unsigned long nr, unsigned long a1,
                                 unsigned long a2, unsigned long a3,
                                 unsigned long a4, unsigned long a5)
{
    long ret;

    asm volatile("vmmcall"
                 : "=a"(ret), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5)
                 : "0"(nr)
                 : "memory", "cc");
    return ret;
}
#endif

static inline long hypercall2(unsigned int nr, unsigned long cmd,
                              const void *arg)
{
    return hypercall(nr, cmd, (unsigned long)arg, 0, 0, 0);
}

static inline long sched_op(unsigned int cmd, const void *arg)
{
    return hypercall2(__HYPERVISOR_sched_op, cmd, arg);
}

static inline long event_channel_op(unsigned int cmd, const void *arg)
{
    return hypercall2(__HYPERVISOR_event_channel_op, cmd, arg);
}

static inline long memory_op(unsigned int cmd, const void *arg)
{
    return hypercall2(__HYPERVISOR_memory_op, cmd, arg);
}

static inline long hvm_op(unsigned int cmd, const void *arg)
{
    return hypercall2(__HYPERVISOR_hvm_op, cmd, arg);
}

static inline long xen_version(unsigned int cmd, const void *arg)
{
    return hypercall2(__HYPERVISOR_xen_version, cmd, arg);
}

static inline long vcpu_op(unsigned int cmd, unsigned int vcpu, const void *arg)
{
    return hypercall(__HYPERVISOR_vcpu_op, cmd, vcpu, (unsigned long)arg, 0, 0);
}

static inline long console_io(unsigned int cmd, unsigned int count,
                              const char *buffer)
{
    return hypercall(__HYPERVISOR_console_io, cmd, count, (unsigned long)buffer,
                     0, 0);
}

/** Sets the singleshot timer of the vCPU to an absolute system time in ns. */
static inline long set_timer_op(uint64_t ns)
{
#ifdef __x86_64__
    return hypercall(__HYPERVISOR_set_timer_op, ns, 0, 0, 0, 0);
#else
    return hypercall(__HYPERVISOR_set_timer_op, (uint32_t)ns,
                     (uint32_t)(ns >> 32), 0, 0, 0);
#endif
}

#endif
