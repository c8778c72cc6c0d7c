/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a virtual disk's sectors come from. Device models see this interface
 * only; block_memory is the implementation over a boot module.
 *
 * Threat surface: sector numbers and counts are the guest's; the functions here
 * check them against the size, so that implementations need not.
 */
#pragma once

#include "ravelin/types.h"

#define BLOCK_SECTOR_SIZE 512u

struct block_source;

/* Both get ranges that lie within the source. 0 or a negative errno. */
struct block_ops {
    int (*read)(struct block_source *s, uint64_t sector, unsigned count,
                void *buf);
    int (*write)(struct block_source *s, uint64_t sector, unsigned count,
                 const void *buf);
};

struct block_source {
    const struct block_ops *ops;
    uint64_t sector_count;
    bool read_only;
};

/**
 * Copies `count` sectors.
 * @return 0; -RV_EINVAL not all of them exist; what the source returned.
 */
int rv_must_check block_read(struct block_source *s, uint64_t sector,
                             unsigned count, void *buf);
/** The same; also -RV_EROFS. After an error any part may have been written. */
int rv_must_check block_write(struct block_source *s, uint64_t sector,
                              unsigned count, const void *buf);
