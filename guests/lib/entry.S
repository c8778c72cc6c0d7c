/* SPDX-License-Identifier: MIT */
/*
 * PVH entry of every test guest: the ELF note that names the entry point, the
 * static page tables of the four environments, and the step from 32-bit flat
 * mode (paging off, EBX = hvm_start_info) to the C code of this environment.
 * The tables are data in the image, so no memory has to be found before the
 * first line of C, and a page table bug cannot hide in start-up code.
 */

#include "layout.h"

    .section .note.Xen, "a", @note
    .balign 4
    .long   4               /* name size */
    .long   4               /* value size */
    .long   18              /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz  "Xen"
    .long   _start

    .section .text.entry, "ax", @progbits
    .code32
    .globl  _start
_start:
    /* The first instruction: `boot_tsc` is what the boot figure is made of. */
    rdtsc
    mov     %eax, boot_tsc
    mov     %edx, boot_tsc + 4
    cld
    mov     %ebx, boot_start_info
    mov     $boot_stack_end, %esp
    call    mode_enter
#ifdef ENV_PVH64
    .code64
#endif
    call    guest_main
1:  hlt
    jmp     1b

/*
 * Goes from 32-bit flat mode without paging to the mode of the environment and
 * returns to the caller there. Used by the boot CPU and by every later one.
 * Clobbers: eax, ecx, edx; loads all segment registers and the GDT.
 */
    .code32
    .globl  mode_enter
mode_enter:
    lgdt    gdt_pointer
#if PAGING_LEVELS == 2
    mov     %cr4, %eax
    or      $0x10, %eax                     /* PSE */
    mov     %eax, %cr4
#elif PAGING_LEVELS >= 3
    mov     %cr4, %eax
    or      $0x20, %eax                     /* PAE */
    mov     %eax, %cr4
#endif
#if PAGING_LEVELS > 0
    mov     $page_table_root, %eax
    mov     %eax, %cr3
#endif
#ifdef ENV_PVH64
    mov     $0xc0000080, %ecx
    rdmsr
    or      $0x901, %eax                    /* NXE, LME, SCE */
    wrmsr
#endif
#if PAGING_LEVELS > 0
    mov     %cr0, %eax
    or      $0x80010000, %eax               /* PG, WP */
    mov     %eax, %cr0
#endif
    mov     $SEL_DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    xor     %eax, %eax
    mov     %eax, %fs
    mov     %eax, %gs
    pop     %ecx                            /* return address */
#ifdef ENV_PVH64
    ljmp    $SEL_CODE64, $1f
    .code64
1:  mov     %ecx, %ecx
    mov     %esp, %esp
    jmp     *%rcx
#else
    ljmp    $SEL_CODE32, $1f
1:  jmp     *%ecx
#endif

    .data
    .balign 8
    .globl  boot_tsc, boot_start_info
boot_tsc:
    .quad   0
boot_start_info:
    .long   0

    .balign 16
    .globl  gdt_table, gdt_pointer
gdt_table:
    .quad   0
    .quad   0x00cf9b000000ffff              /* SEL_CODE32 */
    .quad   0x00cf93000000ffff              /* SEL_DATA */
    .quad   0x00af9b000000ffff              /* SEL_CODE64 */
    .quad   0x00cffb000000ffff              /* SEL_USER_CODE32 */
    .quad   0x00cff3000000ffff              /* SEL_USER_DATA */
    .quad   0x00affb000000ffff              /* SEL_USER_CODE64 */
    .quad   0x00009b000000ffff              /* SEL_CODE16, base 0 */
    .quad   0x000093000000ffff              /* SEL_DATA16, base 0 */
    .quad   0x00cf13000000ffff              /* SEL_ABSENT */
    .fill   CPUS_MAX * 2, 8, 0              /* task segments */
gdt_table_end:
gdt_pointer:
    .word   gdt_table_end - gdt_table - 1
    .long   gdt_table, 0

/*
 * Identity maps of the low 4 GiB, present + writable + user, except for the
 * hole [UNMAPPED_VA, UNMAPPED_VA + 4 MiB) that tests fault on.
 */
#if PAGING_LEVELS == 2
    .balign 4096
    .globl  page_table_root
page_table_root:
    .set    i, 0
    .rept   1024
    .if     i == (UNMAPPED_VA >> 22)
    .long   0
    .else
    .long   (i << 22) | 0xe7
    .endif
    .set    i, i + 1
    .endr
#elif PAGING_LEVELS >= 3
    .balign 4096
    .globl  page_directory
page_directory:
    .set    i, 0
    .rept   2048
    .if     i == (UNMAPPED_VA >> 21) || i == (UNMAPPED_VA >> 21) + 1
    .quad   0
    .else
    .quad   (i << 21) | 0xe7
    .endif
    .set    i, i + 1
    .endr
    .globl  page_table_root
#if PAGING_LEVELS == 3
    .balign 32
page_table_root:
    .long   page_directory + 0x0001, 0
    .long   page_directory + 0x1001, 0
    .long   page_directory + 0x2001, 0
    .long   page_directory + 0x3001, 0
#else
    .balign 4096
page_pointer_table:
    .long   page_directory + 0x0027, 0
    .long   page_directory + 0x1027, 0
    .long   page_directory + 0x2027, 0
    .long   page_directory + 0x3027, 0
    .fill   508, 8, 0
page_table_root:
    .long   page_pointer_table + 0x27, 0
    .fill   511, 8, 0
#endif
#endif

    .bss
    .balign STACK_SIZE
    .globl  boot_stack, boot_stack_end
boot_stack:
    .skip   STACK_SIZE
boot_stack_end:

    .section .note.GNU-stack, "", @progbits
