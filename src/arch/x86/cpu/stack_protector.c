/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack canary. Compilers read it at %fs:0x28; FS base points at
 * stack_canary_block on every CPU. It is drawn once, before the first protected
 * function runs, and has a zero byte so that string overruns cannot copy it.
 */
#include "arch/host.h"
#include "arch_inline.h"
#include "cpu/percpu.h"
#include "ravelin/panic.h"

#define CANARY_OFFSET 0x28u

struct canary_block {
    uint8_t pad[CANARY_OFFSET];
    uint64_t canary;
};

struct canary_block stack_canary_block RV_RO_AFTER_INIT = {0};

void stack_canary_init(void);
rv_noreturn void __stack_chk_fail(void);

/* Called from entry.S; must not itself be protected. */
__attribute__((no_stack_protector)) void stack_canary_init(void)
{
    stack_canary_block.canary = arch_random64() & ~0xffUL;
}

void __stack_chk_fail(void)
{
    panic("stack overrun in the function that returns to %p",
          __builtin_return_address(0));
}
