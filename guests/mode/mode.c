/* SPDX-License-Identifier: MIT */
/*
 * Processor modes that a guest may go through by itself: from flat 32-bit
 * code to PSE paging, PAE paging, long mode with compatibility code, and real
 * mode, each time with a trap into the hypervisor there, and back.
 *
 * Environments: pvh32 (it starts without paging, so every way is open).
 * `reference=1` leaves PAE paging out, where the reference hangs at any exit.
 */

#include "guest.h"

const char test_title[] = "mode: PSE, PAE, long mode, real mode and back";

/* Assembly in mode_switch.S: run `leaf` of CPUID in the mode, if wanted. */
uint32_t mode_pse(uint32_t leaf, void *directory);
uint32_t mode_pae(uint32_t leaf, void *pointers);
uint32_t mode_long(uint32_t leaf, void *root);
uint32_t mode_real(uint32_t leaf);

extern uint8_t mode_real_code[], mode_real_code_end[];

static uint32_t *pse_tables(void)
{
    uint32_t *d = page_alloc();
    uint32_t i;

    for (i = 0; i < 1024; i++) {
        d[i] = (i << 22) | 0x83;
    }
    return d;
}

static uint64_t *pae_tables(void)
{
    uint64_t *pointers = page_alloc(), *d = pages_alloc(4, 1);
    uint64_t i;

    for (i = 0; i < 2048; i++) {
        d[i] = (i << 21) | 0x83;
    }
    for (i = 0; i < 4; i++) {
        pointers[i] = ((uintptr_t)d + i * PAGE_SIZE) | 1;
    }
    return pointers;
}

static uint64_t *long_tables(void)
{
    uint64_t *root = page_alloc(), *pointers = pae_tables();
    unsigned int i;

    for (i = 0; i < 4; i++) {
        pointers[i] |= 3;
    }
    root[0] = (uintptr_t)pointers | 3;
    return root;
}

static void modes_once(void *pse, void *pae, void *root)
{
    uint32_t leaf = platform_leaf(), want = cpuid(leaf).b;
    uint32_t cr0 = (uint32_t)read_cr0(), cr4 = (uint32_t)read_cr4();

    CHECK_EQ(mode_pse(leaf, pse), want);
    CHECK_EQ(read_cr0(), cr0);
    if (!cmdline_value("reference")) {
        CHECK_EQ(mode_pae(leaf, pae), want);
    }
    CHECK_EQ(read_cr4(), cr4);
    CHECK_EQ(mode_long(leaf, root), want);
    CHECK_EQ(read_cr0(), cr0);
    CHECK_EQ(rdmsr(MSR_EFER) & (EFER_LMA | EFER_LME), 0);
    CHECK_EQ(mode_real(leaf), want);
    CHECK_EQ(read_cr0(), cr0);
}

/* Paging is off. Legal, and every exit from here must come back. */
static void lme_without_pae(void)
{
    unsigned long cr4 = read_cr4();

    write_cr4(cr4 & ~CR4_PAE);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_LME);
    (void)cpuid(0);
    CHECK(rdmsr(MSR_EFER) & EFER_LME);
    write_cr4(cr4 | CR4_PAE);
    CHECK(rdmsr(MSR_EFER) & EFER_LME);
    write_cr4(cr4 & ~CR4_PAE);
    CHECK(rdmsr(MSR_EFER) & EFER_LME);
    /* What enables paging would also enter long mode. */
    CHECK_EQ(TRAP_OF_INSN("mov %0, %%cr0",
                          : "r"(read_cr0() | CR0_PG)
                          : "memory"),
             13);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(uint64_t)EFER_LME);
    CHECK(!(rdmsr(MSR_EFER) & EFER_LME));
    write_cr4(cr4);
}

void test_main(void)
{
    void *pse = pse_tables(), *pae = pae_tables(), *root = long_tables();
    unsigned int i;

    memcpy((void *)LOW_PAGE, mode_real_code,
           (size_t)(mode_real_code_end - mode_real_code));
    for (i = 0; i < 20; i++) {
        modes_once(pse, pae, root);
    }
    if (!cmdline_value("reference")) {
        lme_without_pae();
    }
    /* The paravirtual interface is where it was. */
    CHECK(xen_version(XENVER_version, NULL) > 0);
}
