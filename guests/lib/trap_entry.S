/* SPDX-License-Identifier: MIT */
/*
 * 256 interrupt stubs that save all registers as struct trap_frame and call
 * trap_dispatch(). Vectors without an error code push 0 in its place.
 */

#include "layout.h"

#ifdef ENV_PVH64
    .code64
#define WORD .quad
#else
    .code32
#define WORD .long
#endif

    .section .rodata
    .balign 8
    .globl  trap_stub_table
trap_stub_table:

    .text
    .set    vector, 0
    .rept   256
    .balign 16
1:
    /* #DF #TS #NP #SS #GP #PF, #AC, #CP, #VC, #SX push an error code. */
    .set    has_error, (vector == 8) || (vector >= 10 && vector <= 14)
    .set    has_error, has_error || (vector == 17) || (vector == 21)
    .set    has_error, has_error || (vector == 29) || (vector == 30)
    .if     !has_error
    push    $0
    .endif
    push    $vector
    jmp     trap_common
    .pushsection .rodata
    WORD    1b
    .popsection
    .set    vector, vector + 1
    .endr

#ifdef ENV_PVH64
trap_common:
    push    %rax
    push    %rcx
    push    %rdx
    push    %rbx
    push    %rbp
    push    %rsi
    push    %rdi
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    cld
    mov     %rsp, %rdi
    call    trap_dispatch
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdi
    pop     %rsi
    pop     %rbp
    pop     %rbx
    pop     %rdx
    pop     %rcx
    pop     %rax
    add     $16, %rsp
    iretq
#else
trap_common:
    push    %eax
    push    %ecx
    push    %edx
    push    %ebx
    push    %ebp
    push    %esi
    push    %edi
    cld
    push    %esp
    call    trap_dispatch
    add     $4, %esp
    pop     %edi
    pop     %esi
    pop     %ebp
    pop     %ebx
    pop     %edx
    pop     %ecx
    pop     %eax
    add     $8, %esp
    iret
#endif

    .section .note.GNU-stack, "", @progbits
