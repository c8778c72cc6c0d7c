/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers by which drives describe themselves: tables of words, then what
 * depends on the medium. No overlap, no DMA, no security, nothing removable but
 * the CD.
 *
 * Threat surface: none, the guest has no say in it.
 * Ref: T13/1410D 8.15 "IDENTIFY DEVICE", 8.16 "IDENTIFY PACKET DEVICE".
 */
#include "ide_internal.h"

#include "ravelin/string.h"

#define LBA28_MAX 0x0fffffffu
#define CYLINDERS_MAX 16383u
#define INTEGRITY_SIGNATURE 0xa5u

struct identify_word {
    uint8_t index;
    uint16_t value;
};

static const struct identify_word disk_words[] = {
    {0, 0x0040},                     /* not removable */
    {3, IDE_DEFAULT_HEADS},          /* default geometry */
    {6, IDE_DEFAULT_SECTORS},        /* likewise */
    {47, 0x8000 | IDE_MULTIPLE_MAX}, /* sectors per block at most */
    {48, 0x0001},                    /* 32-bit data port */
    {49, 0x0e00},                    /* IORDY, LBA; no DMA */
    {50, 0x4000},                    /* word is valid */
    {51, 0x0200},                    /* PIO mode 2 without IORDY */
    {53, 0x0003},                    /* words 54-58, 64-70 are valid */
    {64, 0x0003},                    /* PIO modes 3 and 4 */
    {67, 120},                       /* ns per cycle */
    {68, 120},                       /* likewise with IORDY */
    {80, 0x0070},                    /* ATA/ATAPI-4 to -6 */
    {82, 0x4008},                    /* supported: NOP, power management */
    {83, 0x7400},                    /* FLUSH CACHE and EXT, 48 bits */
    {84, 0x4000},                    /* word is valid */
    {85, 0x4008},                    /* the same, enabled */
    {86, 0x3400},
    {87, 0x4000},
};

static const struct identify_word cd_words[] = {
    {0, 0x85c0},  /* CD-ROM, removable, 12-byte packets, prompt DRQ */
    {48, 0x0001}, /* 32-bit data port */
    {49, 0x0e00}, /* IORDY, LBA; no DMA */
    {50, 0x4000}, /* word is valid */
    {51, 0x0200}, /* PIO mode 2 without IORDY */
    {53, 0x0002}, /* words 64-70 are valid */
    {64, 0x0003}, /* PIO modes 3 and 4 */
    {67, 120},    {68, 120},    {80, 0x0070}, /* ATA/ATAPI-4 to -6 */
    {82, 0x4218}, /* NOP, DEVICE RESET, packets, power management */
    {83, 0x4000}, {84, 0x4000}, {85, 0x4218}, {87, 0x4000},
};

static void word_put(uint8_t *out, unsigned index, uint32_t value)
{
    out[index * 2] = (uint8_t)value;
    out[index * 2 + 1] = (uint8_t)(value >> 8);
}

static void words_put(uint8_t *out, const struct identify_word *words,
                      size_t count)
{
    memset(out, 0, IDE_IDENTIFY_SIZE);
    for (size_t i = 0; i < count; i++) {
        word_put(out, words[i].index, words[i].value);
    }
}

static void long_put(uint8_t *out, unsigned index, uint64_t value,
                     unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        word_put(out, index + i, (uint16_t)(value >> (16 * i)));
    }
}

/* Texts are padded with blanks and have the first character of each pair in
 * the upper byte. */
static void text_put(uint8_t *out, unsigned index, unsigned words,
                     const char *text)
{
    size_t length = strnlen(text, words * 2);

    for (unsigned i = 0; i < words * 2; i++) {
        bool printable = i < length && text[i] >= ' ' && text[i] <= '~';

        out[(index * 2 + i) ^ 1u] = (uint8_t)(printable ? text[i] : ' ');
    }
}

static void names_put(uint8_t *out, const struct legacy_ide_drive *drive,
                      const char *model)
{
    const char *serial = drive->conf.serial;

    text_put(out, 10, 10, serial != NULL ? serial : "");
    text_put(out, 23, 4, "1.0");
    text_put(out, 27, 20, model);
}

/* Signature and a byte that makes the sum of all 512 zero. */
static void integrity_put(uint8_t *out)
{
    uint8_t sum = INTEGRITY_SIGNATURE;

    for (unsigned i = 0; i < IDE_IDENTIFY_SIZE - 2; i++) {
        sum = (uint8_t)(sum + out[i]);
    }
    out[IDE_IDENTIFY_SIZE - 2] = INTEGRITY_SIGNATURE;
    out[IDE_IDENTIFY_SIZE - 1] = (uint8_t)-sum;
}

uint16_t ide_disk_cylinders(const struct legacy_ide_drive *drive)
{
    uint64_t track = IDE_DEFAULT_HEADS * IDE_DEFAULT_SECTORS;
    uint64_t whole = drive->conf.source->sector_count / track;

    return (uint16_t)rv_max(rv_min(whole, (uint64_t)CYLINDERS_MAX), 1UL);
}

void ide_disk_identify(const struct legacy_ide_drive *drive, uint8_t *out)
{
    uint64_t sectors = drive->conf.source->sector_count;
    uint32_t current =
        (uint32_t)drive->cylinders * drive->heads * drive->sectors;

    words_put(out, disk_words, ARRAY_SIZE(disk_words));
    names_put(out, drive, "RAVELIN DISK");
    word_put(out, 1, ide_disk_cylinders(drive));
    word_put(out, 54, drive->cylinders);
    word_put(out, 55, drive->heads);
    word_put(out, 56, drive->sectors);
    long_put(out, 57, current, 2);
    word_put(out, 59, drive->multiple != 0 ? 0x100u | drive->multiple : 0);
    long_put(out, 60, rv_min(sectors, (uint64_t)LBA28_MAX), 2);
    long_put(out, 100, sectors, 4);
    integrity_put(out);
}

void ide_cd_identify(const struct legacy_ide_drive *drive, uint8_t *out)
{
    words_put(out, cd_words, ARRAY_SIZE(cd_words));
    names_put(out, drive, "RAVELIN CD-ROM");
    integrity_put(out);
}
