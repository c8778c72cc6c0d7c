/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the other CPUs, one at a time: INIT and start-up IPI, code in a page
 * below 1 MiB, and a handshake in which the new CPU compares its clock with the
 * boot CPU's. A CPU that does not answer, or lacks a feature the first one has,
 * is left out and sent back to wait for INIT.
 * Ref: AMD APM Vol 2 15.27.8 / 16.5 "Interprocessor Interrupts"; MultiProcessor
 *      Specification 1.4, B.4 "Application Processor Startup".
 */
#include "boot/smp.h"

#include "arch/host.h"
#include "arch/startup.h"
#include "arch_inline.h"
#include "boot/boot.h"
#include "boot/trampoline.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/interrupt.h"
#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "platform/lapic.h"
#include "platform/timer.h"
#include "platform/tsc.h"
#include "ravelin/atomic.h"
#include "ravelin/log.h"
#include "ravelin/panic.h"
#include "ravelin/string.h"

/* Real processors need 10 ms after INIT only if older than any we run on. */
#define INIT_DELAY_US 10u
/*
 * Time to answer the first and the second start-up IPI, and later questions.
 * Long, since an emulator's CPU is a thread that may have to wait its turn.
 */
#define STARTUP_WAIT_US 20000u
#define STARTUP_LAST_WAIT_US 1000000u
#define HANDSHAKE_WAIT_US 1000000u
#define POLL_US 5u

/* Clock rounds: the narrowest of them counts. */
#define CLOCK_ROUNDS 8u

enum ap_state {
    AP_WAITING, /* not heard from */
    AP_ALIVE,   /* in C, own stack, own exception handling */
    AP_UNFIT,   /* lacks a feature; halted */
    AP_CLOCKED, /* clock rounds done, may go on */
    AP_ONLINE,  /* registered */
};

/* One start at a time. `state` is atomic; the rest follows it. */
static enum ap_state state;
static uint32_t round_request; /* atomic; boot CPU increments */
static uint32_t round_answer;  /* atomic; new CPU follows */
static uint64_t round_tsc;

static struct cpu *cpus[CPU_COUNT_MAX] RV_RO_AFTER_INIT = {0};

struct ap_memory {
    struct cpu cpu;
    struct x86_cpu x86;
};

void smp_prepare(const struct boot_info *info)
{
    for (unsigned i = 1; i < info->cpu_count; i++) {
        struct ap_memory *m = arch_early_alloc(sizeof(*m));

        if (m == NULL) {
            panic("no memory for CPU %u", i);
        }
        memset(m, 0, sizeof(*m));
        m->cpu.self = &m->cpu;
        m->cpu.apic_id = info->apic_id[i];
        m->cpu.arch = &m->x86;
        m->cpu.id = i;
        stacks_init(&m->cpu);
        cpus[i] = &m->cpu;
    }
}

/* Where C continues for a new CPU; ap_entry64 loads what it needs first. */
extern const uint8_t ap_entry64[];
extern uint64_t boot_pml4[];

static void trampoline_fill(const struct cpu *cpu)
{
    extern const uint64_t boot_gdt[];
    hpa_t page = memory_trampoline();
    uint8_t *target = host_ptr(page);
    size_t code = (size_t)(trampoline_end - trampoline_start);
    struct ap_parameters *p = (void *)(target + AP_PARAMETERS);
    uint32_t gdt = (uint32_t)page.v + AP_GDT;

    BUG_ON(code > AP_PARAMETERS);
    memcpy(target, trampoline_start, code);
    memset(p, 0, sizeof(*p));
    memcpy(p->gdt, boot_gdt, sizeof(p->gdt));
    p->gdt_limit = sizeof(p->gdt) - 1;
    p->gdt_base[0] = (uint16_t)gdt;
    p->gdt_base[1] = (uint16_t)(gdt >> 16);
    p->far_offset =
        (uint32_t)page.v + (uint32_t)(trampoline_entry64 - trampoline_start);
    p->far_selector = SEL_CODE;
    p->boot_cr3 = (uint32_t)host_pa(boot_pml4).v;
    p->cpu = (uint64_t)cpu;
    p->stack = (uint64_t)cpu->stack_top;
    p->cr3 = paging_root();
    p->efer = cpu_baseline_efer();
    p->entry = (uint64_t)ap_entry64;
}

/* Waits until the new CPU has left state `s`. */
static bool state_leaves(enum ap_state s, uint64_t wait_us)
{
    for (uint64_t us = 0; us < wait_us; us += POLL_US) {
        if (load_acquire(&state) != s) {
            return true;
        }
        tsc_delay_us(POLL_US);
    }
    return load_acquire(&state) != s;
}

static bool startup_send(uint32_t apic_id)
{
    static const uint32_t wait_us[] = {STARTUP_WAIT_US, STARTUP_LAST_WAIT_US};

    lapic_ipi_init(apic_id);
    tsc_delay_us(INIT_DELAY_US);
    for (unsigned i = 0; i < ARRAY_SIZE(wait_us); i++) {
        lapic_ipi_startup(apic_id, memory_trampoline());
        if (state_leaves(AP_WAITING, wait_us[i])) {
            return true;
        }
    }
    return false;
}

/* One question for the other CPU's TSC; false if it does not answer. */
static bool clock_round(uint32_t round, uint64_t *low, uint64_t *high)
{
    uint64_t start = arch_tsc_read();

    *low = tsc_read_aligned();
    store_release(&round_request, round);
    while (load_acquire(&round_answer) != round) {
        if (arch_tsc_to_ns(arch_tsc_read()) - arch_tsc_to_ns(start) >
            HANDSHAKE_WAIT_US * 1000UL) {
            return false;
        }
        cpu_relax();
    }
    *high = tsc_read_aligned();
    tsc_wait_account(*high - start);
    return true;
}

/*
 * A reading of the other TSC must lie between our two readings around it. If
 * it does not, the CPU gets an offset that puts it in the middle.
 */
static bool clocks_align(struct cpu *cpu)
{
    struct x86_cpu *x = cpu->arch;
    uint64_t best = UINT64_MAX;

    x->tsc_offset = 0;
    for (uint32_t round = 1; round <= CLOCK_ROUNDS; round++) {
        uint64_t low;
        uint64_t high;

        if (!clock_round(round, &low, &high)) {
            return false;
        }
        if (high - low < best) {
            uint64_t middle = low + (high - low) / 2;

            best = high - low;
            x->tsc_offset =
                round_tsc >= low && round_tsc <= high ? 0 : middle - round_tsc;
        }
    }
    if (x->tsc_offset != 0) {
        log_warn("CPU %u: TSC differs by %ld ticks, corrected", cpu->id,
                 (int64_t)x->tsc_offset);
    }
    return true;
}

static bool cpu_start(struct cpu *cpu)
{
    state = AP_WAITING;
    round_request = 0;
    round_answer = 0;
    trampoline_fill(cpu);
    if (!startup_send(cpu->apic_id)) {
        log_error("CPU with APIC id %u does not start", cpu->apic_id);
    } else if (load_acquire(&state) == AP_UNFIT) {
        log_error("CPU with APIC id %u lacks features", cpu->apic_id);
    } else if (!clocks_align(cpu)) {
        log_error("CPU with APIC id %u stopped answering", cpu->apic_id);
    } else {
        store_release(&state, AP_CLOCKED);
        return state_leaves(AP_CLOCKED, HANDSHAKE_WAIT_US);
    }
    lapic_ipi_init(cpu->apic_id);
    return false;
}

unsigned arch_cpus_start(const struct boot_info *info)
{
    unsigned online = 1;

    if (memory_trampoline().v == 0 && info->cpu_count > 1) {
        log_error("no page below 1 MiB: the other CPUs stay off");
        return online;
    }
    for (unsigned i = 1; i < info->cpu_count; i++) {
        /* Ids stay dense when a CPU is left out. */
        cpus[i]->id = online;
        if (cpu_start(cpus[i])) {
            online++;
        }
    }
    return online;
}

static void clock_rounds_answer(void)
{
    uint32_t seen = 0;

    while (load_acquire(&state) == AP_ALIVE) {
        uint32_t request = load_acquire(&round_request);

        if (request != seen) {
            round_tsc = arch_tsc_read();
            seen = request;
            store_release(&round_answer, request);
        } else {
            cpu_relax();
        }
    }
}

void x86_ap_boot(struct cpu *cpu)
{
    interrupt_cpu_init();
    if (!feature_matches_boot_cpu()) {
        store_release(&state, AP_UNFIT);
        for (;;) {
            __asm__ volatile("cli; hlt" ::: "memory");
        }
    }
    cpu_baseline_init();
    lapic_cpu_init();
    timer_cpu_hw_init();
    store_release(&state, AP_ALIVE);
    clock_rounds_answer();
    cpu->online = true;
    cpu_register(cpu);
    store_release(&state, AP_ONLINE);
    ravelin_ap_main(cpu->id);
}
