/* SPDX-License-Identifier: MIT */
/*
 * Attack: breakpoints at addresses that mean something to the hypervisor. Its
 * image and its stacks are where a guest may have addresses of its own, and an
 * emulator may take physical addresses for linear ones. None may be hit outside
 * this guest, however the registers are written.
 *
 * Environments: pvh64. `text=N` sweeps N bytes of the image.
 */

#include "guest.h"

const char test_title[] = "attack-breakpoints: at the hypervisor's addresses";

#define DR7_FIXED 0x400ul
#define GLOBAL_ALL 0xaaul
/* All four: reads and writes of eight bytes. */
#define DATA_ALL 0xbbbb0000ul
#define CR4_DE (1ul << 3)

#define IMAGE_BASE 0xffffffff80200000ul
#define STACK_BASE 0xffffffffd0000000ul
#define STACK_SLOT 0x10000ul
#define STACK_BYTES 0x5000ul
#define STACK_SLOTS 4u
/* Where an address space's control block keeps FS, counted from its page. */
#define BLOCK_FIELD 0x440ul
#define LOW_END 0x400000ul

static void addresses_set(unsigned long first, unsigned long step)
{
    write_dr0(first);
    write_dr1(first + step);
    write_dr2(first + 2 * step);
    write_dr3(first + 3 * step);
}

/* Four breakpoints in a row, and an exit and entry with them. */
static void world_switch(unsigned long first, unsigned long step,
                         unsigned long dr7)
{
    addresses_set(first, step);
    write_dr7(dr7);
    (void)cpuid(0);
    write_dr7(DR7_FIXED);
}

static void sweep(unsigned long first, unsigned long bytes, unsigned long step,
                  unsigned long dr7)
{
    for (unsigned long at = 0; at < bytes; at += 4 * step) {
        world_switch(first + at, step, dr7);
    }
}

/* The addresses come after the breakpoints are on, and DR7 by its other name.
 */
static void other_ways(unsigned long first, unsigned long step,
                       unsigned long dr7)
{
    write_cr4(read_cr4() & ~CR4_DE);
    addresses_set(0x1000, 8);
    asm volatile("mov %0, %%dr5" ::"r"(dr7));
    addresses_set(first, step);
    (void)cpuid(0);
    CHECK_EQ(read_dr7(), dr7);
    CHECK_EQ(read_dr0(), first);
    write_dr7(DR7_FIXED);
}

static void debug_trap(struct trap_frame *frame)
{
    frame->flags |= 1ul << 16; /* one of our own addresses: step over it */
    write_dr6(0xffff0ff0);
}

void test_main(void)
{
    unsigned long text = cmdline_number("text", 0x2000);

    trap_handler_set(TRAP_DB, debug_trap);
    for (unsigned int i = 0; i < STACK_SLOTS; i++) {
        sweep(STACK_BASE + i * STACK_SLOT, STACK_BYTES, 8,
              DR7_FIXED | DATA_ALL | GLOBAL_ALL);
    }
    for (unsigned long page = 0x1000; page < LOW_END; page += 4 * 0x1000) {
        world_switch(page + BLOCK_FIELD, 0x1000,
                     DR7_FIXED | DATA_ALL | GLOBAL_ALL);
    }
    sweep(IMAGE_BASE, text, 1, DR7_FIXED | GLOBAL_ALL);
    other_ways(IMAGE_BASE, 1, DR7_FIXED | GLOBAL_ALL);
    other_ways(STACK_BASE + STACK_BYTES - 0x168, 8,
               DR7_FIXED | DATA_ALL | GLOBAL_ALL);
    CHECK_EQ(read_dr7(), DR7_FIXED);
}
