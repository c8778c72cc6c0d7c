/* SPDX-License-Identifier: MIT */
/*
 * The way into user mode and back: an IRET frame down, INT
 * USER_RETURN_VECTOR up. The kernel stack pointer is parked in a variable.
 */

#include "layout.h"

    .bss
    .balign STACK_SIZE
user_stack:
    .skip   STACK_SIZE
user_stack_end:
    .balign 8
kernel_sp:
    .skip   8

    .text
    .globl  user_call_asm, user_return
#ifdef ENV_PVH64
    .code64
user_call_asm:                              /* rdi = fn, rsi = arg */
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    mov     %rsp, kernel_sp
    pushf
    pop     %rax
    push    $SEL_USER_DATA
    push    $user_stack_end
    push    %rax
    push    $SEL_USER_CODE
    push    $1f
    iretq
1:  mov     %rdi, %rax
    mov     %rsi, %rdi
    call    *%rax
    int     $0x82
user_return:
    mov     kernel_sp, %rsp
    mov     $SEL_DATA, %ecx
    mov     %ecx, %ss
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret
#else
    .code32
user_call_asm:                              /* eax = fn, edx = arg */
    push    %ebx
    push    %ebp
    push    %esi
    push    %edi
    mov     %esp, kernel_sp
    mov     $SEL_USER_DATA, %ecx
    mov     %ecx, %ds
    mov     %ecx, %es
    pushf
    pop     %ecx
    push    $SEL_USER_DATA
    push    $user_stack_end
    push    %ecx
    push    $SEL_USER_CODE
    push    $1f
    iret
1:  push    %edx
    call    *%eax
    int     $0x82
user_return:
    mov     kernel_sp, %esp
    mov     $SEL_DATA, %ecx
    mov     %ecx, %ds
    mov     %ecx, %es
    pop     %edi
    pop     %esi
    pop     %ebp
    pop     %ebx
    ret
#endif

    .section .note.GNU-stack, "", @progbits
