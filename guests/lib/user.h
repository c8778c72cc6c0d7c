/* SPDX-License-Identifier: MIT */
/*
 * Running a function at privilege level 3 on the boot CPU.
 */
#ifndef GUEST_USER_H
#define GUEST_USER_H

/** Software interrupt by which user code returns to user_call(). */
#define USER_RETURN_VECTOR 0x82

/**
 * Calls fn(arg) in user mode, interrupts as they are, on a stack of its own.
 * Not reentrant; boot CPU only.
 *
 * @return what `fn` returned.
 */
long user_call(long (*fn)(long arg), long arg);

#endif
