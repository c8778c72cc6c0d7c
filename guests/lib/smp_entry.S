/* SPDX-License-Identifier: MIT */
/*
 * Where later CPUs start: 32-bit flat (VCPUOP_initialise), or real mode at
 * LOW_PAGE (STARTUP), which goes on to the former. The first brings its stack
 * along; for the other it is in `smp_stack`, so only one may be on its way.
 */

#include "layout.h"

    .text
    .code32
    .globl  smp_entry
smp_entry:
    cld
    mov     $SEL_DATA, %eax
    lgdt    gdt_pointer
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    call    mode_enter
#ifdef ENV_PVH64
    .code64
#endif
    call    smp_main

    .section .rodata
    .balign 16
    .code16
    .globl  smp_trampoline, smp_trampoline_end
smp_trampoline:
    cli
    mov     %cs, %ax
    mov     %ax, %ds
    lgdtl   trampoline_gdt - smp_trampoline
    mov     %cr0, %eax
    or      $1, %eax
    mov     %eax, %cr0
    ljmpl   $SEL_CODE32, $smp_entry_flat
    .balign 8
trampoline_gdt:
    .word   SEL_TSS(0) - 1
    .long   gdt_table
smp_trampoline_end:

    .text
    .code32
smp_entry_flat:
    mov     $SEL_DATA, %eax
    mov     %eax, %ds
    mov     smp_stack, %esp
    jmp     smp_entry

    .section .note.GNU-stack, "", @progbits
