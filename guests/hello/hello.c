/* SPDX-License-Identifier: MIT */
/*
 * Hello: the smallest guest. It proves entry, CPUID discovery, hypercall page,
 * shared info, console and shutdown, and prints what it was given.
 *
 * Environments: all.
 * `spin=N` on the command line keeps it busy for N ms before it ends, and
 * `linger=N` keeps it idle for N ms, for demonstrations with several domains.
 */

#include "guest.h"

const char test_title[] = "hello: entry, console and shutdown";

static void memory_print(void)
{
    const struct hvm_memmap_table_entry *e;
    uint64_t ram = 0;
    unsigned int i;

    for (i = 0; (e = mem_map_entry(i)); i++) {
        if (e->type == XEN_HVM_MEMMAP_TYPE_RAM) {
            ram += e->size;
        }
    }
    printf("domain %u, %u vCPU, %lu KiB RAM in %u map entries\n", own_domid(),
           cpu_count(), (unsigned long)(ram >> 10), i);
}

void test_main(void)
{
    const struct hvm_start_info *s = start_info();
    const char *args = (const char *)(uintptr_t)s->cmdline_paddr;
    long version = xen_version(XENVER_version, NULL);

    printf("Hello from a %s guest under Xen ABI %ld.%ld\n", ENV_NAME,
           version >> 16, version & 0xffff);
    CHECK_EQ(s->magic, XEN_HVM_START_MAGIC_VALUE);
    CHECK(version >= 0x4000);
    memory_print();
    printf("command line: %s\n", args ? args : "(none)");
    clock_spin(cmdline_number("spin", 0) * MS);
    if (cmdline_number("linger", 0)) {
        clock_sleep(cmdline_number("linger", 0) * MS);
    }
}
