/* SPDX-License-Identifier: MIT */
/*
 * Attack: an access where the domain has no memory. Ravelin ends the domain
 * with a dump that names the address; Xen answers with all ones, which counts
 * as SKIP here. `kind=` is read (default), write, run, table (page tables in
 * the hole), or hypercall (the hypercall page there).
 *
 * Environments: all; table needs paging.
 */

#include "guest.h"

const char test_title[] = "attack-hole: access without memory behind it";

/* Well above all RAM of a small domain, below the APIC. */
#define HOLE 0x70000000u

static void access(const char *kind)
{
    volatile uint32_t *p = (volatile uint32_t *)(uintptr_t)HOLE;
    uint32_t v = 0;

    if (!strncmp(kind, "write", 5)) {
        *p = 1;
    } else if (!strncmp(kind, "run", 3)) {
        ((void (*)(void))(uintptr_t)HOLE)();
    } else if (!strncmp(kind, "table", 5) && PAGING_LEVELS > 0) {
        write_cr3(HOLE);
    } else if (!strncmp(kind, "hypercall", 9)) {
        CHECK(wrmsr_safe(cpuid(platform_leaf() + 2).b, HOLE) == TRAP_GP);
        report_end();
    } else {
        v = *p;
        if (v == 0xffffffff) {
            report_skip("holes read as ones here");
            return;
        }
    }
    report_failure("survived: %x", v);
}

void test_main(void)
{
    const char *kind = cmdline_value("kind");

    if (mem_is_ram(HOLE)) {
        report_skip("there is RAM");
        return;
    }
    printf("Expect crash: hole at %x\n", HOLE);
    console_drain();
    access(kind ? kind : "read");
}
