/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk image in memory, for instance a boot module. The image itself is never
 * written: the first write to a page of it makes a private copy, charged to the
 * domain that writes, so what a guest can take is bounded by its own max_pages.
 */
#pragma once

#include "ravelin/block_source.h"

struct domain;

/* Protected by the lock of the device that uses it. */
struct block_memory {
    struct block_source source;
    const uint8_t *image;
    uint64_t size;        /* bytes; the last sector is filled up with zeros */
    struct domain *owner; /* pays for copies */
    uint32_t
        *copy; /* frame + 1 of each page's copy, 0: none; NULL: read-only */
    unsigned copy_order;
    uint64_t copy_count;
    uint64_t destroy_at; /* page at which the destruction goes on */
};

/**
 * @param image  stays where it is and unchanged until block_memory_destroy().
 * @param owner  the domain that is charged; may be NULL if `writable` is false.
 * @return 0; -RV_EINVAL empty or larger than 1 TiB; -RV_ENOMEM no table for
 *         copies (4 bytes for each 4 KiB of the image, the hypervisor's own).
 */
int rv_must_check block_memory_init(struct block_memory *m, const void *image,
                                    uint64_t size, struct domain *owner,
                                    bool writable);
/** Gives the copies back in steps; -RV_ERESTART: call again. Nobody uses the
 * source any more. Harmless if called again, or on a zeroed struct. */
int rv_must_check block_memory_destroy(struct block_memory *m);
