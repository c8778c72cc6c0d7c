/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layout of the image. It is loaded at 2 MiB physical and runs at that plus
 * IMAGE_MAP_BASE. Every change of access rights starts a new page, because the
 * final page tables map each group with no more rights than it needs.
 */
#define IMAGE_MAP_BASE 0xffffffff80000000
#define IMAGE_PHYS 0x200000
#define PAGE 0x1000

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(boot_entry32)

PHDRS
{
    text PT_LOAD FLAGS(5);
    rodata PT_LOAD FLAGS(4);
    data PT_LOAD FLAGS(6);
    stack PT_GNU_STACK FLAGS(6);
}

SECTIONS
{
    . = IMAGE_MAP_BASE + IMAGE_PHYS;
    __image_start = .;

    .text : AT(ADDR(.text) - IMAGE_MAP_BASE)
    {
        __text_start = .;
        KEEP(*(.multiboot))
        *(.text.head)
        *(.text .text.*)
        *(.iplt)
        . = ALIGN(PAGE);
        __text_end = .;
    } :text

    .rodata : AT(ADDR(.rodata) - IMAGE_MAP_BASE)
    {
        __rodata_start = .;
        *(.rodata .rodata.*)
        *(.got .got.plt .igot .igot.plt)
        . = ALIGN(4);
        __ex_table_start = .;
        KEEP(*(.ex_table))
        __ex_table_end = .;
        . = ALIGN(8);
        *(.symbols)
        . = ALIGN(PAGE);
        __rodata_end = .;
    } :rodata

    .data : AT(ADDR(.data) - IMAGE_MAP_BASE)
    {
        __data_start = .;
        *(.data .data.[!r]* .data.r[!o]*)
        . = ALIGN(PAGE);
        __ro_after_init_start = .;
        *(.data.ro_after_init)
        . = ALIGN(16);
        __load_end = .;
    } :data

    .bss (NOLOAD) : AT(ADDR(.bss) - IMAGE_MAP_BASE)
    {
        *(.bss.ro_after_init)
        . = ALIGN(PAGE);
        __ro_after_init_end = .;
        *(.bss.page_aligned)
        *(.bss .bss.*)
        *(COMMON)
        . = ALIGN(PAGE);
    } :data
    __image_end = .;

    /* Nothing is relocated when the image starts. */
    .rela.dyn : { *(.rela .rela.*) }
    ASSERT(SIZEOF(.rela.dyn) == 0, "the image has run-time relocations")

    .debug_info 0 : { *(.debug_info .debug_info.*) }
    .debug_abbrev 0 : { *(.debug_abbrev) }
    .debug_aranges 0 : { *(.debug_aranges) }
    .debug_rnglists 0 : { *(.debug_rnglists) }
    .debug_loclists 0 : { *(.debug_loclists) }
    .debug_line 0 : { *(.debug_line .debug_line.*) }
    .debug_str 0 : { *(.debug_str) }
    .debug_line_str 0 : { *(.debug_line_str) }
    .debug_str_offsets 0 : { *(.debug_str_offsets) }
    .debug_addr 0 : { *(.debug_addr) }
    .debug_frame 0 : { *(.debug_frame) }
    .debug_ranges 0 : { *(.debug_ranges) }
    .debug_loc 0 : { *(.debug_loc) }
    .symtab 0 : { *(.symtab) }
    .strtab 0 : { *(.strtab) }
    .shstrtab 0 : { *(.shstrtab) }

    /DISCARD/ :
    {
        *(.comment)
        *(.note .note.*)
        *(.eh_frame .eh_frame_hdr)
        *(.gnu.*)
        *(.llvm_addrsig)
    }
}
