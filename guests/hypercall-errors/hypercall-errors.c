/* SPDX-License-Identifier: MIT */
/*
 * Hypercall errors: unknown calls and sub-operations are -ENOSYS, malformed
 * arguments give the documented error and change nothing, bad guest pointers
 * are -EFAULT. Registers other than the result survive a call.
 *
 * Environments: all. Runs as any role; calls that only the hardware or control
 * domain may make are in the guest `privilege`.
 */

#include "guest.h"

const char test_title[] = "hypercall-errors: unknown, malformed, bad pointer";

/* No environment maps it, and no RAM is there. */
#define BAD_POINTER ((void *)UNMAPPED_VA)

struct sub_op {
    unsigned int nr;
    unsigned long cmd;
    const char *name;
};

static const struct sub_op unknown_ops[] = {
    {__HYPERVISOR_sched_op, 0x7f, "sched_op"},
    {__HYPERVISOR_event_channel_op, 0x7f, "event_channel_op"},
    {__HYPERVISOR_memory_op, 0x3f, "memory_op"},
    {__HYPERVISOR_xen_version, 0x7f, "xen_version"},
    {__HYPERVISOR_hvm_op, 0x7f, "hvm_op"},
};

/* Calls that fetch a structure: a bad pointer must be found before anything. */
static const struct sub_op pointer_ops[] = {
    {__HYPERVISOR_sched_op, SCHEDOP_shutdown, "shutdown"},
    {__HYPERVISOR_sched_op, SCHEDOP_poll, "poll"},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, "alloc_unbound"},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, "bind"},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, "bind_virq"},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, "bind_ipi"},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_close, "close"},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_send, "send"},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_status, "status"},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, "unmask"},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu, "bind_vcpu"},
    {__HYPERVISOR_memory_op, XENMEM_add_to_physmap, "add_to_physmap"},
    {__HYPERVISOR_memory_op, XENMEM_memory_map, "memory_map"},
    {__HYPERVISOR_hvm_op, HVMOP_set_param, "set_param"},
    {__HYPERVISOR_hvm_op, HVMOP_get_param, "get_param"},
    {__HYPERVISOR_xen_version, XENVER_extraversion, "extraversion"},
    {__HYPERVISOR_xen_version, XENVER_get_features, "get_features"},
};

static void unknown_numbers(void)
{
    static const unsigned int numbers[] = {63, 64, 127, 1000, 0x7fffffff};
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(numbers); i++) {
        CHECK_EQ(hypercall_raw(numbers[i], 1, 2, 3, 4, 5), -XEN_ENOSYS);
    }
    /* PV-only calls do not exist for a PVH guest. */
    CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, 0, 0, 0, 0, 0),
             -XEN_ENOSYS);
    CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, 0, 0, 0, 0, 0), -XEN_ENOSYS);
    CHECK_EQ(hypercall(__HYPERVISOR_set_segment_base, 0, 0, 0, 0, 0),
             -XEN_ENOSYS);
}

static void unknown_sub_ops(void)
{
    static uint8_t zeros[256];
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(unknown_ops); i++) {
        const struct sub_op *o = &unknown_ops[i];
        long rc = hypercall(o->nr, o->cmd, (unsigned long)zeros, 0, 0, 0);

        if (!CHECK(rc == -XEN_ENOSYS || rc == -XEN_EOPNOTSUPP)) {
            printf("  %s sub-op %lx gave %ld\n", o->name, o->cmd, rc);
        }
    }
    CHECK_EQ(vcpu_op(0x7f, 0, zeros), -XEN_ENOSYS);
    CHECK_EQ(console_io(17, 0, ""), -XEN_ENOSYS);
}

static void bad_pointers(void)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(pointer_ops); i++) {
        const struct sub_op *o = &pointer_ops[i];
        long rc = hypercall2(o->nr, o->cmd, BAD_POINTER);

        if (!CHECK_EQ(rc, -XEN_EFAULT)) {
            printf("  %s\n", o->name);
        }
    }
    CHECK_EQ(console_io(CONSOLEIO_write, 4, BAD_POINTER), -XEN_EFAULT);
    CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, BAD_POINTER), -XEN_EFAULT);
    /* These two may answer with the number of extents done instead. */
    CHECK(memory_op(XENMEM_decrease_reservation, BAD_POINTER) <= 0);
    CHECK(memory_op(XENMEM_populate_physmap, BAD_POINTER) <= 0);
#ifdef __x86_64__
    /* Not canonical: Xen drops the high bits, a stricter check is as good. */
    CHECK(event_channel_op(EVTCHNOP_send, (void *)0x8000000000000000ul) < 0);
    CHECK_EQ(event_channel_op(EVTCHNOP_send, (void *)0xffff800000000000ul),
             -XEN_EFAULT);
#endif
}

/* The second half of a structure that crosses into the hole is bad too. */
static void straddling_pointer(void)
{
#if PAGING_LEVELS > 0
    uint8_t *end = (uint8_t *)(UNMAPPED_VA - 4);

    CHECK_EQ(event_channel_op(EVTCHNOP_status, end), -XEN_EFAULT);
    CHECK_EQ(hvm_op(HVMOP_get_param, end), -XEN_EFAULT);
#endif
}

static void malformed_arguments(void)
{
    struct sched_poll poll = {.nr_ports = 129};
    uint64_t v;

    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL);
    CHECK_EQ(event_send(0), -XEN_EINVAL);
    CHECK_EQ(event_send(EVENT_PORTS), -XEN_EINVAL);
    CHECK_EQ(event_send(~0u), -XEN_EINVAL);
    CHECK_EQ(event_close(0), -XEN_EINVAL);
    CHECK_EQ(event_close(~0u), -XEN_EINVAL);
    CHECK_EQ(event_unmask_op(~0u), -XEN_EINVAL);
    CHECK_EQ(event_virq(NR_VIRQS, 0), -XEN_EINVAL);
    CHECK_EQ(event_virq(VIRQ_TIMER, 4096), -XEN_ENOENT);
    CHECK_EQ(event_ipi(4096), -XEN_ENOENT);
    CHECK_EQ(event_interdomain(0x7fef, 1), -XEN_ESRCH);
    CHECK_EQ(hvm_param_get(HVM_NR_PARAMS, &v), -XEN_EINVAL);
    CHECK_EQ(hvm_param_set(HVM_NR_PARAMS, 0), -XEN_EINVAL);
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 4096, NULL), -XEN_ENOENT);
    CHECK_EQ(vcpu_op(VCPUOP_up, 4096, NULL), -XEN_ENOENT);
}

static void memory_arguments(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF,
        .space = 0x55,
        .gpfn = PFN(image_start),
    };
    struct xen_memory_reservation r = {
        .nr_extents = 1,
        .extent_order = 40,
        .domid = DOMID_SELF,
    };
    xen_pfn_t pfn = ~0ul >> 13;
    uint8_t first = *image_start;
    long rc;

    CHECK_EQ(memory_op(XENMEM_add_to_physmap, &map), -XEN_EINVAL);
    map.domid = 0x7fef;
    rc = memory_op(XENMEM_add_to_physmap, &map);
    /* A plain guest need not learn that the domain does not exist. */
    CHECK(rc == -XEN_ESRCH || rc == -XEN_EPERM);
    CHECK_EQ(*image_start, first);
    /* The number done is returned: nothing of an impossible order. */
    set_xen_guest_handle(r.extent_start, &pfn);
    CHECK(memory_op(XENMEM_populate_physmap, &r) <= 0);
    r.extent_order = 0;
    CHECK_EQ(memory_op(XENMEM_decrease_reservation, &r), 0);
}

static void registers_survive(void)
{
#ifdef __x86_64__
    unsigned long bx = 0x1111, bp_ok, r12 = 0x12, r13 = 0x13, r14 = 0x14,
                  r15 = 0x15, rc;
    register unsigned long v12 asm("r12") = r12;
    register unsigned long v13 asm("r13") = r13;
    register unsigned long v14 asm("r14") = r14;
    register unsigned long v15 asm("r15") = r15;

    asm volatile("mov %%rsp, %%r9; vmmcall; sub %%rsp, %%r9; mov %%r9, %1"
                 : "=a"(rc), "=&D"(bp_ok), "+b"(bx), "+r"(v12), "+r"(v13),
                   "+r"(v14), "+r"(v15)
                 : "0"(0x7fl)
                 : "memory", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11",
                   "cc");
    CHECK_EQ((long)rc, -XEN_ENOSYS);
    CHECK_EQ(bp_ok, 0);
    CHECK_EQ(bx, 0x1111);
    CHECK(v12 == r12 && v13 == r13 && v14 == r14 && v15 == r15);
#else
    unsigned long bp, rc;

    asm volatile("push %%ebp; mov $0x5678, %%ebp; vmmcall; mov %%ebp, %1;"
                 "pop %%ebp"
                 : "=a"(rc), "=&D"(bp)
                 : "0"(0x7f)
                 : "memory", "ecx", "edx", "ebx", "esi", "cc");
    CHECK_EQ((long)rc, -XEN_ENOSYS);
    CHECK_EQ(bp, 0x5678);
#endif
}

void test_main(void)
{
    unknown_numbers();
    unknown_sub_ops();
    bad_pointers();
    straddling_pointer();
    malformed_arguments();
    memory_arguments();
    registers_survive();
}
