/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands of a disk. A transfer goes through the buffer in blocks: one sector,
 * or the number that SET MULTIPLE MODE gave. A block that crosses the end of
 * the disk is cut there, so that the sectors before it still arrive.
 *
 * Threat surface: opcode, address and count are the guest's; a block never
 * exceeds the buffer, the block source checks sectors.
 * Ref: T13/1410D chapter 8 "Command descriptions".
 */
#include "ide_internal.h"

#include "ravelin/string.h"

#define OP_SEEK_FIRST 0x70u
#define OP_READ_NATIVE_MAX 0xf8u
#define OP_READ_NATIVE_MAX_EXT 0x27u

#define SECTOR_COUNT_ADDRESSABLE_28 0x10000000UL

/* What an opcode of the families READ, WRITE and VERIFY says. */
struct transfer {
    uint8_t opcode;
    bool extended; /* 48-bit address, 16-bit count */
    bool multiple;
};

static const struct transfer transfers[] = {
    {0x20, false, false}, {0x21, false, false}, {0x24, true, false},
    {0x29, true, true},   {0xc4, false, true},  {0x30, false, false},
    {0x31, false, false}, {0x34, true, false},  {0x39, true, true},
    {0xc5, false, true},  {0x40, false, false}, {0x41, false, false},
    {0x42, true, false},
};

static const struct transfer *transfer_find(uint8_t opcode)
{
    for (size_t i = 0; i < ARRAY_SIZE(transfers); i++) {
        if (transfers[i].opcode == opcode) {
            return &transfers[i];
        }
    }
    return NULL;
}

/* ---- Addresses ---- */

static uint64_t address_48(const struct legacy_ide_drive *d)
{
    uint64_t address = 0;
    const uint8_t byte[6] = {d->lba_high[1], d->lba_mid[1], d->lba_low[1],
                             d->lba_high[0], d->lba_mid[0], d->lba_low[0]};

    for (unsigned i = 0; i < sizeof(byte); i++) {
        address = address << 8 | byte[i];
    }
    return address;
}

static uint64_t address_28(const struct legacy_ide_drive *d)
{
    return (uint64_t)(d->device & DEVICE_HEAD) << 24 |
           (uint64_t)d->lba_high[0] << 16 | (uint64_t)d->lba_mid[0] << 8 |
           d->lba_low[0];
}

/* Cylinder, head, sector; beyond the geometry: no sector has this number. */
static uint64_t address_chs(const struct legacy_ide_drive *d)
{
    uint64_t cylinder = (uint64_t)d->lba_high[0] << 8 | d->lba_mid[0];
    unsigned head = d->device & DEVICE_HEAD;
    unsigned sector = d->lba_low[0];

    if (sector == 0 || sector > d->sectors || head >= d->heads) {
        return UINT64_MAX;
    }
    return (cylinder * d->heads + head) * d->sectors + sector - 1;
}

static uint64_t address_get(const struct legacy_ide_drive *d, bool extended)
{
    if (extended) {
        return address_48(d);
    }
    return (d->device & DEVICE_LBA) != 0 ? address_28(d) : address_chs(d);
}

static void address_put(struct legacy_ide_drive *d, uint64_t address,
                        bool extended)
{
    d->lba_low[0] = (uint8_t)address;
    d->lba_mid[0] = (uint8_t)(address >> 8);
    d->lba_high[0] = (uint8_t)(address >> 16);
    if (extended) {
        d->lba_low[1] = (uint8_t)(address >> 24);
        d->lba_mid[1] = (uint8_t)(address >> 32);
        d->lba_high[1] = (uint8_t)(address >> 40);
    } else {
        d->device = (uint8_t)((d->device & ~DEVICE_HEAD) |
                              (address >> 24 & DEVICE_HEAD));
    }
}

static uint32_t count_get(const struct legacy_ide_drive *d, bool extended)
{
    uint32_t count = d->count[0];

    if (!extended) {
        return count != 0 ? count : 256;
    }
    count |= (uint32_t)d->count[1] << 8;
    return count != 0 ? count : 65536;
}

/* ---- Transfers ---- */

static uint64_t sectors_left(const struct legacy_ide *ide)
{
    uint64_t all = ide->drive[ide->active].conf.source->sector_count;

    return ide->sector < all ? all - ide->sector : 0;
}

/* Sectors of the next block; 0: there is none on the disk. */
static uint32_t block_sectors(const struct legacy_ide *ide)
{
    uint32_t n = rv_min(ide->remaining, ide->block);

    return (uint32_t)rv_min((uint64_t)n, sectors_left(ide));
}

static bool transfer_prepare(struct legacy_ide *ide,
                             struct legacy_ide_drive *drive, uint8_t opcode)
{
    const struct transfer *t = transfer_find(opcode);

    if (t == NULL || (t->multiple && drive->multiple == 0)) {
        ide_fail(ide, ERROR_ABRT);
        return false;
    }
    ide->sector = address_get(drive, t->extended);
    ide->remaining = count_get(drive, t->extended);
    ide->block = t->multiple ? drive->multiple : 1;
    return true;
}

static void read_block(struct legacy_ide *ide)
{
    struct legacy_ide_drive *drive = ide_active(ide);
    uint32_t n = block_sectors(ide);

    if (n == 0) {
        ide_fail(ide, ERROR_IDNF);
        return;
    }
    if (block_read(drive->conf.source, ide->sector, n, ide->buffer) != 0) {
        ide_fail(ide, ERROR_UNC);
        return;
    }
    ide->sector += n;
    ide->remaining -= n;
    ide->at = 0;
    ide->fill = n * BLOCK_SECTOR_SIZE;
    ide_block_start(ide, LEGACY_IDE_DATA_IN, ide->fill, true);
}

/* The first block of a write is asked for without an interrupt. */
static void write_block(struct legacy_ide *ide, bool irq)
{
    uint32_t n = block_sectors(ide);

    if (n == 0) {
        ide_fail(ide, ERROR_IDNF);
        return;
    }
    ide->at = 0;
    ide->fill = n * BLOCK_SECTOR_SIZE;
    ide_block_start(ide, LEGACY_IDE_DATA_OUT, ide->fill, irq);
}

static void written_block(struct legacy_ide *ide)
{
    uint32_t n = ide->fill / BLOCK_SECTOR_SIZE;

    if (block_write(ide_active(ide)->conf.source, ide->sector, n,
                    ide->buffer) != 0) {
        ide_fail(ide, ERROR_ABRT);
        return;
    }
    ide->sector += n;
    ide->remaining -= n;
    if (ide->remaining == 0) {
        ide_done(ide);
    } else {
        write_block(ide, true);
    }
}

void ide_disk_block_end(struct legacy_ide *ide)
{
    if (ide->phase == LEGACY_IDE_DATA_OUT) {
        written_block(ide);
    } else if (ide->remaining > 0) {
        read_block(ide);
    } else {
        ide->phase = LEGACY_IDE_IDLE;
        ide_active(ide)->status = STATUS_READY;
    }
}

static void sectors_read(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                         uint8_t opcode)
{
    if (transfer_prepare(ide, drive, opcode)) {
        read_block(ide);
    }
}

static void sectors_write(struct legacy_ide *ide,
                          struct legacy_ide_drive *drive, uint8_t opcode)
{
    if (drive->conf.source->read_only) {
        ide_fail(ide, ERROR_ABRT);
    } else if (transfer_prepare(ide, drive, opcode)) {
        write_block(ide, false);
    }
}

static void sectors_verify(struct legacy_ide *ide,
                           struct legacy_ide_drive *drive, uint8_t opcode)
{
    if (!transfer_prepare(ide, drive, opcode)) {
        return;
    }
    if (sectors_left(ide) < ide->remaining) {
        ide_fail(ide, ERROR_IDNF);
    } else {
        ide_done(ide);
    }
}

static void seek(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                 uint8_t opcode rv_unused)
{
    ide->sector = address_get(drive, false);
    if (sectors_left(ide) == 0) {
        ide_fail(ide, ERROR_IDNF);
    } else {
        ide_done(ide);
    }
}

/* ---- Settings and information ---- */

static void identify(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                     uint8_t opcode rv_unused)
{
    ide_disk_identify(drive, ide->buffer);
    ide->remaining = 0;
    ide->fill = IDE_IDENTIFY_SIZE;
    ide_block_start(ide, LEGACY_IDE_DATA_IN, ide->fill, true);
}

static void multiple_set(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                         uint8_t opcode rv_unused)
{
    uint8_t n = drive->count[0];
    bool valid = n <= IDE_MULTIPLE_MAX && (n & (n - 1)) == 0;

    drive->multiple = valid ? n : 0;
    if (valid) {
        ide_done(ide);
    } else {
        ide_fail(ide, ERROR_ABRT);
    }
}

static void geometry_set(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                         uint8_t opcode rv_unused)
{
    uint8_t heads = (drive->device & DEVICE_HEAD) + 1;
    uint8_t sectors = drive->count[0];
    uint64_t cylinders;

    if (sectors == 0) {
        ide_fail(ide, ERROR_ABRT);
        return;
    }
    cylinders = drive->conf.source->sector_count / (heads * sectors);
    drive->heads = heads;
    drive->sectors = sectors;
    drive->cylinders = (uint16_t)rv_min(cylinders, (uint64_t)UINT16_MAX);
    ide_done(ide);
}

static void native_max_read(struct legacy_ide *ide,
                            struct legacy_ide_drive *drive, uint8_t opcode)
{
    bool extended = opcode == OP_READ_NATIVE_MAX_EXT;
    uint64_t last = drive->conf.source->sector_count - 1;

    if (!extended) {
        last = rv_min(last, SECTOR_COUNT_ADDRESSABLE_28 - 1);
    }
    address_put(drive, last, extended);
    ide_done(ide);
}

/* Ranges may not overlap; what is not here is aborted. */
const struct ide_command ide_disk_commands[] = {
    {0x10, 0x1f, ide_nothing}, /* RECALIBRATE */
    {0x20, 0x21, sectors_read},
    {0x24, 0x24, sectors_read},
    {OP_READ_NATIVE_MAX_EXT, OP_READ_NATIVE_MAX_EXT, native_max_read},
    {0x29, 0x29, sectors_read}, /* READ MULTIPLE EXT */
    {0x30, 0x31, sectors_write},
    {0x34, 0x34, sectors_write},
    {0x39, 0x39, sectors_write}, /* WRITE MULTIPLE EXT */
    {0x40, 0x42, sectors_verify},
    {OP_SEEK_FIRST, OP_SEEK_FIRST + 0xf, seek},
    {0x91, 0x91, geometry_set},
    {0x94, 0x97, ide_nothing}, /* STANDBY and IDLE of ATA-3 */
    {0x98, 0x98, ide_power_check},
    {0x99, 0x99, ide_nothing},  /* SLEEP */
    {0xc4, 0xc4, sectors_read}, /* READ MULTIPLE */
    {0xc5, 0xc5, sectors_write},
    {0xc6, 0xc6, multiple_set},
    {0xe0, 0xe3, ide_nothing}, /* STANDBY, IDLE */
    {0xe5, 0xe5, ide_power_check},
    {0xe6, 0xe7, ide_nothing}, /* SLEEP, FLUSH CACHE */
    {0xea, 0xea, ide_nothing}, /* FLUSH CACHE EXT */
    {0xec, 0xec, identify},
    {0xef, 0xef, ide_features_set},
    {OP_READ_NATIVE_MAX, OP_READ_NATIVE_MAX, native_max_read},
};
const size_t ide_disk_command_count = ARRAY_SIZE(ide_disk_commands);
