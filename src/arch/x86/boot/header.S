/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What boot loaders look for in the first kilobytes of the image: a multiboot 1
 * header with explicit load addresses, since the file is a flat binary, and a
 * multiboot 2 header that says the same.
 * Ref: Multiboot Specification 0.6.96, 3.1 "OS image format";
 *      Multiboot2 Specification 2.0, 3.1 "OS image format".
 */
#include "boot/layout.h"

#define MB1_MAGIC 0x1badb002
#define MB1_PAGE_ALIGN 0x1
#define MB1_MEMORY_INFO 0x2
#define MB1_ADDRESS_FIELDS 0x10000
#define MB1_FLAGS (MB1_PAGE_ALIGN | MB1_MEMORY_INFO | MB1_ADDRESS_FIELDS)

#define MB2_MAGIC 0xe85250d6
#define MB2_ARCH_I386 0
#define MB2_TAG_END 0
#define MB2_TAG_ADDRESS 2
#define MB2_TAG_ENTRY 3
#define MB2_TAG_MODULE_ALIGN 6

    .section .multiboot, "a"

    .balign 4
mb1_header:
    .long MB1_MAGIC
    .long MB1_FLAGS
    .long -(MB1_MAGIC + MB1_FLAGS)
    .long PHYS(mb1_header)
    .long PHYS(__image_start)
    .long PHYS(__load_end)
    .long PHYS(__image_end)
    .long PHYS(boot_entry32)

    .balign 8
mb2_header:
    .long MB2_MAGIC
    .long MB2_ARCH_I386
    .long mb2_header_end - mb2_header
    .long -(MB2_MAGIC + MB2_ARCH_I386 + (mb2_header_end - mb2_header))

    .balign 8
    .short MB2_TAG_ADDRESS, 0
    .long 24
    .long PHYS(mb2_header)
    .long PHYS(__image_start)
    .long PHYS(__load_end)
    .long PHYS(__image_end)

    .balign 8
    .short MB2_TAG_ENTRY, 0
    .long 12
    .long PHYS(boot_entry32)

    .balign 8
    .short MB2_TAG_MODULE_ALIGN, 0
    .long 8

    .balign 8
    .short MB2_TAG_END, 0
    .long 8
mb2_header_end:

    .section .note.GNU-stack, "", @progbits
