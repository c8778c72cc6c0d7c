/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoded-instruction cache. Direct-mapped; an instruction that crosses a
 * page is never entered, since the second page may change on its own.
 * Threat surface: see emul_cache.h.
 */
#include "ravelin/emul_cache.h"
#include "ravelin/errno.h"

int emul_cache_init(struct emul_cache *cache, void *memory, size_t bytes,
                    bool tracked)
{
    size_t count = 1;

    if (bytes < sizeof(struct emul_cache_entry)) {
        return -RV_EINVAL;
    }
    while (count < (1u << 20) &&
           count * 2 * sizeof(struct emul_cache_entry) <= bytes) {
        count *= 2;
    }
    cache->entry = memory;
    cache->mask = (uint32_t)count - 1;
    cache->tracked = tracked;
    emul_cache_flush(cache);
    return 0;
}

void emul_cache_flush(struct emul_cache *cache)
{
    for (uint32_t i = 0; i <= cache->mask; i++) {
        cache->entry[i].tag = 0;
    }
    for (unsigned i = 0; i < EMUL_CACHE_FILTER_BITS / 64; i++) {
        cache->filter[i] = 0;
    }
}

/* All modes of one start address share a slot. */
static void start_drop(struct emul_cache *cache, uint64_t start, uint64_t gpa)
{
    struct emul_cache_entry *slot = emul_cache_slot(cache, start);

    if (slot->tag && slot->tag >> 3 == start && start + slot->insn.len > gpa) {
        slot->tag = 0;
    }
}

void emul_cache_drop(struct emul_cache *cache, uint64_t gpa, uint64_t len)
{
    uint64_t first = gpa < EMUL_INSN_MAX - 1 ? 0 : gpa - (EMUL_INSN_MAX - 1);

    if (len > cache->mask) {
        emul_cache_flush(cache);
        return;
    }
    for (uint64_t start = first; start < gpa + len; start++) {
        start_drop(cache, start, gpa);
    }
}

static void line_set(struct emul_cache *cache, uint64_t gpa)
{
    unsigned bit =
        (gpa >> EMUL_CACHE_LINE_SHIFT) & (EMUL_CACHE_FILTER_BITS - 1);

    cache->filter[bit / 64] |= 1ULL << (bit % 64);
}

/* Most instructions fit one 8-byte comparison. */
static bool bytes_match(const struct emul_cache_entry *slot,
                        const uint8_t *bytes, unsigned nbytes)
{
    unsigned len = slot->insn.len;
    unsigned done = 0;

    if (nbytes < len) {
        return false;
    }
    if (nbytes >= 8) {
        uint64_t a, b;
        __builtin_memcpy(&a, slot->bytes, 8);
        __builtin_memcpy(&b, bytes, 8);
        unsigned drop = len < 8 ? 64 - 8 * len : 0;
        if ((a ^ b) << drop) {
            return false;
        }
        done = 8;
    }
    for (unsigned i = done; i < len; i++) {
        if (slot->bytes[i] != bytes[i]) {
            return false;
        }
    }
    return true;
}

int emul_cache_decode(struct emul_cache *cache, uint64_t gpa,
                      const uint8_t *bytes, unsigned nbytes,
                      enum emul_mode mode, const struct emul_insn **insn)
{
    struct emul_cache_entry *slot = emul_cache_slot(cache, gpa);
    uint64_t tag = emul_cache_tag(gpa, mode);

    *insn = &slot->insn;
    if (slot->tag == tag && bytes_match(slot, bytes, nbytes)) {
        return 0;
    }
    slot->tag = 0;
    int rc = emul_decode(&slot->insn, bytes, nbytes, mode);
    if (rc) {
        return rc;
    }
    for (unsigned i = 0; i < slot->insn.len; i++) {
        slot->bytes[i] = bytes[i];
    }
    if ((gpa & 0xfff) + slot->insn.len <= 0x1000) {
        slot->tag = tag;
        line_set(cache, gpa);
        line_set(cache, gpa + slot->insn.len - 1u);
    }
    return 0;
}
