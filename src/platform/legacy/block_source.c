/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounds of a virtual disk, checked in one place for all devices and all kinds
 * of source.
 *
 * Threat surface: sector numbers and counts are the guest's.
 */
#include "ravelin/block_source.h"

#include "ravelin/errno.h"

static bool range_is_valid(const struct block_source *s, uint64_t sector,
                           unsigned count)
{
    return sector <= s->sector_count && count <= s->sector_count - sector;
}

int block_read(struct block_source *s, uint64_t sector, unsigned count,
               void *buf)
{
    if (!range_is_valid(s, sector, count)) {
        return -RV_EINVAL;
    }
    return s->ops->read(s, sector, count, buf);
}

int block_write(struct block_source *s, uint64_t sector, unsigned count,
                const void *buf)
{
    if (!range_is_valid(s, sector, count)) {
        return -RV_EINVAL;
    }
    if (s->read_only) {
        return -RV_EROFS;
    }
    return s->ops->write(s, sector, count, buf);
}
