/* SPDX-License-Identifier: MIT */
/*
 * Start of further CPUs. One that is started by STARTUP finds its stack in
 * `smp_stack`, so the next one may be started when it has arrived.
 */

#include "guest.h"

extern uint8_t smp_entry[], smp_trampoline[], smp_trampoline_end[];

uint32_t smp_stack;
static cpu_fn_t smp_fn[CPUS_MAX];
static uint8_t stacks[CPUS_MAX][STACK_SIZE]
    __attribute__((aligned(STACK_SIZE)));

void smp_main(void);

void smp_main(void)
{
    unsigned int cpu = cpu_index();

    trap_init_cpu(cpu);
    for (;;) {
        smp_fn[cpu](cpu);
        irq_disable();
        /* Comes back when another CPU brings this one up again. */
        vcpu_op(VCPUOP_down, cpu, NULL);
    }
}

unsigned int cpu_count(void)
{
    unsigned int n = 1;

    while (n < CPUS_MAX && vcpu_op(VCPUOP_is_up, n, NULL) >= 0) {
        n++;
    }
    return n;
}

bool cpu_is_up(unsigned int cpu)
{
    return vcpu_op(VCPUOP_is_up, cpu, NULL) == 1;
}

static void start_prepare(unsigned int cpu, cpu_fn_t fn)
{
    *(uint32_t *)stacks[cpu] = cpu;
    smp_fn[cpu] = fn;
    smp_stack = (uint32_t)(uintptr_t)(stacks[cpu] + STACK_SIZE);
}

long cpu_start(unsigned int cpu, cpu_fn_t fn)
{
    struct vcpu_hvm_context c = {.mode = VCPU_HVM_MODE_32B};
    long rc;

    start_prepare(cpu, fn);
    c.cpu_regs.x86_32.eip = (uint32_t)(uintptr_t)smp_entry;
    c.cpu_regs.x86_32.esp = smp_stack;
    c.cpu_regs.x86_32.cr0 = CR0_PE;
    c.cpu_regs.x86_32.eflags = 2;
    c.cpu_regs.x86_32.cs_limit = ~0u;
    c.cpu_regs.x86_32.ds_limit = ~0u;
    c.cpu_regs.x86_32.es_limit = ~0u;
    c.cpu_regs.x86_32.ss_limit = ~0u;
    c.cpu_regs.x86_32.tr_limit = 0x67;
    c.cpu_regs.x86_32.cs_ar = 0xc9b;
    c.cpu_regs.x86_32.ds_ar = 0xc93;
    c.cpu_regs.x86_32.es_ar = 0xc93;
    c.cpu_regs.x86_32.ss_ar = 0xc93;
    c.cpu_regs.x86_32.tr_ar = 0x8b;
    rc = vcpu_op(VCPUOP_initialise, cpu, &c);
    if (rc && rc != -XEN_EEXIST) {
        return rc;
    }
    return vcpu_op(VCPUOP_up, cpu, NULL);
}

void cpu_start_sipi(unsigned int cpu, uint32_t apic_id, cpu_fn_t fn)
{
    start_prepare(cpu, fn);
    memcpy((void *)LOW_PAGE, smp_trampoline,
           (size_t)(smp_trampoline_end - smp_trampoline));
    lapic_icr_send(apic_id, ICR_INIT | ICR_ASSERT);
    clock_spin(1 * MS);
    lapic_icr_send(apic_id, ICR_STARTUP | ICR_ASSERT | (LOW_PAGE >> 12));
    clock_spin(1 * MS);
    lapic_icr_send(apic_id, ICR_STARTUP | ICR_ASSERT | (LOW_PAGE >> 12));
}

bool cpu_wait(volatile uint32_t *word, uint32_t value, uint64_t ns)
{
    uint64_t end = clock_ns() + ns;

    while (*word < value) {
        if (clock_ns() > end) {
            return false;
        }
        sched_op(SCHEDOP_yield, NULL);
    }
    return true;
}

bool cpu_wait_down(unsigned int cpu, uint64_t ns)
{
    uint64_t end = clock_ns() + ns;

    while (cpu_is_up(cpu)) {
        if (clock_ns() > end) {
            return false;
        }
        sched_op(SCHEDOP_yield, NULL);
    }
    return true;
}
