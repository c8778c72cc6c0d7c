/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IDE channel: registers, selection, interrupt line, resets, and the data
 * port. What commands mean is in ide_disk.c and ide_cd.c.
 *
 * Threat surface: every access is the guest's. The data port moves bytes only
 * between `at` and `end` of a block, and both stay within the buffer.
 * Ref: T13/1410D, chapter 7 "Interface register definitions and descriptions"
 *      and chapter 9 "Protocol".
 */
#include "ide_internal.h"

#include "ravelin/string.h"

enum {
    REG_DATA,
    REG_ERROR,
    REG_COUNT,
    REG_LOW,
    REG_MID,
    REG_HIGH,
    REG_DEVICE,
    REG_STATUS,
    REG_PORT_COUNT
};

static bool is_present(const struct legacy_ide_drive *drive)
{
    return drive->conf.kind != LEGACY_IDE_NONE;
}

static bool is_empty(const struct legacy_ide *ide)
{
    return !is_present(&ide->drive[0]) && !is_present(&ide->drive[1]);
}

/* ---- Interrupt ---- */

static void irq_update(struct legacy_ide *ide)
{
    ide->host->irq_set(ide->host->ctx, ide->irq,
                       ide->irq_pending && (ide->control & CONTROL_NIEN) == 0);
}

static void irq_pending_set(struct legacy_ide *ide, bool pending)
{
    ide->irq_pending = pending;
    irq_update(ide);
}

/* ---- How commands end ---- */

static void command_end(struct legacy_ide *ide, uint8_t status, uint8_t error)
{
    struct legacy_ide_drive *drive = ide_active(ide);

    ide->phase = LEGACY_IDE_IDLE;
    drive->status = status;
    drive->error = error;
    irq_pending_set(ide, true);
}

void ide_done(struct legacy_ide *ide)
{
    command_end(ide, STATUS_READY, 0);
}

void ide_fail(struct legacy_ide *ide, uint8_t error)
{
    command_end(ide, STATUS_READY | STATUS_ERR, error);
}

void ide_block_start(struct legacy_ide *ide, enum legacy_ide_phase phase,
                     uint32_t bytes, bool irq)
{
    ide->phase = phase;
    ide->end = ide->at + bytes;
    ide_active(ide)->status = STATUS_READY | STATUS_DRQ;
    if (irq) {
        irq_pending_set(ide, true);
    }
}

/* ---- Resets ---- */

void ide_signature_put(struct legacy_ide_drive *drive)
{
    bool cd = drive->conf.kind == LEGACY_IDE_CD;

    drive->count[0] = drive->count[1] = 1;
    drive->lba_low[0] = drive->lba_low[1] = 1;
    drive->lba_mid[0] = drive->lba_mid[1] = cd ? SIGNATURE_CD_MID : 0;
    drive->lba_high[0] = drive->lba_high[1] = cd ? SIGNATURE_CD_HIGH : 0;
    drive->device = 0;
    drive->error = DIAGNOSTIC_PASSED;
    drive->status = cd ? 0 : STATUS_READY;
}

/* Blocks are on at their largest: drivers keep what they find, and a block
 * costs a guest one interrupt. Ref: T13/1410D 8.15, word 59. */
void ide_drive_reset(struct legacy_ide_drive *drive)
{
    drive->feature = 0;
    drive->multiple = IDE_MULTIPLE_MAX;
    drive->sense_key = 0;
    drive->sense_code = 0;
    drive->heads = IDE_DEFAULT_HEADS;
    drive->sectors = IDE_DEFAULT_SECTORS;
    drive->cylinders =
        drive->conf.kind == LEGACY_IDE_DISK ? ide_disk_cylinders(drive) : 0;
    ide_signature_put(drive);
}

static void channel_reset(struct legacy_ide *ide)
{
    ide->phase = LEGACY_IDE_IDLE;
    ide->selected = 0;
    ide->active = 0;
    for (unsigned i = 0; i < LEGACY_IDE_DRIVE_COUNT; i++) {
        ide_drive_reset(&ide->drive[i]);
    }
    irq_pending_set(ide, false);
}

void legacy_ide_init(struct legacy_ide *ide, const struct legacy_host *host,
                     uint8_t *buffer, const struct legacy_ide_config *conf)
{
    memset(ide, 0, sizeof(*ide));
    ide->host = host;
    ide->buffer = buffer;
    ide->port = conf->port;
    ide->control_port = conf->control_port;
    ide->irq = conf->irq;
    for (unsigned i = 0; i < LEGACY_IDE_DRIVE_COUNT; i++) {
        struct legacy_ide_drive_config *drive = &ide->drive[i].conf;

        *drive = conf->drive[i];
        if (drive->kind == LEGACY_IDE_DISK &&
            (drive->source == NULL || drive->source->sector_count == 0)) {
            drive->kind = LEGACY_IDE_NONE;
        }
    }
    legacy_ide_reset(ide);
}

void legacy_ide_reset(struct legacy_ide *ide)
{
    ide->control = 0;
    channel_reset(ide);
}

/* SRST holds both drives busy; its end is the end of the reset. */
static void control_write(struct legacy_ide *ide, uint8_t value)
{
    uint8_t changed = ide->control ^ value;

    ide->control = value;
    if ((changed & CONTROL_SRST) != 0) {
        channel_reset(ide);
        for (unsigned i = 0;
             i < LEGACY_IDE_DRIVE_COUNT && (value & CONTROL_SRST) != 0; i++) {
            ide->drive[i].status = STATUS_BSY;
        }
    }
    irq_update(ide);
}

/* ---- Commands ---- */

static void diagnose(struct legacy_ide *ide)
{
    ide->selected = 0;
    for (unsigned i = 0; i < LEGACY_IDE_DRIVE_COUNT; i++) {
        ide_signature_put(&ide->drive[i]);
    }
    irq_pending_set(ide, true);
}

static void command_write(struct legacy_ide *ide, uint8_t opcode)
{
    struct legacy_ide_drive *drive = &ide->drive[ide->selected];
    bool cd = drive->conf.kind == LEGACY_IDE_CD;
    const struct ide_command *table = cd ? ide_cd_commands : ide_disk_commands;
    size_t count = cd ? ide_cd_command_count : ide_disk_command_count;

    ide_active(ide)->status &= (uint8_t)~STATUS_DRQ;
    ide->phase = LEGACY_IDE_IDLE;
    if (opcode == COMMAND_DIAGNOSTIC) {
        diagnose(ide);
        return;
    }
    if (!is_present(drive)) {
        return;
    }
    ide->active = ide->selected;
    ide->is_packet = false;
    ide->at = 0;
    ide->fill = 0;
    irq_pending_set(ide, false);
    drive->error = 0;
    for (size_t i = 0; i < count; i++) {
        if (opcode >= table[i].first && opcode <= table[i].last) {
            table[i].run(ide, drive, opcode);
            return;
        }
    }
    ide_fail(ide, ERROR_ABRT);
}

/* ---- Registers ---- */

static void pair_write(uint8_t pair[2], uint8_t value)
{
    pair[1] = pair[0];
    pair[0] = value;
}

/* Both drives take what is written. */
static void register_write(struct legacy_ide *ide, unsigned reg, uint8_t value)
{
    ide->control &= (uint8_t)~CONTROL_HOB;
    for (unsigned i = 0; i < LEGACY_IDE_DRIVE_COUNT; i++) {
        struct legacy_ide_drive *drive = &ide->drive[i];

        switch (reg) {
        case REG_ERROR:
            drive->feature = value;
            break;
        case REG_COUNT:
            pair_write(drive->count, value);
            break;
        case REG_LOW:
            pair_write(drive->lba_low, value);
            break;
        case REG_MID:
            pair_write(drive->lba_mid, value);
            break;
        case REG_HIGH:
            pair_write(drive->lba_high, value);
            break;
        default:
            drive->device = value;
            break;
        }
    }
    if (reg == REG_DEVICE) {
        ide->selected = (value & DEVICE_SELECT) != 0;
    }
}

static uint8_t register_read(struct legacy_ide *ide, unsigned reg)
{
    const struct legacy_ide_drive *drive = &ide->drive[ide->selected];
    unsigned previous = (ide->control & CONTROL_HOB) != 0;

    switch (reg) {
    case REG_ERROR:
        return drive->error;
    case REG_COUNT:
        return drive->count[previous];
    case REG_LOW:
        return drive->lba_low[previous];
    case REG_MID:
        return drive->lba_mid[previous];
    case REG_HIGH:
        return drive->lba_high[previous];
    case REG_DEVICE:
        return drive->device;
    default:
        return drive->status;
    }
}

/* ---- Data ---- */

static void block_end(struct legacy_ide *ide)
{
    if (ide->phase == LEGACY_IDE_PACKET) {
        ide_packet_run(ide, ide_active(ide));
    } else if (ide->is_packet) {
        ide_cd_block_end(ide);
    } else {
        ide_disk_block_end(ide);
    }
}

/* Bytes that may move now in this direction. */
static uint32_t data_room(const struct legacy_ide *ide, bool in)
{
    bool moves = in ? ide->phase == LEGACY_IDE_DATA_IN
                    : ide->phase == LEGACY_IDE_DATA_OUT ||
                          ide->phase == LEGACY_IDE_PACKET;

    return moves && ide->selected == ide->active ? ide->end - ide->at : 0;
}

static void data_advance(struct legacy_ide *ide, uint32_t bytes)
{
    ide->at += bytes;
    if (ide->at == ide->end) {
        block_end(ide);
    }
}

/* A block may end within an element. */
static uint32_t data_read(struct legacy_ide *ide, unsigned size)
{
    uint32_t n = rv_min(data_room(ide, true), (uint32_t)size);
    uint32_t value = 0;

    if (n == 0) {
        return UINT32_MAX >> (32 - 8 * size);
    }
    memcpy(&value, ide->buffer + ide->at, n);
    data_advance(ide, n);
    return value;
}

static void data_write(struct legacy_ide *ide, unsigned size, uint32_t value)
{
    uint32_t n = rv_min(data_room(ide, false), (uint32_t)size);

    if (n > 0) {
        memcpy(ide->buffer + ide->at, &value, n);
        data_advance(ide, n);
    }
}

size_t legacy_ide_data_read(struct legacy_ide *ide, unsigned size, void *buf,
                            size_t count)
{
    size_t n = rv_min(count, (size_t)data_room(ide, true) / size);

    if (n > 0) {
        memcpy(buf, ide->buffer + ide->at, n * size);
        data_advance(ide, (uint32_t)(n * size));
    }
    return n;
}

size_t legacy_ide_data_write(struct legacy_ide *ide, unsigned size,
                             const void *buf, size_t count)
{
    size_t n = rv_min(count, (size_t)data_room(ide, false) / size);

    if (n > 0) {
        memcpy(ide->buffer + ide->at, buf, n * size);
        data_advance(ide, (uint32_t)(n * size));
    }
    return n;
}

/* ---- Ports ---- */

uint32_t legacy_ide_read(struct legacy_ide *ide, uint16_t port, unsigned size)
{
    unsigned reg = (unsigned)port - ide->port;
    uint32_t all_ones = UINT32_MAX >> (32 - 8 * size);
    uint8_t value;

    if (is_empty(ide)) {
        return all_ones;
    }
    if (reg == REG_DATA && size >= 2) {
        return data_read(ide, size);
    }
    if (size != 1 || reg == REG_DATA ||
        (reg >= REG_PORT_COUNT && port != ide->control_port)) {
        return all_ones;
    }
    if (!is_present(&ide->drive[ide->selected])) {
        return 0;
    }
    value = register_read(ide, port == ide->control_port ? REG_STATUS : reg);
    if (reg == REG_STATUS) {
        irq_pending_set(ide, false);
    }
    return value;
}

void legacy_ide_write(struct legacy_ide *ide, uint16_t port, unsigned size,
                      uint32_t value)
{
    unsigned reg = (unsigned)port - ide->port;

    if (is_empty(ide)) {
        return;
    }
    if (port == ide->control_port && size == 1) {
        control_write(ide, (uint8_t)value);
        return;
    }
    if (reg >= REG_PORT_COUNT || (ide->control & CONTROL_SRST) != 0) {
        return;
    }
    if (reg == REG_DATA && size >= 2) {
        data_write(ide, size, value);
    } else if (reg == REG_STATUS && size == 1) {
        command_write(ide, (uint8_t)value);
    } else if (reg != REG_DATA && size == 1) {
        register_write(ide, reg, (uint8_t)value);
    }
}
