/* SPDX-License-Identifier: MIT */
/*
 * Virtual CPUs: starting them by hypercall and by INIT and STARTUP, taking
 * them down and up, runstate, moved vcpu_info and time areas, and interrupts
 * between CPUs in xAPIC and x2APIC mode.
 *
 * Environments: all. Needs two vCPUs or more; with one it tests what is
 * refused, and skips the rest.
 */

#include "guest.h"

const char test_title[] = "vcpu: life cycle, runstate, areas, IPIs";

#define IPI_VECTOR 0xd2
#define WAIT (3000 * MS)

static volatile uint32_t started[CPUS_MAX], ipis[CPUS_MAX], nmis[CPUS_MAX];
static volatile uint32_t stop, use_x2apic;
static volatile uint32_t apic_ids[CPUS_MAX];

static void ipi_seen(struct trap_frame *frame)
{
    (void)frame;
    atomic_inc(&ipis[cpu_index()]);
    lapic_eoi();
}

static void nmi_seen(struct trap_frame *frame)
{
    (void)frame;
    atomic_inc(&nmis[cpu_index()]);
}

static void cpu_serve(unsigned int cpu)
{
    if (use_x2apic) {
        lapic_x2apic_enable();
    }
    lapic_enable();
    apic_ids[cpu] = lapic_id();
    irq_enable();
    atomic_inc(&started[cpu]);
    while (!stop) {
        cpu_relax();
    }
    irq_disable();
}

static void refusals(unsigned int count)
{
    struct vcpu_runstate_info r;

    CHECK_EQ(vcpu_op(VCPUOP_is_up, 0, NULL), 1);
    CHECK_EQ(vcpu_op(VCPUOP_is_up, count, NULL), -XEN_ENOENT);
    CHECK_EQ(vcpu_op(VCPUOP_up, count, NULL), -XEN_ENOENT);
    CHECK_EQ(vcpu_op(VCPUOP_down, count, NULL), -XEN_ENOENT);
    CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, count, &r), -XEN_ENOENT);
    if (count > 1) {
        CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
        /* Not initialised, so there is nothing to run. */
        CHECK_EQ(vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL);
    }
}

static void bad_contexts(void)
{
    static struct vcpu_hvm_context c;

    c.mode = 7;
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &c), -XEN_EINVAL);
    c.mode = VCPU_HVM_MODE_32B;
    c.pad = 1;
    CHECK(vcpu_op(VCPUOP_initialise, 1, &c) < 0);
    c.pad = 0;
    /* Code segment present but of no executable kind. */
    c.cpu_regs.x86_32.cr0 = CR0_PE;
    c.cpu_regs.x86_32.cs_ar = 0xc93;
    c.cpu_regs.x86_32.ss_ar = 0xc93;
    c.cpu_regs.x86_32.tr_ar = 0x8b;
    CHECK(vcpu_op(VCPUOP_initialise, 1, &c) < 0);
    CHECK_EQ(vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL);
}

static uint64_t idle_time(const struct vcpu_runstate_info *r)
{
    return r->time[RUNSTATE_blocked] + r->time[RUNSTATE_offline];
}

static void runstate(void)
{
    static struct vcpu_runstate_info area;
    struct vcpu_register_runstate_memory_area op;
    struct vcpu_runstate_info a, b;
    unsigned int i;
    uint64_t sum = 0;

    CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &a), 0);
    CHECK_EQ(a.state, RUNSTATE_running);
    clock_spin(5 * MS);
    /* A stalled machine may let a sleep's end pass before it begins. */
    for (i = 0; i < 20; i++) {
        clock_sleep(5 * MS);
        CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &b), 0);
        if (idle_time(&b) >= idle_time(&a) + MS) {
            break;
        }
    }
    CHECK(idle_time(&b) >= idle_time(&a) + MS);
    CHECK(b.time[RUNSTATE_running] >= a.time[RUNSTATE_running] + MS);
    for (i = 0; i < 4; i++) {
        CHECK(b.time[i] >= a.time[i]);
        sum += b.time[i] - a.time[i];
    }
    CHECK(sum >= 10 * MS);

    memset(&op, 0, sizeof(op));
    op.addr.p = (uint64_t)(uintptr_t)&area;
    CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op), 0);
    for (i = 0; i < 20; i++) {
        clock_sleep(2 * MS);
        if (READ_ONCE(area.time[RUNSTATE_running]) >=
            b.time[RUNSTATE_running]) {
            break;
        }
    }
    CHECK_EQ(READ_ONCE(area.state), RUNSTATE_running);
    CHECK(READ_ONCE(area.time[RUNSTATE_running]) >= b.time[RUNSTATE_running]);
    memset(&op, 0, sizeof(op));
    CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op), 0);
}

static void time_area(void)
{
    static struct vcpu_time_info area __attribute__((aligned(64)));
    struct vcpu_register_time_memory_area op;
    long rc;

    memset(&op, 0, sizeof(op));
    op.addr.p = (uint64_t)(uintptr_t)&area;
    rc = vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &op);
    if (rc == -XEN_ENOSYS) {
        printf("no secondary time area\n");
        return;
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(READ_ONCE(area.version) & 1, 0);
    CHECK_EQ(READ_ONCE(area.tsc_to_system_mul),
             vcpu_info(0)->time.tsc_to_system_mul);
    memset(&op, 0, sizeof(op));
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &op), 0);
}

static vcpu_info_t moved __attribute__((aligned(64)));

/* The new place counts for all: what was pending is still pending there. */
static void info_moves(unsigned int cpu)
{
    struct vcpu_register_vcpu_info bad = {.mfn = PFN(&moved), .offset = 4090};

    CHECK(vcpu_op(VCPUOP_register_vcpu_info, cpu, &bad) < 0);
    CHECK_EQ(vcpu_info_move(cpu, &moved), 0);
    CHECK_EQ(vcpu_info_move(cpu, &moved), -XEN_EINVAL);
    CHECK(READ_ONCE(moved.time.tsc_to_system_mul) != 0 || !cpu_is_up(cpu));
}

static void events_go_to_moved_info(unsigned int cpu)
{
    long p = event_ipi(cpu);

    CHECK(p > 0);
    WRITE_ONCE(moved.evtchn_upcall_pending, 0);
    WRITE_ONCE(moved.evtchn_pending_sel, 0);
    CHECK_EQ(event_send((unsigned int)p), 0);
    CHECK_EQ(READ_ONCE(moved.evtchn_upcall_pending), 1);
    CHECK(READ_ONCE(moved.evtchn_pending_sel) != 0);
    CHECK_EQ(event_close((unsigned int)p), 0);
}

static bool serve_start(unsigned int cpu)
{
    uint32_t before = started[cpu];

    return CHECK_EQ(cpu_start(cpu, cpu_serve), 0) &&
           CHECK(cpu_wait(&started[cpu], before + 1, WAIT));
}

static void serve_stop(unsigned int count)
{
    unsigned int cpu;

    stop = 1;
    for (cpu = 1; cpu < count; cpu++) {
        CHECK(cpu_wait_down(cpu, WAIT));
    }
    stop = 0;
}

static void up_and_down(void)
{
    unsigned int i;

    for (i = 0; i < 20; i++) {
        if (!serve_start(1)) {
            return;
        }
        CHECK(cpu_is_up(1));
        serve_stop(2);
    }
}

static void interrupts_between(unsigned int count)
{
    unsigned int cpu, i;

    for (cpu = 1; cpu < count; cpu++) {
        ipis[cpu] = nmis[cpu] = 0;
        if (!serve_start(cpu)) {
            return;
        }
        for (i = 1; i <= 50; i++) {
            lapic_icr_send(apic_ids[cpu], ICR_FIXED | ICR_ASSERT | IPI_VECTOR);
            CHECK(cpu_wait(&ipis[cpu], i, WAIT));
        }
        lapic_icr_send(apic_ids[cpu], ICR_NMI | ICR_ASSERT);
        CHECK(cpu_wait(&nmis[cpu], 1, WAIT));
    }
    lapic_icr_send(0, ICR_OTHERS | ICR_ASSERT | IPI_VECTOR);
    for (cpu = 1; cpu < count; cpu++) {
        CHECK(cpu_wait(&ipis[cpu], 51, WAIT));
    }
    CHECK_EQ(ipis[0], 0);
    CHECK(nmis[0] == 0);
    serve_stop(count);
}

/* INIT and STARTUP bring a CPU through real mode, whatever it was doing. */
static void start_through_real_mode(unsigned int cpu)
{
    uint32_t before = started[cpu];

    if (!serve_start(cpu)) {
        return;
    }
    cpu_start_sipi(cpu, apic_ids[cpu], cpu_serve);
    CHECK(cpu_wait(&started[cpu], before + 2, WAIT));
    lapic_icr_send(apic_ids[cpu], ICR_FIXED | ICR_ASSERT | IPI_VECTOR);
    ipis[cpu] = 0;
    CHECK(cpu_wait(&ipis[cpu], 0, WAIT));
    serve_stop(cpu + 1);
}

void test_main(void)
{
    unsigned int count = cpu_count(), cpu;

    refusals(count);
    runstate();
    time_area();
    if (count < 2) {
        report_skip("one vCPU");
        return;
    }
    trap_handler_set(IPI_VECTOR, ipi_seen);
    trap_handler_set(TRAP_NMI, nmi_seen);
    lapic_enable();
    bad_contexts();
    up_and_down();
    info_moves(1);
    events_go_to_moved_info(1);
    interrupts_between(count);
    for (cpu = 1; cpu < count; cpu++) {
        start_through_real_mode(cpu);
    }
    if (lapic_x2apic_enable()) {
        lapic_enable();
        use_x2apic = 1;
        interrupts_between(count);
    } else {
        printf("no x2APIC\n");
    }
}
