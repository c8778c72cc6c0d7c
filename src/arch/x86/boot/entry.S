/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the boot loader's 32-bit hand-over to C in long mode. The tables made
 * here map the first 4 GiB three times, writable and executable: at 0 (the
 * code that switches), in the direct map and, the first GiB, at the image's
 * addresses. They live until paging.c replaces them, and once more while each
 * further CPU starts.
 * In: eax = loader's magic, ebx = its information structure, paging off.
 */
#include "boot/layout.h"
#include "cpu/selectors.h"

#define CR0_PE 0x1
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define CPUID_EXT_LEAF 0x80000001
#define CPUID_LONG_MODE 29
#define COM1 0x3f8
#define COM1_LSR (COM1 + 5)
#define LSR_THRE 0x20

#define TABLE_FLAGS 0x23 /* P, RW, A */
#define LEAF_FLAGS 0xe3  /* P, RW, A, D, large */
#define DIRECT_MAP_SLOT 256
#define IMAGE_SLOT 511
#define IMAGE_PDPT_SLOT 510

    .section .text.head, "ax"
    .code32
    .global boot_entry32
boot_entry32:
    cli
    cld
    movl $PHYS(boot_stack_top), %esp
    movl %eax, %edi
    movl %ebx, %esi
    rdtsc
    movl %eax, PHYS(boot_entry_tsc)
    movl %edx, PHYS(boot_entry_tsc) + 4

    movl $0x80000000, %eax
    cpuid
    cmpl $CPUID_EXT_LEAF, %eax
    jb no_long_mode
    movl $CPUID_EXT_LEAF, %eax
    cpuid
    btl $CPUID_LONG_MODE, %edx
    jnc no_long_mode

    /* 4 x 512 large pages. */
    movl $PHYS(boot_pd), %ebx
    movl $LEAF_FLAGS, %eax
    movl $2048, %ecx
1:  movl %eax, (%ebx)
    addl $0x200000, %eax
    addl $8, %ebx
    decl %ecx
    jnz 1b

    movl $PHYS(boot_pdpt_low), %ebx
    movl $PHYS(boot_pd) + TABLE_FLAGS, %eax
    movl $4, %ecx
2:  movl %eax, (%ebx)
    addl $0x1000, %eax
    addl $8, %ebx
    decl %ecx
    jnz 2b

    movl $PHYS(boot_pd) + TABLE_FLAGS, %eax
    movl %eax, PHYS(boot_pdpt_image) + 8 * IMAGE_PDPT_SLOT
    movl $PHYS(boot_pdpt_low) + TABLE_FLAGS, %eax
    movl %eax, PHYS(boot_pml4)
    movl %eax, PHYS(boot_pml4) + 8 * DIRECT_MAP_SLOT
    movl $PHYS(boot_pdpt_image) + TABLE_FLAGS, %eax
    movl %eax, PHYS(boot_pml4) + 8 * IMAGE_SLOT

    movl %cr4, %eax
    orl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME, %eax
    wrmsr
    movl %cr0, %eax
    orl $(CR0_PG | CR0_WP | CR0_PE), %eax
    movl %eax, %cr0
    lgdt PHYS(boot_gdt_pointer)
    ljmp $SEL_CODE, $PHYS(boot_entry64)

/* Not a machine for us: say so on the serial line, which the firmware may or
 * may not have set up, and stop. */
no_long_mode:
    movl $PHYS(no_long_mode_text), %esi
3:  lodsb
    testb %al, %al
    jz 5f
    movb %al, %bl
    movw $COM1_LSR, %dx
    movl $100000, %ecx
4:  inb %dx, %al
    testb $LSR_THRE, %al
    loopz 4b
    movw $COM1, %dx
    movb %bl, %al
    outb %al, %dx
    jmp 3b
5:  hlt
    jmp 5b

    .code64
boot_entry64:
    movl $SEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $boot_entry_high, %rax
    jmp *%rax

/*
 * At the final addresses. The bases behind %gs (struct cpu) and %fs (stack
 * canary) come first: every C function may use them.
 */
boot_entry_high:
    movq $boot_stack_top, %rsp
    xorl %ebp, %ebp
    movl %edi, %r12d
    movl %esi, %r13d
    movq $boot_cpu, %rdi
    movq %rdi, (%rdi)
    call percpu_bases_load
    call stack_canary_init
    movl %r12d, %edi
    movl %r13d, %esi
    call x86_boot
    ud2

/*
 * Where the AP trampoline arrives, still on the boot tables.
 * In: rdi = its struct cpu, rsp = its stack, rdx = final CR3, rcx = EFER.
 */
    .global ap_entry64
ap_entry64:
    movq %rdx, %r8
    movl %ecx, %eax
    xorl %edx, %edx
    movl $MSR_EFER, %ecx
    wrmsr
    movq %r8, %cr3
    xorl %ebp, %ebp
    call percpu_bases_load
    call x86_ap_boot
    ud2

/* GS base = rdi (struct cpu), FS base = the canary. Keeps rdi. */
    .global percpu_bases_load
percpu_bases_load:
    movl $MSR_GS_BASE, %ecx
    movl %edi, %eax
    movq %rdi, %rdx
    shrq $32, %rdx
    wrmsr
    movl $MSR_FS_BASE, %ecx
    movq $stack_canary_block, %rax
    movq %rax, %rdx
    shrq $32, %rdx
    wrmsr
    ret

/**
 * void boot_stack_switch(void *top, void (*fn)(void)): leaves the present stack
 * for good and calls `fn` on the one that ends at `top`.
 */
    .global boot_stack_switch
boot_stack_switch:
    movq %rdi, %rsp
    xorl %ebp, %ebp
    call *%rsi
    ud2

    .section .rodata, "a"
no_long_mode_text:
    .asciz "Ravelin: this processor has no 64-bit mode\r\n"

    .balign 8
    .global boot_gdt
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* SEL_CODE: 64-bit */
    .quad 0x00cf93000000ffff /* SEL_DATA */
boot_gdt_end:
boot_gdt_pointer:
    .short boot_gdt_end - boot_gdt - 1
    .long PHYS(boot_gdt)

    .section .bss.page_aligned, "aw", @nobits
    .balign 4096
    .global boot_pml4
boot_pml4:
    .skip 4096
boot_pdpt_low:
    .skip 4096
boot_pdpt_image:
    .skip 4096
boot_pd:
    .skip 4 * 4096
    .global boot_stack
boot_stack:
    .skip BOOT_STACK_SIZE
    .global boot_stack_top
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
