/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a loader needs to know of an ELF executable: which bytes go where in
 * physical memory, and where a PVH guest starts. Values only; nothing in the
 * result points into the image.
 */
#pragma once

#include "ravelin/types.h"

#define ELF_SEGMENT_MAX 16u

struct elf_segment {
    uint64_t paddr;
    uint64_t offset; /* in the file */
    uint64_t file_size;
    uint64_t mem_size; /* >= file_size; the rest is zero */
};

struct elf_image {
    uint32_t entry; /* of the PHYS32_ENTRY note; inside a segment */
    unsigned count; /* >= 1, sorted by paddr, disjoint */
    struct elf_segment segment[ELF_SEGMENT_MAX];
};

/**
 * Parses an ELF32 or ELF64 executable for x86. Accepts any bytes.
 *
 * @param image  readable for `size` bytes; need not be aligned; must not
 *               change during the call.
 * @param out    filled on success.
 * @param why    on error a text that names the broken rule.
 * @return 0; -ENOEXEC.
 * Ref: System V ABI, "Object Files" and "Program Header"; Xen public headers,
 *      elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY.
 */
int rv_must_check elf_parse(const void *image, size_t size,
                            struct elf_image *out, const char **why);
