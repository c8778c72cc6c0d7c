/* SPDX-License-Identifier: MIT */
/*
 * Numbers that assembly and C of the test guests share: environments, segment
 * selectors, stack geometry. Nothing here comes from the hypervisor.
 */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#if defined(ENV_PVH64)
#define PAGING_LEVELS 4
#define ENV_NAME "pvh64"
#elif defined(ENV_PVH32)
#define PAGING_LEVELS 0
#define ENV_NAME "pvh32"
#elif defined(ENV_PVH32PSE)
#define PAGING_LEVELS 2
#define ENV_NAME "pvh32pse"
#elif defined(ENV_PVH32PAE)
#define PAGING_LEVELS 3
#define ENV_NAME "pvh32pae"
#else
#error "one of the ENV_ macros must be defined"
#endif

#define CPUS_MAX 8

#define SEL_CODE32 0x08
#define SEL_DATA 0x10
#define SEL_CODE64 0x18
#define SEL_USER_CODE32 0x23
#define SEL_USER_DATA 0x2b
#define SEL_USER_CODE64 0x33
#define SEL_CODE16 0x38
#define SEL_DATA16 0x40
#define SEL_ABSENT 0x48
#define SEL_TSS(cpu) (0x50 + (cpu)*0x10)

#ifdef ENV_PVH64
#define SEL_CODE SEL_CODE64
#define SEL_USER_CODE SEL_USER_CODE64
#else
#define SEL_CODE SEL_CODE32
#define SEL_USER_CODE SEL_USER_CODE32
#endif

/* Stacks are aligned to their size: the word at the base is the CPU index. */
#define STACK_SIZE 8192

/* 4 MiB of linear addresses that no environment with paging maps. */
#define UNMAPPED_VA 0xff800000

/* Real-mode page of the AP trampoline and of excursions to real mode. */
#define LOW_PAGE 0x8000

#endif
