/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x87 control instructions on behalf of an emulated guest, whose state is in
 * the registers. Only those that never wait are here: others could raise an
 * exception that the guest has left pending.
 */
#include "arch/host.h"

uint16_t arch_fpu_control(enum arch_fpu_op op)
{
    uint16_t word = 0;

    switch (op) {
    case ARCH_FNINIT:
        __asm__ volatile("fninit");
        break;
    case ARCH_FNCLEX:
        __asm__ volatile("fnclex");
        break;
    case ARCH_FNSTSW:
        __asm__ volatile("fnstsw %0" : "=m"(word));
        break;
    case ARCH_FNSTCW:
        __asm__ volatile("fnstcw %0" : "=m"(word));
        break;
    }
    return word;
}

/* The legacy image does not have what XSAVE added, which stays as it is. */
void arch_fpu_image_save(void *image)
{
    __asm__ volatile("fxsave (%0)" : : "r"(image) : "memory");
}

void arch_fpu_image_load(const void *image)
{
    __asm__ volatile("fxrstor (%0)" : : "r"(image) : "memory");
}
