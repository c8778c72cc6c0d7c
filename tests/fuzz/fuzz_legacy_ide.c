/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: an IDE channel with a disk and a CD under any sequence of
 * register accesses and string transfers. The position in the buffer stays
 * within it, nothing beyond the media is asked for, and no command remains
 * busy.
 *
 * Input: a byte that chooses the drives, then commands of four bytes:
 * operation, register, value, repetitions.
 */
#include "fuzz.h"

#include "legacy_fixture.h"
#include "ravelin/errno.h"
#include "ravelin/legacy_ide.h"

#define DISK_SECTORS 70u
#define CD_SECTORS 41u

struct medium {
    struct block_source source;
    uint8_t data[DISK_SECTORS * 512];
};

static struct legacy_fixture fake;
static struct legacy_ide ide;
static struct medium disk;
static struct medium cd;

static int medium_access(struct block_source *s, uint64_t sector,
                         unsigned count, void *to, const void *from)
{
    struct medium *m = container_of(s, struct medium, source);
    uint8_t *at = m->data + sector * 512;

    require(sector <= s->sector_count && count <= s->sector_count - sector);
    require(count * 512 <= LEGACY_IDE_BUFFER_SIZE);
    memcpy(to != NULL ? to : at, to != NULL ? at : from, count * 512UL);
    return sector == 33 ? -RV_EIO : 0;
}

static int medium_read(struct block_source *s, uint64_t sector, unsigned count,
                       void *buf)
{
    return medium_access(s, sector, count, buf, NULL);
}

static int medium_write(struct block_source *s, uint64_t sector, unsigned count,
                        const void *buf)
{
    require(!s->read_only);
    return medium_access(s, sector, count, NULL, buf);
}

static const struct block_ops ops = {medium_read, medium_write};

static void channel_create(uint8_t choice, uint8_t *buffer)
{
    struct legacy_ide_config conf = {
        .port = LEGACY_IDE_PRIMARY,
        .control_port = LEGACY_IDE_PRIMARY_CONTROL,
        .irq = LEGACY_IDE_PRIMARY_IRQ,
    };

    disk.source =
        (struct block_source){&ops, DISK_SECTORS, (choice & 0x10u) != 0};
    cd.source = (struct block_source){&ops, CD_SECTORS, true};
    for (unsigned i = 0; i < LEGACY_IDE_DRIVE_COUNT; i++) {
        unsigned kind = choice >> (2 * i) & 3u;

        conf.drive[i].kind = (enum legacy_ide_kind)(kind % 3);
        conf.drive[i].source = kind == LEGACY_IDE_DISK ? &disk.source
                               : (choice & 0x20u) != 0 ? NULL
                                                       : &cd.source;
        conf.drive[i].serial = "serial\x01\xff number that is long";
    }
    legacy_ide_init(&ide, legacy_fixture_start(&fake), buffer, &conf);
}

static void require_sane(void)
{
    require(ide.at <= ide.end && ide.end <= LEGACY_IDE_BUFFER_SIZE);
    require(ide.selected < 2 && ide.active < 2);
    require(ide.phase == LEGACY_IDE_IDLE || ide.at < ide.end);
    require(ide.phase == LEGACY_IDE_IDLE ||
            (ide.drive[ide.active].status & 0x88) == 0x08);
    for (unsigned i = 0; i < LEGACY_IDE_DRIVE_COUNT; i++) {
        require((ide.drive[i].status & 0x80) == 0 || (ide.control & 4) != 0);
        require(ide.drive[i].multiple <= 8);
    }
    require(fake.line[LEGACY_IDE_PRIMARY_IRQ] ==
            (ide.irq_pending && (ide.control & 2) == 0));
}

static void command_run(const uint8_t c[4])
{
    uint8_t bytes[600];
    unsigned width = 2u << (c[2] & 1u);
    uint16_t port = (uint16_t)(ide.port + (c[1] & 7u));
    size_t n = c[3] * 2u / width;

    memset(bytes, c[2], sizeof(bytes));
    switch (c[0] % 8) {
    case 0:
    case 1:
        legacy_ide_write(&ide, port, 1, c[2]);
        break;
    case 2:
        (void)legacy_ide_read(&ide, port, 1);
        break;
    case 3:
        for (unsigned i = 0; i < c[3]; i++) {
            (void)legacy_ide_read(&ide, ide.port, width);
        }
        break;
    case 4:
        for (unsigned i = 0; i < c[3]; i++) {
            legacy_ide_write(&ide, ide.port, width, c[2] * 0x01010101u);
        }
        break;
    case 5:
        require(legacy_ide_data_read(&ide, width, bytes, n) <= n);
        break;
    case 6:
        require(legacy_ide_data_write(&ide, width, bytes, n) <= n);
        break;
    default:
        legacy_ide_write(&ide, ide.control_port, 1, c[2] & 0x86u);
        (void)legacy_ide_read(&ide, ide.control_port, 1);
        break;
    }
}

/* A packet as one command, or they would hardly ever be complete. */
static size_t packet_run(const uint8_t *data, size_t size)
{
    if (size < 16) {
        return size;
    }
    legacy_ide_write(&ide, (uint16_t)(ide.port + 4), 1, data[0]);
    legacy_ide_write(&ide, (uint16_t)(ide.port + 5), 1, data[1]);
    legacy_ide_write(&ide, (uint16_t)(ide.port + 7), 1, 0xa0);
    for (unsigned i = 4; i < 16; i += 2) {
        legacy_ide_write(&ide, ide.port, 2,
                         (uint32_t)(data[i] | data[i + 1] << 8));
    }
    return 16;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *buffer;

    if (size == 0) {
        return 0;
    }
    buffer = malloc(LEGACY_IDE_BUFFER_SIZE);
    require(buffer != NULL);
    memset(buffer, 0, LEGACY_IDE_BUFFER_SIZE);
    channel_create(data[0], buffer);
    data++;
    size--;
    while (size >= 4) {
        size_t used = 4;

        if (data[0] >= 0xf0) {
            used += packet_run(data + 4, size - 4);
        } else {
            command_run(data);
        }
        data += used;
        size -= used;
        require_sane();
    }
    free(buffer);
    return 0;
}
