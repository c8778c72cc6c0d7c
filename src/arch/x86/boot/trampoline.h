/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start-up page of a CPU: code at offset 0, parameters at a fixed offset.
 */
#pragma once

#define AP_PARAMETERS 0xf00

#define AP_GDT (AP_PARAMETERS + 0x00)
#define AP_GDT_POINTER (AP_PARAMETERS + 0x18)
#define AP_FAR_POINTER (AP_PARAMETERS + 0x20)
#define AP_BOOT_CR3 (AP_PARAMETERS + 0x28)
#define AP_CPU (AP_PARAMETERS + 0x30)
#define AP_STACK (AP_PARAMETERS + 0x38)
#define AP_CR3 (AP_PARAMETERS + 0x40)
#define AP_EFER (AP_PARAMETERS + 0x48)
#define AP_ENTRY (AP_PARAMETERS + 0x50)

#ifndef __ASSEMBLER__

#include "ravelin/types.h"

struct ap_parameters {
    uint64_t gdt[3];
    uint16_t gdt_limit;
    uint16_t gdt_base[2]; /* 32 bits, at an address that is not aligned */
    uint16_t pad0;
    uint32_t far_offset;
    uint16_t far_selector;
    uint16_t pad1;
    uint32_t boot_cr3;
    uint32_t pad2;
    uint64_t cpu;
    uint64_t stack;
    uint64_t cr3;
    uint64_t efer;
    uint64_t entry;
};

#define AP_OFFSET_IS(field, value)                                         \
    static_assert(AP_PARAMETERS + offsetof(struct ap_parameters, field) == \
                      (value),                                             \
                  "trampoline.S and struct ap_parameters agree")
AP_OFFSET_IS(gdt, AP_GDT);
AP_OFFSET_IS(gdt_limit, AP_GDT_POINTER);
AP_OFFSET_IS(far_offset, AP_FAR_POINTER);
AP_OFFSET_IS(boot_cr3, AP_BOOT_CR3);
AP_OFFSET_IS(cpu, AP_CPU);
AP_OFFSET_IS(stack, AP_STACK);
AP_OFFSET_IS(cr3, AP_CR3);
AP_OFFSET_IS(efer, AP_EFER);
AP_OFFSET_IS(entry, AP_ENTRY);

extern const uint8_t trampoline_start[];
extern const uint8_t trampoline_entry64[];
extern const uint8_t trampoline_end[];

#endif
