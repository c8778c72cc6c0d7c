/* SPDX-License-Identifier: MIT */
/*
 * Attack: an access where the domain has no memory. Data reads as ones and
 * writes are lost; code or page tables there end the domain, with a dump that
 * names the address. `kind=` is read (default), write, run, table (page tables
 * in the hole), or hypercall (the hypercall page there).
 *
 * Environments: all; table needs paging.
 */

#include "guest.h"

const char test_title[] = "attack-hole: access without memory behind it";

/* Well above all RAM of a small domain, below the APIC. */
#define HOLE 0x70000000u

static void data_access(bool write)
{
    volatile uint32_t *p = (volatile uint32_t *)(uintptr_t)HOLE;

    if (write) {
        *p = 0x12345678;
    }
    CHECK_EQ(*p, 0xffffffff);
    CHECK_EQ(*(volatile uint8_t *)p, 0xff);
    CHECK_EQ(*(volatile uint16_t *)(uintptr_t)(HOLE + 0xffd), 0xffff);
}

static void crash(const char *kind)
{
    printf("Expect crash: hole at %x\n", HOLE);
    console_drain();
    if (!strncmp(kind, "table", 5)) {
        write_cr3(HOLE);
    } else {
        ((void (*)(void))(uintptr_t)HOLE)();
    }
    report_failure("still running");
}

void test_main(void)
{
    const char *kind = cmdline_value("kind");

    if (mem_is_ram(HOLE)) {
        report_skip("there is RAM");
        return;
    }
    if (!kind || !strncmp(kind, "read", 4)) {
        data_access(false);
    } else if (!strncmp(kind, "write", 5)) {
        data_access(true);
    } else if (!strncmp(kind, "hypercall", 9)) {
        wrmsr_safe(cpuid(platform_leaf() + 2).b, HOLE);
        CHECK(xen_version(XENVER_version, NULL) > 0);
    } else {
        crash(kind);
    }
}
