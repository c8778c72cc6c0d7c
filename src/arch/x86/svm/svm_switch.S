/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch. VMRUN exchanges RAX, RSP, RIP, RFLAGS, CS, SS, DS, ES, the
 * control registers and EFER; VMLOAD and VMSAVE the rest of the segment state
 * and the system-call MSRs; the other GPRs are ours to exchange.
 *
 * CLGI holds every interrupt, NMIs included, from before the guest's state is
 * loaded until the host's is back, so no handler ever runs on a guest GS base.
 * With GIF clear, STI only arms the INTR intercept: VMRUN with V_INTR_MASKING
 * takes "host IF" from RFLAGS.
 * Ref: AMD APM Vol 2, 15.5.1 "Basic Operation", 15.17 "Global Interrupt Flag".
 *
 * void svm_switch(struct vcpu_regs *regs, uint64_t vmcb_pa, uint64_t host_pa)
 * Clobbers what the ABI lets a function clobber. regs->gpr[RAX] and [RSP] are
 * not touched here: they travel in the VMCB.
 */

#include "asm_offsets.h"

    .text
    .globl svm_switch
    .type svm_switch, @function
svm_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdx
    push %rdi

    mov %rsi, %rax
    clgi
    sti
    mov REGS_RCX(%rdi), %rcx
    mov REGS_RDX(%rdi), %rdx
    mov REGS_RBX(%rdi), %rbx
    mov REGS_RBP(%rdi), %rbp
    mov REGS_RSI(%rdi), %rsi
    mov REGS_R8(%rdi), %r8
    mov REGS_R9(%rdi), %r9
    mov REGS_R10(%rdi), %r10
    mov REGS_R11(%rdi), %r11
    mov REGS_R12(%rdi), %r12
    mov REGS_R13(%rdi), %r13
    mov REGS_R14(%rdi), %r14
    mov REGS_R15(%rdi), %r15
    mov REGS_RDI(%rdi), %rdi

    vmload %rax
    vmrun %rax
    .globl svm_switch_return
svm_switch_return:
    vmsave %rax

    /* RAX is the VMCB again; one stack slot frees a register. */
    push %rdi
    mov 8(%rsp), %rdi
    mov %rcx, REGS_RCX(%rdi)
    mov %rdx, REGS_RDX(%rdi)
    mov %rbx, REGS_RBX(%rdi)
    mov %rbp, REGS_RBP(%rdi)
    mov %rsi, REGS_RSI(%rdi)
    mov %r8, REGS_R8(%rdi)
    mov %r9, REGS_R9(%rdi)
    mov %r10, REGS_R10(%rdi)
    mov %r11, REGS_R11(%rdi)
    mov %r12, REGS_R12(%rdi)
    mov %r13, REGS_R13(%rdi)
    mov %r14, REGS_R14(%rdi)
    mov %r15, REGS_R15(%rdi)
    pop %rcx
    mov %rcx, REGS_RDI(%rdi)

    pop %rdi
    pop %rax
    vmload %rax
    cli
    stgi

    /* No guest value is left in a register the C code may speculate on. */
    xor %ecx, %ecx
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %r11d, %r11d
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .size svm_switch, . - svm_switch

    .section .note.GNU-stack, "", @progbits
