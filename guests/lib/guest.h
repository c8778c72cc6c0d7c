/* SPDX-License-Identifier: MIT */
/*
 * Everything a test guest includes. A test defines `test_title` and
 * `test_main()`; the library calls it on the boot CPU with traps, hypercalls
 * and console ready, and prints the verdict when it returns.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "cpu.h"
#include "event.h"
#include "hypercall.h"
#include "lapic.h"
#include "layout.h"
#include "mem.h"
#include "platform.h"
#include "print.h"
#include "random.h"
#include "report.h"
#include "smp.h"
#include "trap.h"
#include "user.h"
#include "util.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/hvm/start_info.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** One line that says what the guest tests. Defined by each test. */
extern const char test_title[];

/** The test. Defined by each test. */
void test_main(void);

extern uint64_t gdt_table[];
extern uint64_t boot_tsc;
extern uint32_t boot_start_info;
extern uint8_t image_start[], image_end[];
extern uint8_t boot_stack[];

#endif
