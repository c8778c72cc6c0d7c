/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoded instructions keyed by guest-physical address, in the caller's
 * memory. A tracked cache is told of every write to guest memory and trusts
 * its entries; an untracked one compares the bytes on every use.
 * Threat surface: a guest may write code at any time; an entry that outlives
 * its bytes would make the emulator run what the processor would not.
 */
#pragma once

#include "ravelin/emul_insn.h"

struct emul_cache_entry {
    uint64_t tag; /* gpa * 4 + mode, plus a valid bit; 0: empty */
    struct emul_insn insn;
    uint8_t bytes[16];
};

/* One bit per 64-byte line (modulo the filter) that may hold cached code. */
#define EMUL_CACHE_LINE_SHIFT 6
#define EMUL_CACHE_FILTER_BITS 8192u

struct emul_cache {
    struct emul_cache_entry *entry;
    uint32_t mask; /* entries - 1 */
    bool tracked;
    uint64_t filter[EMUL_CACHE_FILTER_BITS / 64];
};

/**
 * @param memory   aligned for struct emul_cache_entry; becomes the cache's.
 * @param bytes    size; the largest power of two of entries is used.
 * @param tracked  the caller promises emul_cache_written() for every write.
 * @return 0, or -EINVAL if not even one entry fits.
 */
int emul_cache_init(struct emul_cache *cache, void *memory, size_t bytes,
                    bool tracked);

/** Forgets everything. */
void emul_cache_flush(struct emul_cache *cache);

/** Drops entries that overlap [gpa, gpa + len). */
void emul_cache_drop(struct emul_cache *cache, uint64_t gpa, uint64_t len);

/**
 * Decodes through the cache, comparing bytes, so it is exact whether tracked
 * or not.
 *
 * @param gpa    guest-physical address of bytes[0].
 * @param bytes  `nbytes` (at most 15 are used) bytes of one page.
 * @param insn   the decoded instruction, valid until the next call.
 * @return as emul_decode().
 */
int emul_cache_decode(struct emul_cache *cache, uint64_t gpa,
                      const uint8_t *bytes, unsigned nbytes,
                      enum emul_mode mode, const struct emul_insn **insn);

static inline uint64_t emul_cache_tag(uint64_t gpa, unsigned mode)
{
    return (gpa << 3) | (mode << 1) | 1;
}

static inline struct emul_cache_entry *emul_cache_slot(
    const struct emul_cache *cache, uint64_t gpa)
{
    return &cache->entry[(gpa ^ (gpa >> 12)) & cache->mask];
}

static inline bool emul_cache_line_is_set(const struct emul_cache *cache,
                                          uint64_t gpa)
{
    unsigned bit =
        (gpa >> EMUL_CACHE_LINE_SHIFT) & (EMUL_CACHE_FILTER_BITS - 1);

    return (cache->filter[bit / 64] >> (bit % 64)) & 1;
}

/** To be called for every write of 1 to 64 bytes; cheap where no code is. */
static inline void emul_cache_written(struct emul_cache *cache, uint64_t gpa,
                                      unsigned len)
{
    if (emul_cache_line_is_set(cache, gpa) ||
        emul_cache_line_is_set(cache, gpa + len - 1)) {
        emul_cache_drop(cache, gpa, len);
    }
}
