/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An IDE channel with a disk of 5000 sectors as drive 0 and a CD of 64 sectors
 * as drive 1, and the steps that a driver takes.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy_fixture.h"
#include "ravelin/errno.h"
#include "ravelin/legacy_ide.h"

#define BASE LEGACY_IDE_PRIMARY
#define CONTROL LEGACY_IDE_PRIMARY_CONTROL
#define IRQ LEGACY_IDE_PRIMARY_IRQ

#define DISK_SECTORS 5000u
#define CD_SECTORS 64u

#define BSY 0x80u
#define DRDY 0x40u
#define DSC 0x10u
#define DRQ 0x08u
#define ERR 0x01u
#define READY (DRDY | DSC)

enum { R_DATA, R_ERROR, R_COUNT, R_LOW, R_MID, R_HIGH, R_DEVICE, R_STATUS };

struct medium {
    struct block_source source;
    uint8_t data[DISK_SECTORS * 512];
    uint64_t bad_sector; /* reading or writing it fails */
};

static struct legacy_fixture fake;
static struct legacy_ide ide;
static uint8_t ide_buffer[LEGACY_IDE_BUFFER_SIZE];
static struct medium disk;
static struct medium cd;

static inline int medium_check(const struct medium *m, uint64_t sector,
                               unsigned count)
{
    return m->bad_sector >= sector && m->bad_sector < sector + count ? -RV_EIO
                                                                     : 0;
}

static inline int medium_read(struct block_source *s, uint64_t sector,
                              unsigned count, void *buf)
{
    struct medium *m = container_of(s, struct medium, source);

    memcpy(buf, m->data + sector * 512, (size_t)count * 512);
    return medium_check(m, sector, count);
}

static inline int medium_write(struct block_source *s, uint64_t sector,
                               unsigned count, const void *buf)
{
    struct medium *m = container_of(s, struct medium, source);

    memcpy(m->data + sector * 512, buf, (size_t)count * 512);
    return medium_check(m, sector, count);
}

static const struct block_ops medium_ops = {medium_read, medium_write};

static inline void medium_init(struct medium *m, uint64_t sectors, uint8_t salt)
{
    m->source = (struct block_source){&medium_ops, sectors, false};
    m->bad_sector = UINT64_MAX;
    for (size_t i = 0; i < sizeof(m->data); i++) {
        m->data[i] = (uint8_t)(i + i / 512 * 3 + salt);
    }
}

static inline int ide_start(void **state)
{
    struct legacy_ide_config conf = {
        .port = BASE,
        .control_port = CONTROL,
        .irq = IRQ,
        .drive = {{LEGACY_IDE_DISK, &disk.source, "RV-0001"},
                  {LEGACY_IDE_CD, &cd.source, NULL}},
    };

    (void)state;
    medium_init(&disk, DISK_SECTORS, 1);
    medium_init(&cd, CD_SECTORS * 4, 2);
    legacy_ide_init(&ide, legacy_fixture_start(&fake), ide_buffer, &conf);
    return 0;
}

static inline uint8_t in8(unsigned reg)
{
    return (uint8_t)legacy_ide_read(&ide, (uint16_t)(BASE + reg), 1);
}
static inline void out8(unsigned reg, uint8_t value)
{
    legacy_ide_write(&ide, (uint16_t)(BASE + reg), 1, value);
}
static inline uint8_t alternate_status(void)
{
    return (uint8_t)legacy_ide_read(&ide, CONTROL, 1);
}
static inline void control(uint8_t value)
{
    legacy_ide_write(&ide, CONTROL, 1, value);
}
static inline uint16_t in16(void)
{
    return (uint16_t)legacy_ide_read(&ide, BASE, 2);
}
static inline void out16(uint16_t value)
{
    legacy_ide_write(&ide, BASE, 2, value);
}
static inline bool irq_is_high(void)
{
    return fake.line[IRQ];
}

static inline void select_drive(unsigned n)
{
    out8(R_DEVICE, (uint8_t)(0xe0 | n << 4));
}

/* LBA28 on drive 0. */
static inline void command_28(uint8_t opcode, uint32_t lba, uint8_t count)
{
    out8(R_DEVICE, (uint8_t)(0xe0 | lba >> 24));
    out8(R_COUNT, count);
    out8(R_LOW, (uint8_t)lba);
    out8(R_MID, (uint8_t)(lba >> 8));
    out8(R_HIGH, (uint8_t)(lba >> 16));
    out8(R_STATUS, opcode);
}

static inline void pair(unsigned reg, uint8_t previous, uint8_t current)
{
    out8(reg, previous);
    out8(reg, current);
}

static inline void command_48(uint8_t opcode, uint64_t lba, uint16_t count)
{
    out8(R_DEVICE, 0xe0);
    pair(R_COUNT, (uint8_t)(count >> 8), (uint8_t)count);
    pair(R_LOW, (uint8_t)(lba >> 24), (uint8_t)lba);
    pair(R_MID, (uint8_t)(lba >> 32), (uint8_t)(lba >> 8));
    pair(R_HIGH, (uint8_t)(lba >> 40), (uint8_t)(lba >> 16));
    out8(R_STATUS, opcode);
}

/* The interrupt has come; reading the status takes it away. */
static inline void expect_irq(uint8_t status)
{
    assert_true(irq_is_high());
    assert_int_equal(alternate_status(), status);
    assert_true(irq_is_high());
    assert_int_equal(in8(R_STATUS), status);
    assert_false(irq_is_high());
}

static inline void expect_abort(void)
{
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR), 0x04);
}

static inline void data_in(uint8_t *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 2) {
        uint16_t word = in16();

        memcpy(to + i, &word, 2);
    }
}

static inline void data_out(const uint8_t *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 2) {
        uint16_t word;

        memcpy(&word, from + i, 2);
        out16(word);
    }
}
