/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry for all 256 vectors: one stub each, VECTOR_STUB_SIZE bytes apart, that
 * completes the frame to struct exception_frame, and a common part that calls
 * C. The hypervisor has no user mode, so there is no swapgs; interrupt gates
 * leave interrupts off.
 * Ref: AMD APM Vol 2 8.9 "Long-Mode Interrupt Control Transfers".
 */
#include "cpu/vectors.h"

/* Vectors for which the processor pushes an error code itself. */
#define HAS_ERROR(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || \
                      (v) == 21 || (v) == 29 || (v) == 30)

    .text
    .balign VECTOR_STUB_SIZE
    .global vector_stubs
vector_stubs:
    .set vector, 0
    .rept 256
    .balign VECTOR_STUB_SIZE
    .if !HAS_ERROR(vector)
    pushq $0
    .endif
    pushq $vector
    .if vector == 1
    jmp vector_debug
    .else
    jmp vector_common
    .endif
    .set vector, vector + 1
    .endr

    /*
     * QEMU's TCG may raise a guest's data breakpoint once more right behind
     * VMRUN, where GS is still the guest's. There the trap is over at once;
     * svm_vcpu.c finds the hit in DR6.
     */
    .balign 16
vector_debug:
    pushq %rax
    leaq svm_switch_return(%rip), %rax
    cmpq %rax, 24(%rsp)
    jne 1f
    popq %rax
    addq $16, %rsp
    iretq
1:  popq %rax
    jmp vector_common

    .balign 16
vector_common:
    cld
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rdi
    call interrupt_dispatch
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    addq $16, %rsp /* vector, error code */
    iretq

    .section .note.GNU-stack, "", @progbits
