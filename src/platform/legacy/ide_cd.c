/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands of a CD drive outside packets, the settings that it shares with a
 * disk, and the transport of packets: how an answer goes to the guest in blocks
 * no longer than the guest allows.
 *
 * Threat surface: opcode, byte count limit and packet are the guest's; an
 * answer is never longer than the buffer or what the medium has. Ref:
 * T13/1410D 8.23 "PACKET", 9.8 "PACKET command protocol".
 */
#include "ide_internal.h"

#include "ravelin/string.h"

#define PACKET_SIZE 12u
#define FEATURE_OVERLAP_DMA 0x03u

#define REASON_COMMAND 0x01u /* command or completion, not data */
#define REASON_IN 0x02u      /* to the guest */

#define CD_SECTOR_SIZE 2048u
#define SECTORS_PER_CD_SECTOR (CD_SECTOR_SIZE / BLOCK_SECTOR_SIZE)

#define SENSE_MEDIUM_ERROR 0x03u
#define CODE_READ_ERROR 0x11u

/* SET FEATURES, "Set transfer mode": what is in the upper five bits. */
#define FEATURE_TRANSFER_MODE 0x03u
#define MODE_PIO 0u
#define MODE_PIO_FLOW 1u
#define MODE_PIO_FLOW_MAX 4u

/* ---- Shared with the disk ---- */

void ide_nothing(struct legacy_ide *ide,
                 struct legacy_ide_drive *drive rv_unused,
                 uint8_t opcode rv_unused)
{
    ide_done(ide);
}

/* Always active or idle. Ref: T13/1410D 8.5 "CHECK POWER MODE". */
void ide_power_check(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                     uint8_t opcode rv_unused)
{
    drive->count[0] = 0xff;
    ide_done(ide);
}

static bool transfer_mode_is_valid(uint8_t value)
{
    uint8_t mode = value & 7u;

    return value >> 3 == MODE_PIO ||
           (value >> 3 == MODE_PIO_FLOW && mode <= MODE_PIO_FLOW_MAX);
}

/* Write cache, look-ahead and defaults at reset are taken and change nothing.
 * Ref: T13/1410D 8.46 "SET FEATURES". */
void ide_features_set(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                      uint8_t opcode rv_unused)
{
    static const uint8_t accepted[] = {0x02, 0x55, 0x66, 0x82, 0xaa, 0xcc};
    bool valid = drive->feature == FEATURE_TRANSFER_MODE &&
                 transfer_mode_is_valid(drive->count[0]);

    if (valid || memchr(accepted, drive->feature, sizeof(accepted)) != NULL) {
        ide_done(ide);
    } else {
        ide_fail(ide, ERROR_ABRT);
    }
}

/* ---- How packets end ---- */

static void reason_put(struct legacy_ide *ide, uint8_t reason)
{
    ide_active(ide)->count[0] = reason;
}

void ide_cd_done(struct legacy_ide *ide)
{
    reason_put(ide, REASON_COMMAND | REASON_IN);
    ide_done(ide);
}

void ide_cd_fail(struct legacy_ide *ide, uint8_t key, uint8_t code)
{
    ide_active(ide)->sense_key = key;
    ide_active(ide)->sense_code = code;
    reason_put(ide, REASON_COMMAND | REASON_IN);
    ide_fail(ide, (uint8_t)(key << 4 | ERROR_ABRT));
}

/* ---- Blocks ---- */

/* Offers what is in the buffer; all but the last block have an even size. */
static void block_offer(struct legacy_ide *ide)
{
    struct legacy_ide_drive *drive = ide_active(ide);
    uint32_t n = rv_min(ide->fill - ide->at, ide->block);

    drive->lba_mid[0] = (uint8_t)n;
    drive->lba_high[0] = (uint8_t)(n >> 8);
    reason_put(ide, REASON_IN);
    ide_block_start(ide, LEGACY_IDE_DATA_IN, n, true);
}

static void buffer_fill(struct legacy_ide *ide)
{
    uint32_t n =
        rv_min(ide->remaining, LEGACY_IDE_BUFFER_SIZE / BLOCK_SECTOR_SIZE);

    if (block_read(ide_active(ide)->conf.source, ide->sector, n, ide->buffer) !=
        0) {
        ide_cd_fail(ide, SENSE_MEDIUM_ERROR, CODE_READ_ERROR);
        return;
    }
    ide->sector += n;
    ide->remaining -= n;
    ide->at = 0;
    ide->fill = n * BLOCK_SECTOR_SIZE;
    block_offer(ide);
}

void ide_cd_block_end(struct legacy_ide *ide)
{
    if (ide->at < ide->fill) {
        block_offer(ide);
    } else if (ide->remaining > 0) {
        buffer_fill(ide);
    } else {
        ide_cd_done(ide);
    }
}

/* The guest's limit of a block, 0 if no block can be made with it. */
static uint32_t block_limit(const struct legacy_ide_drive *drive)
{
    return (uint32_t)(drive->lba_high[0] << 8 | drive->lba_mid[0]) & ~1u;
}

void ide_cd_reply(struct legacy_ide *ide, uint32_t n)
{
    if (n == 0) {
        ide_cd_done(ide);
        return;
    }
    if (ide->block == 0) {
        ide_fail(ide, ERROR_ABRT);
        return;
    }
    ide->remaining = 0;
    ide->at = 0;
    ide->fill = rv_min(n, (uint32_t)LEGACY_IDE_BUFFER_SIZE);
    block_offer(ide);
}

void ide_cd_sectors_read(struct legacy_ide *ide, uint32_t lba, uint32_t count)
{
    if (count == 0) {
        ide_cd_done(ide);
        return;
    }
    if (ide->block == 0) {
        ide_fail(ide, ERROR_ABRT);
        return;
    }
    ide->sector = (uint64_t)lba * SECTORS_PER_CD_SECTOR;
    ide->remaining = count * SECTORS_PER_CD_SECTOR;
    buffer_fill(ide);
}

uint32_t ide_cd_sector_count(const struct legacy_ide_drive *drive)
{
    uint64_t sectors =
        drive->conf.source != NULL ? drive->conf.source->sector_count : 0;

    return (uint32_t)rv_min(sectors / SECTORS_PER_CD_SECTOR,
                            (uint64_t)(UINT32_MAX / SECTORS_PER_CD_SECTOR));
}

/* ---- Commands ---- */

static void packet(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                   uint8_t opcode rv_unused)
{
    if ((drive->feature & FEATURE_OVERLAP_DMA) != 0) {
        ide_fail(ide, ERROR_ABRT);
        return;
    }
    ide->is_packet = true;
    ide->block = block_limit(drive);
    ide->fill = PACKET_SIZE;
    reason_put(ide, REASON_COMMAND);
    ide_block_start(ide, LEGACY_IDE_PACKET, PACKET_SIZE, false);
}

static void identify_packet(struct legacy_ide *ide,
                            struct legacy_ide_drive *drive,
                            uint8_t opcode rv_unused)
{
    ide_cd_identify(drive, ide->buffer);
    ide->remaining = 0;
    ide->fill = IDE_IDENTIFY_SIZE;
    ide_block_start(ide, LEGACY_IDE_DATA_IN, IDE_IDENTIFY_SIZE, true);
}

/* Commands by which a host finds out that this is no disk. */
static void signature_abort(struct legacy_ide *ide,
                            struct legacy_ide_drive *drive,
                            uint8_t opcode rv_unused)
{
    uint8_t device = drive->device;

    ide_signature_put(drive);
    drive->device = device;
    ide_fail(ide, ERROR_ABRT);
}

/* Ref: T13/1410D 8.10 "DEVICE RESET": no interrupt. */
static void device_reset(struct legacy_ide *ide rv_unused,
                         struct legacy_ide_drive *drive,
                         uint8_t opcode rv_unused)
{
    uint8_t select = drive->device & DEVICE_SELECT;

    ide_drive_reset(drive);
    drive->device = select;
}

const struct ide_command ide_cd_commands[] = {
    {0x08, 0x08, device_reset},
    {0x20, 0x20, signature_abort}, /* READ SECTORS */
    {0xa0, 0xa0, packet},
    {0xa1, 0xa1, identify_packet},
    {0xe0, 0xe3, ide_nothing}, /* STANDBY, IDLE */
    {0xe5, 0xe5, ide_power_check},
    {0xe6, 0xe7, ide_nothing},     /* SLEEP, FLUSH CACHE */
    {0xec, 0xec, signature_abort}, /* IDENTIFY DEVICE */
    {0xef, 0xef, ide_features_set},
};
const size_t ide_cd_command_count = ARRAY_SIZE(ide_cd_commands);
