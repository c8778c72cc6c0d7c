/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First instructions of every CPU but the boot CPU. smp.c copies this page
 * below 1 MiB and fills in struct ap_parameters at its end. The CPU starts in
 * real mode at offset 0 of the page and goes straight to long mode on the boot
 * page tables, where the page is mapped at its physical address.
 */
#include "boot/layout.h"
#include "boot/trampoline.h"
#include "cpu/selectors.h"

#define CR0_PE 0x1
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

    .section .rodata, "a"
    .balign 16
    .global trampoline_start
trampoline_start:
    .code16
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl AP_GDT_POINTER
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl AP_BOOT_CR3, %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME, %eax
    wrmsr
    movl $(CR0_PG | CR0_WP | CR0_NE | CR0_PE), %eax
    movl %eax, %cr0
    ljmpl *AP_FAR_POINTER

    .code64
    .global trampoline_entry64
trampoline_entry64:
    movl $SEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    leaq trampoline_start(%rip), %rbx
    movq AP_CPU(%rbx), %rdi
    movq AP_STACK(%rbx), %rsp
    movq AP_CR3(%rbx), %rdx
    movq AP_EFER(%rbx), %rcx
    movq AP_ENTRY(%rbx), %rax
    jmp *%rax
    .global trampoline_end
trampoline_end:

    .section .note.GNU-stack, "", @progbits
