/* SPDX-License-Identifier: MIT */
/*
 * The mode changes of the guest `mode`, as 32-bit functions: each enters a
 * mode, executes CPUID there, and returns EBX of the answer. Interrupts are
 * off; the identity map makes every step land on the next instruction.
 */

#include "layout.h"

    .text
    .code32

    .globl  mode_pse
mode_pse:
    push    %ebx
    mov     8(%esp), %eax
    mov     12(%esp), %edx
    mov     %edx, %cr3
    mov     %cr4, %ecx
    or      $0x10, %ecx
    mov     %ecx, %cr4
    mov     %cr0, %ecx
    or      $0x80000000, %ecx
    mov     %ecx, %cr0
    jmp     1f
1:  cpuid
    mov     %ebx, %eax
    mov     %cr0, %ecx
    and     $0x7fffffff, %ecx
    mov     %ecx, %cr0
    mov     %cr4, %ecx
    and     $~0x10, %ecx
    mov     %ecx, %cr4
    pop     %ebx
    ret

    .globl  mode_pae
mode_pae:
    push    %ebx
    mov     8(%esp), %eax
    mov     12(%esp), %edx
    mov     %edx, %cr3
    mov     %cr4, %ecx
    or      $0x20, %ecx
    mov     %ecx, %cr4
    mov     %cr0, %ecx
    or      $0x80000000, %ecx
    mov     %ecx, %cr0
    jmp     1f
1:  cpuid
    mov     %ebx, %eax
    mov     %cr0, %ecx
    and     $0x7fffffff, %ecx
    mov     %ecx, %cr0
    mov     %cr4, %ecx
    and     $~0x20, %ecx
    mov     %ecx, %cr4
    pop     %ebx
    ret

    .globl  mode_long
mode_long:
    push    %ebx
    push    %esi
    mov     12(%esp), %esi
    mov     16(%esp), %edx
    mov     %edx, %cr3
    mov     %cr4, %ecx
    or      $0x20, %ecx
    mov     %ecx, %cr4
    mov     $0xc0000080, %ecx
    rdmsr
    or      $0x100, %eax
    wrmsr
    mov     %cr0, %ecx
    or      $0x80000000, %ecx
    mov     %ecx, %cr0
    ljmp    $SEL_CODE64, $1f
    .code64
1:  mov     %esi, %eax
    cpuid                                   /* 64-bit mode */
    mov     %ebx, %esi
    lea     far_to_compat(%rip), %rax
    ljmp    *(%rax)
    .balign 8
far_to_compat:
    .long   2f
    .word   SEL_CODE32
    .code32
2:  mov     %cr0, %ecx                      /* compatibility mode */
    and     $0x7fffffff, %ecx
    mov     %ecx, %cr0
    mov     $0xc0000080, %ecx
    rdmsr
    and     $~0x100, %eax
    wrmsr
    mov     %cr4, %ecx
    and     $~0x20, %ecx
    mov     %ecx, %cr4
    mov     %esi, %eax
    pop     %esi
    pop     %ebx
    ret

/*
 * Real mode: through 16-bit protected mode, so that the hidden parts of the
 * segment registers have 64 KiB limits. An INT through the vector table at 0
 * runs code there as well.
 */
    .globl  mode_real
mode_real:
    push    %ebx
    push    %esi
    push    %edi
    push    %ebp
    mov     20(%esp), %esi
    mov     %esp, real_saved_sp
    sidt    real_saved_idt
    lidt    real_idt
    ljmp    $SEL_CODE16, $LOW_PAGE

real_return:
    mov     $SEL_DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    mov     real_saved_sp, %esp
    lidt    real_saved_idt
    mov     %esi, %eax
    pop     %ebp
    pop     %edi
    pop     %esi
    pop     %ebx
    ret

    .section .rodata
    .balign 16
    .code16
    .globl  mode_real_code, mode_real_code_end
mode_real_code:
    mov     $SEL_DATA16, %ax
    mov     %ax, %ds
    mov     %ax, %es
    mov     %ax, %ss
    mov     %cr0, %eax
    and     $~1, %eax
    mov     %eax, %cr0
    ljmp    $(LOW_PAGE >> 4), $(1f - mode_real_code)
1:  xor     %ax, %ax
    mov     %ax, %ds
    mov     %ax, %es
    mov     %ax, %ss
    mov     $LOW_PAGE, %sp
    /* Vector 0x61 of the table at 0: the routine below. */
    movw    $(real_interrupt - mode_real_code), 0x61 * 4
    movw    $(LOW_PAGE >> 4), 0x61 * 4 + 2
    int     $0x61
    mov     %cr0, %eax
    or      $1, %eax
    mov     %eax, %cr0
    ljmpl   $SEL_CODE32, $real_return
real_interrupt:
    mov     %esi, %eax
    cpuid
    mov     %ebx, %esi
    iret
mode_real_code_end:

    .data
    .balign 8
real_saved_sp:
    .long   0
real_saved_idt:
    .word   0
    .long   0
real_idt:
    .word   0x3ff
    .long   0

    .section .note.GNU-stack, "", @progbits
