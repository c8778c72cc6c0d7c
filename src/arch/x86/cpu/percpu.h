/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 half of a CPU's own data, reached through struct cpu.arch. Written
 * by its CPU only, apart from the boot CPU filling it in before the start.
 */
#pragma once

#include "arch_inline.h"
#include "cpu/selectors.h"
#include "ravelin/cpu.h"
#include "ravelin/types.h"

/* 64-bit TSS. Ref: AMD APM Vol 2 12.2.5 "64-Bit Task State Segment". */
struct rv_packed tss64 {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base;
};
static_assert(sizeof(struct tss64) == 104,
              "AMD APM Vol 2 12.2.5: the 64-bit TSS has 104 bytes");

#define GDT_ENTRIES 6u

struct x86_cpu {
    uint64_t gdt[GDT_ENTRIES];
    struct tss64 tss;
    uint64_t tsc_offset;     /* added to the TSC to match the boot CPU's */
    uint64_t timer_armed_ns; /* deadline in the hardware; UINT64_MAX: none */
    bool stopped;            /* parked by a panic elsewhere; atomic */
};

static inline struct x86_cpu *this_x86_cpu(void)
{
    return this_cpu()->arch;
}
