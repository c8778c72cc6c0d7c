/* SPDX-License-Identifier: MIT */
/*
 * Bench: what operations cost in instructions, hypervisor included. Under
 * QEMU's icount the TSC counts executed instructions, so a difference of two
 * readings is an exact path length. Each figure is the median of 300 samples
 * after 20 warm-ups, minus the empty pair of readings.
 *
 * Environments: pvh64. Lines: `BENCH <name> <value> <unit>`. Only under
 * `-icount shift=0,sleep=off` are the units instructions.
 * `first_insn_tsc` is the guest's TSC at its first instruction (every guest
 * starts with RDTSC): with the hypervisor's entry time, waits and this
 * domain's TSC offset from its log it gives boot_to_guest.
 */

#include "guest.h"
#include "sample.h"

const char test_title[] = "bench: instruction counts of hypervisor paths";

/* Neither RDTSC is serialising, and under icount neither needs to be. */
#define MEASURE(name, work)                \
    static uint32_t sample_##name(void)    \
    {                                      \
        uint64_t from = rdtsc();           \
        work;                              \
        return (uint32_t)(rdtsc() - from); \
    }

struct bench {
    const char *name;
    sample_fn *sample;
};

static struct evtchn_send send;
static struct xen_hvm_param param = {
    .domid = DOMID_SELF,
    .index = HVM_PARAM_STORE_PFN,
};
static unsigned long cr3, cr4;

MEASURE(empty, (void)0)
MEASURE(hypercall, hypercall_raw(0x7f, 0, 0, 0, 0, 0))
MEASURE(cpuid, cpuid(0))
MEASURE(send, event_channel_op(EVTCHNOP_send, &send))
MEASURE(param, hvm_op(HVMOP_get_param, &param))
MEASURE(cr4, write_cr4(cr4 ^= CR4_PGE))
MEASURE(eoi, mmio_write(LAPIC_ADDR + LAPIC_EOI, 0))

/* The value is in a register before the clock starts: this figure is about one
 * instruction. */
static uint32_t sample_cr3(void)
{
    unsigned long value = cr3;
    uint64_t from;

    asm volatile("" : "+r"(value));
    from = rdtsc();
    write_cr3(value);
    return (uint32_t)(rdtsc() - from);
}

MEASURE(version, xen_version(XENVER_version, NULL))
MEASURE(yield, sched_op(SCHEDOP_yield, NULL))
MEASURE(rdmsr, rdmsr(MSR_APIC_BASE))
MEASURE(port, inb(0x3fd))
MEASURE(tpr, mmio_read(LAPIC_ADDR + LAPIC_TPR))

/* The first rows carry the names of the project's performance bars. */
static const struct bench table[] = {
    {"hypercall_unknown", sample_hypercall},
    {"cpuid_exit", sample_cpuid},
    {"evtchn_send_self", sample_send},
    {"hvm_param_get", sample_param},
    {"cr4_toggle", sample_cr4},
    {"lapic_eoi", sample_eoi},
    {"cr3_write_idle", sample_cr3},
    {"xen_version", sample_version},
    {"sched_yield", sample_yield},
    {"rdmsr_apic_base", sample_rdmsr},
    {"port_in", sample_port},
    {"lapic_read_tpr", sample_tpr},
};

void test_main(void)
{
    uint32_t empty;
    unsigned int i;
    long port = event_ipi(0);

    if (!CHECK(port > 0)) {
        return;
    }
    send.port = (evtchn_port_t)port;
    event_mask(send.port);
    cr3 = read_cr3();
    cr4 = read_cr4();
    lapic_enable();
    printf("BENCH first_insn_tsc %llu tsc\n", (unsigned long long)boot_tsc);
    empty = sample_median(sample_empty, SAMPLES);
    printf("BENCH empty %u insn\n", empty);
    for (i = 0; i < ARRAY_SIZE(table); i++) {
        sample_report(table[i].name, table[i].sample, SAMPLES, empty);
    }
}
