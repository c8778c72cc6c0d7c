/* SPDX-License-Identifier: MIT */
/*
 * A firmware image that is nothing but a test: reset vector, flat 32-bit mode,
 * interrupt stubs. The image is executed where it shows below 1 MiB.
 */

#define VECTORS 64

    .section .reset, "ax"
    .code16
    ljmp $0xf000, $rom_start16_offset
    .org 16

    .section .text16, "ax"
rom_start16:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl gdt_pointer_offset
    movl %cr0, %eax
    andl $0x9fffffff, %eax /* caches on */
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $8, $rom_start32

    .code32
rom_start32:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl $rom_stack_top, %esp
    movl $rom_data_load, %esi
    movl $rom_data_start, %edi
    movl $rom_data_end, %ecx
    subl %edi, %ecx
    rep movsb
    movl $rom_bss_start, %edi
    movl $rom_bss_end, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    call rom_main
1:  cli
    hlt
    jmp 1b

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
    .globl gdt_pointer, rom_start16
gdt_pointer:
    .word . - gdt - 1
    .long gdt

/* Exceptions are never returned from, so their error codes do not matter. */
    .text
    .balign 16
    .globl rom_stubs
rom_stubs:
    .set vector, 0
    .rept VECTORS
    .balign 16
    pushl $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr

interrupt_common:
    pushal
    cld
    movl 32(%esp), %eax
    movl 36(%esp), %edx
    pushl %edx
    pushl %eax
    call rom_interrupt
    addl $8, %esp
    popal
    addl $4, %esp
    iretl

    .bss
    .balign 16
    .skip 16384
rom_stack_top:

    .section .note.GNU-stack, "", @progbits
