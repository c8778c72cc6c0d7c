/* SPDX-License-Identifier: MIT */
/*
 * User mode for tests of privilege. The return gate is set up on first use;
 * the IDT is shared, so only the boot CPU may be in user mode.
 */

#include "guest.h"

extern uint8_t user_return[];

#ifdef __x86_64__
long user_call_asm(long (*fn)(long), long arg);
#else
long user_call_asm(long (*fn)(long), long arg) __attribute__((regparm(2)));
#endif

long user_call(long (*fn)(long arg), long arg)
{
    trap_gate_set(USER_RETURN_VECTOR, (uintptr_t)user_return, 3, 0);
    return user_call_asm(fn, arg);
}
