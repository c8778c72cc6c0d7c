/* SPDX-License-Identifier: MIT */
/*
 * Memory map entries as XENMEM_memory_map returns them: the format of BIOS
 * INT 15h, AX=E820h.
 */
#pragma once

#include <stdint.h>

struct xen_e820_entry {
    uint64_t addr;
    uint64_t size;
    uint32_t type;
} __attribute__((packed));

#define XEN_E820_RAM 1
#define XEN_E820_RESERVED 2
#define XEN_E820_ACPI 3
#define XEN_E820_NVS 4
#define XEN_E820_UNUSABLE 5
