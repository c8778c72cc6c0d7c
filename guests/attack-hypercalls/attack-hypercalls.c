/* SPDX-License-Identifier: MIT */
/*
 * Attack: hypercalls with arguments of every bad kind: any number, any
 * sub-operation, pointers to nothing, to the end of mapped memory, to random
 * bytes, to the APIC, to a hole, to the hypervisor's half. Afterwards the
 * domain must still be whole, hypercalls must still work, and nobody else may
 * suffer.
 *
 * Environments: all. `rounds=` calls (default 5000), `seed=`. Calls by which
 * the domain would end or stop itself are left out. Not for a domain with a
 * role: it would use it.
 */

#include "domctl.h"
#include "guest.h"

const char test_title[] = "attack-hypercalls: a flood of bad arguments";

#define SCRATCH_PAGES 4

static uint8_t *scratch;

/* These calls end, stop or unmap the caller as they should. */
static bool harms_itself(unsigned int nr, unsigned long cmd)
{
    switch (nr) {
    case __HYPERVISOR_sched_op:
    case __HYPERVISOR_sched_op_compat:
        return cmd != SCHEDOP_yield;
    case __HYPERVISOR_vcpu_op:
        return cmd == VCPUOP_down || cmd == VCPUOP_initialise;
    case __HYPERVISOR_memory_op:
        /* What gives, takes or moves frames could hit the image. */
        return cmd != XENMEM_maximum_ram_page &&
               cmd != XENMEM_current_reservation &&
               cmd != XENMEM_maximum_reservation && cmd != XENMEM_memory_map &&
               cmd != XENMEM_machine_memory_map && cmd != XENMEM_maximum_gpfn &&
               cmd < XENMEM_access_op;
    case __HYPERVISOR_hvm_op:
        return cmd == HVMOP_set_param;
    case __HYPERVISOR_multicall:
        /* Any of the others, with arguments from the scratch pages. */
        return true;
    case __HYPERVISOR_grant_table_op:
        /* The reference ends a domain for some of these. */
        return cmdline_value("reference") != NULL;
    default:
        return false;
    }
}

static unsigned long pointer_make(void)
{
    unsigned long in = (unsigned long)(uintptr_t)scratch;

    switch (random_below(10)) {
    case 0:
        return 0;
    case 1:
        return UNMAPPED_VA - random_below(64);
    case 2:
        return ~0ul - random_below(64);
    case 3:
        return (unsigned long)random_u64() | 0x80000000ul;
    case 4:
        /* Frames that are no memory: the APIC, and a hole. */
        return random_below(2) ? LAPIC_ADDR + random_below(4096) : 0x70000000;
    case 5:
#ifdef __x86_64__
        return 0xffff800000000000ul + random_u32();
#else
        return 0xf0000000ul + random_below(0x10000000);
#endif
    case 6:
        /* The last bytes of a page. */
        return in + PAGE_SIZE - random_below(40);
    default:
        return in + random_below(PAGE_SIZE * (SCRATCH_PAGES - 1));
    }
}

static unsigned long argument_make(void)
{
    switch (random_below(5)) {
    case 0:
        return random_below(8);
    case 1:
        return random_below(64);
    case 2:
        return DOMID_SELF;
    default:
        return pointer_make();
    }
}

static void scratch_fill(void)
{
    uint32_t *w = (uint32_t *)scratch;
    unsigned int i, style = random_below(4);

    for (i = 0; i < 64; i++) {
        uint32_t v = random_u32();

        switch (style) {
        case 0:
            v = random_below(16);
            break;
        case 1:
            v = i & 1 ? 0 : (uint32_t)pointer_make();
            break;
        case 2:
            v = random_below(4) ? v & 0xff : DOMID_SELF;
            break;
        default:
            break;
        }
        w[i] = v;
    }
}

static void flood(unsigned int rounds)
{
    uint64_t refused = 0;
    unsigned int i;

    for (i = 0; i < rounds; i++) {
        unsigned int nr = random_below(64);
        unsigned long cmd = random_below(48);
        long rc;

        if (i % 16 == 0) {
            scratch_fill();
        }
        if (harms_itself(nr, cmd) || nr == __HYPERVISOR_console_io) {
            continue;
        }
        if (random_below(16) == 0) {
            nr = random_u32();
        }
        rc = hypercall_raw(nr, cmd, argument_make(), argument_make(),
                           argument_make(), argument_make());
        if (rc < 0) {
            refused++;
            CHECK(rc >= -4095);
        }
    }
    printf("%u calls, %llu refused\n", rounds, (unsigned long long)refused);
}

static void console_flood(void)
{
    unsigned int i;

    for (i = 0; i < 200; i++) {
        console_io(random_below(4) | 0x10, random_u32(),
                   (const char *)pointer_make());
        console_io(CONSOLEIO_write, random_below(2) ? 8 : 0x7fffffff,
                   (const char *)(UNMAPPED_VA - 4));
    }
}

/* A vCPU may send itself one. */
static void nmi_ignore(struct trap_frame *frame)
{
    (void)frame;
}

void test_main(void)
{
    uint64_t pages;

    if (!sysctl_free_pages(&pages)) {
        report_skip("a control domain");
        return;
    }
    trap_handler_set(TRAP_NMI, nmi_ignore);
    random_start();
    scratch = pages_alloc(SCRATCH_PAGES, 1);
    if (!CHECK(scratch != NULL)) {
        return;
    }
    flood((unsigned int)cmdline_number("rounds", 5000));
    if (PAGING_LEVELS > 0) {
        console_flood();
    }
    CHECK(xen_version(XENVER_version, NULL) > 0);
    CHECK_EQ(hypercall_raw(63, 0, 0, 0, 0, 0), -XEN_ENOSYS);
}
