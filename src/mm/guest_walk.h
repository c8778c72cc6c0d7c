/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One walk through a guest's own page tables, in every mode a guest may use.
 * Shared by the files of src/mm and by the walk fuzzer.
 */
#pragma once

#include "arch/backend.h"
#include "ravelin/guest_copy.h"

#define GUEST_WALK_LEVELS 4u

/* The control bits that change how a walk behaves; no two registers share a
 * position, so one word holds the mode. */
#define CR0_PG 0x80000000UL
#define CR0_WP 0x00010000UL
#define CR4_PSE 0x00000010UL
#define CR4_PAE 0x00000020UL
#define CR4_SMEP 0x00100000UL
#define EFER_LMA 0x00000400UL
#define EFER_NXE 0x00000800UL

static inline uint64_t guest_walk_mode(const struct vcpu_paging *p)
{
    return (p->cr0 & (CR0_PG | CR0_WP)) |
           (p->cr4 & (CR4_PSE | CR4_PAE | CR4_SMEP)) |
           (p->efer & (EFER_LMA | EFER_NXE));
}

/* Page-table entry bits common to all modes. */
#define PTE_P 0x01UL
#define PTE_W 0x02UL
#define PTE_U 0x04UL
#define PTE_A 0x20UL
#define PTE_D 0x40UL
#define PTE_PS 0x80UL
#define PTE_NX (1UL << 63)

/* #PF error code. */
#define PF_PRESENT 0x01u
#define PF_WRITE 0x02u
#define PF_USER 0x04u
#define PF_RESERVED 0x08u
#define PF_FETCH 0x10u

/* Rights in a walk result: ACCESS_* for supervisor accesses, the same three
 * bits shifted for user accesses. */
#define WALK_USER_SHIFT 3
static inline uint8_t guest_walk_need(uint8_t access, bool user)
{
    /* Whatever may be written or fetched can be read as well, both in guests'
     * tables and in a p2m. */
    access |= ACCESS_READ;
    return user ? (uint8_t)(access << WALK_USER_SHIFT) : access;
}

struct guest_walk {
    uint64_t gpa; /* of the 4K page; offset not included */
    uint8_t allowed;
    uint8_t levels;               /* entries read; 0 with paging off */
    bool is_wide;                 /* entries have 8 bytes, else 4 */
    void *pte[GUEST_WALK_LEVELS]; /* top level first */
    uint64_t value[GUEST_WALK_LEVELS];
};

/**
 * Walks for `access` (ACCESS_* bits) at `gva` and sets accessed and dirty bits
 * as the processor would. `allowed` tells all rights the walk found, writes
 * only if the dirty bit is set.
 *
 * @return 0; -EFAULT with *fault.
 * Ref: AMD APM Vol 2, chapter 5 "Page Translation and Protection"; Intel SDM
 *      Vol 3A, chapter 4 "Paging", 4.7 "Page-Fault Exceptions".
 */
int rv_must_check guest_walk(struct domain *d, const struct vcpu_paging *p,
                             gva_t gva, uint8_t access, bool user,
                             struct guest_walk *w, struct guest_fault *fault);

/** Host page behind a guest frame with page tables for `access`, or NULL; a
 * monitor's rights do not count. Holds no reference:
 * valid until this CPU's next quiescent point. */
void *guest_frame_ptr(struct domain *d, gfn_t g, uint8_t access);
