/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a kernel file to a boot module: a bzImage gives up the ELF file inside,
 * and the ELF file keeps only what gets loaded. Input files are untrusted;
 * every offset in them is checked.
 */
#pragma once

#include "cli.h"

/* Uncompressed kernels above this size are refused. */
#define UNPACK_SIZE_MAX (1ull << 30)

/**
 * Unpacks compressed data whose form is known by its first bytes: gzip, LZ4
 * (legacy frames, as in kernels), xz, lzma or zstd.
 *
 * @param size  expected length of the result, at most UNPACK_SIZE_MAX.
 * @param why   set to a static explanation on failure.
 * @return true with @out to be freed; false if the data is damaged, of unknown
 *         form, or does not give exactly @size bytes.
 */
rv_must_check bool unpack_data(const unsigned char *data, size_t len,
                               size_t size, struct blob *out, const char **why);

/**
 * Gets the ELF file out of a kernel: a bzImage (boot protocol 2.08 or later),
 * a gzip-packed ELF file, or an ELF file, which is copied.
 */
rv_must_check bool unpack_kernel(const struct blob *file, struct blob *elf,
                                 const char **why);

struct elf_facts {
    uint64_t pvh_entry; /* physical address */
    uint64_t load_end;  /* first physical byte after all segments */
    unsigned int segment_count;
    bool is_64bit;
};

/**
 * Reduces an ELF file to its PT_LOAD and PT_NOTE segments.
 *
 * @return false with @why set if it is damaged, not for x86, or has no PVH
 *         entry note (name "Xen", type 18).
 */
rv_must_check bool elf_trim(const struct blob *elf, struct blob *out,
                            struct elf_facts *facts, const char **why);
