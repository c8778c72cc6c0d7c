/* SPDX-License-Identifier: MIT */
/*
 * Attack: reads of all 65536 ports, writes to all but a stride of them, and
 * string forms with addresses of every kind. A plain guest owns no port: reads
 * give ones or #GP, writes do nothing, and nothing outside the domain moves.
 *
 * Environments: all. `step=` (default 7) thins the wider accesses out. Not for
 * the hardware domain, which owns real ports.
 */

#include "guest.h"

const char test_title[] = "attack-ports: all ports, all widths, strings";

/* Where the FADT says that the machine is switched off or restarted. */
#define SLEEP_CONTROL 0x600
#define RESET 0x602

static uint32_t ones, zeros, others, faults;

static void note(unsigned int vector, uint32_t v, uint32_t all_ones)
{
    if (vector != TRAP_NONE) {
        CHECK_EQ(vector, TRAP_GP);
        faults++;
    } else if (v == all_ones) {
        ones++;
    } else if (!v) {
        zeros++;
    } else {
        others++;
    }
}

static void reads(uint32_t step)
{
    uint32_t port, v, vector;

    for (port = 0; port < 0x10000; port++) {
        v = 0;
        vector = TRAP_OF_INSN("inb %w1, %b0", "+a"(v) : "d"(port) : "memory");
        note(vector, v, 0xff);
    }
    for (port = 0; port < 0x10000; port += step) {
        v = 0;
        vector = TRAP_OF_INSN("inw %w1, %w0", "+a"(v) : "d"(port) : "memory");
        note(vector, v, 0xffff);
        vector = TRAP_OF_INSN("inl %w1, %k0", "+a"(v) : "d"(port) : "memory");
        note(vector, v, 0xffffffff);
    }
}

static void writes(uint32_t step)
{
    uint32_t port, v;

    for (port = 0; port < 0x10000; port += step) {
        if (port == SLEEP_CONTROL || port == RESET) {
            continue;
        }
        v = random_u32();
        TRAP_OF_INSN("outb %b0, %w1", : "a"(v), "d"(port) : "memory");
        TRAP_OF_INSN("outw %w0, %w1", : "a"(v), "d"(port) : "memory");
        TRAP_OF_INSN("outl %k0, %w1", : "a"(v), "d"(port) : "memory");
    }
}

static void strings(void)
{
    static uint8_t buf[64];
    static const uint16_t ports[] = {0x20, 0x60, 0x80, 0x3f8, 0xcf8, 0xcfc};
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(ports); i++) {
        unsigned long p = (unsigned long)(uintptr_t)buf, n = 16;
        unsigned int v;

        v = TRAP_OF_INSN("rep insb", "+D"(p), "+c"(n)
                         : "d"(ports[i])
                         : "memory");
        CHECK(v == TRAP_NONE || v == TRAP_GP);
        p = (unsigned long)(uintptr_t)buf;
        n = 16;
        v = TRAP_OF_INSN("rep outsb", "+S"(p), "+c"(n)
                         : "d"(ports[i])
                         : "memory");
        CHECK(v == TRAP_NONE || v == TRAP_GP);
        if (v == TRAP_NONE) {
            CHECK_EQ(n, 0);
        }
#if PAGING_LEVELS > 0
        /* Memory that is not there: #PF for the guest, not for others. */
        p = UNMAPPED_VA;
        n = 4;
        v = TRAP_OF_INSN("rep insb", "+D"(p), "+c"(n)
                         : "d"(ports[i])
                         : "memory");
        CHECK(v == TRAP_PF || v == TRAP_GP);
#endif
    }
}

void test_main(void)
{
    uint32_t step = (uint32_t)cmdline_number("step", 7);

    random_start();
    reads(step);
    writes(step);
    strings();
    printf("%u ones, %u zeros, %u other values, %u faults\n", ones, zeros,
           others, faults);
    CHECK(ones + faults > 60000);
    CHECK(xen_version(XENVER_version, NULL) > 0);
}
