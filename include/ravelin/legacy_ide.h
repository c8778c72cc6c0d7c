/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One IDE channel with up to two drives, programmed input and output only:
 * disks that speak ATA and CD drives that speak ATAPI. Commands complete before
 * the write that starts them returns, as the medium is memory; data moves
 * through one page of buffer.
 *
 * Threat surface: every register, the command packets and the data are the
 * guest's. A command moves at most one page; sector numbers are checked by the
 * block source.
 * Ref: T13/1410D "AT Attachment with Packet Interface - 6"; T10/1545-D "MMC-4";
 *      T10/1236-D "SPC-2".
 */
#pragma once

#include "ravelin/block_source.h"
#include "ravelin/legacy_host.h"

#define LEGACY_IDE_PRIMARY 0x1f0u
#define LEGACY_IDE_PRIMARY_CONTROL 0x3f6u
#define LEGACY_IDE_PRIMARY_IRQ 14u
#define LEGACY_IDE_SECONDARY 0x170u
#define LEGACY_IDE_SECONDARY_CONTROL 0x376u
#define LEGACY_IDE_SECONDARY_IRQ 15u

#define LEGACY_IDE_BUFFER_SIZE 4096u
#define LEGACY_IDE_DRIVE_COUNT 2u

enum legacy_ide_kind { LEGACY_IDE_NONE, LEGACY_IDE_DISK, LEGACY_IDE_CD };

struct legacy_ide_drive_config {
    enum legacy_ide_kind kind;
    struct block_source *source; /* CD: NULL is an empty drive */
    const char *serial;          /* up to 20 printable characters */
};

struct legacy_ide_config {
    uint16_t port;         /* of the command block, 8 ports */
    uint16_t control_port; /* of the control register */
    unsigned irq;
    struct legacy_ide_drive_config drive[LEGACY_IDE_DRIVE_COUNT];
};

/* A drive's own registers and modes; [0] is what was written last, [1] what
 * before that. Protected by the platform's lock. */
struct legacy_ide_drive {
    struct legacy_ide_drive_config conf;
    uint8_t feature;
    uint8_t count[2];
    uint8_t lba_low[2];
    uint8_t lba_mid[2];
    uint8_t lba_high[2];
    uint8_t device;
    uint8_t status;
    uint8_t error;
    uint8_t multiple; /* sectors per block of READ and WRITE MULTIPLE; 0: off */
    uint16_t cylinders; /* geometry of INITIALIZE DEVICE PARAMETERS */
    uint8_t heads;
    uint8_t sectors;
    uint8_t sense_key; /* CD: of the last packet that failed */
    uint8_t sense_code;
};

enum legacy_ide_phase {
    LEGACY_IDE_IDLE,
    LEGACY_IDE_DATA_IN,  /* the guest reads the buffer */
    LEGACY_IDE_DATA_OUT, /* the guest fills the buffer */
    LEGACY_IDE_PACKET,   /* the guest writes a command packet */
};

/* Protected by the platform's lock. */
struct legacy_ide {
    const struct legacy_host *host;
    uint8_t *buffer; /* LEGACY_IDE_BUFFER_SIZE bytes */
    uint16_t port;
    uint16_t control_port;
    unsigned irq;

    uint8_t control;  /* device control register */
    uint8_t selected; /* drive that answers */
    bool irq_pending; /* INTRQ, whatever nIEN says */

    /* The command that moves data. */
    enum legacy_ide_phase phase;
    uint8_t active;     /* drive that executes it */
    bool is_packet;     /* it came by PACKET */
    uint32_t at;        /* next byte of the buffer */
    uint32_t end;       /* of the block that the guest may move now */
    uint32_t fill;      /* of the valid bytes; at <= end <= fill */
    uint64_t sector;    /* next one of the source */
    uint32_t remaining; /* sectors of the source not in the buffer yet */
    uint32_t block;     /* longest block: disk sectors, CD bytes */

    struct legacy_ide_drive drive[LEGACY_IDE_DRIVE_COUNT];
};

/** `buffer` is LEGACY_IDE_BUFFER_SIZE bytes that live as long; `conf` is
 * copied, texts and sources in it live on. */
void legacy_ide_init(struct legacy_ide *ide, const struct legacy_host *host,
                     uint8_t *buffer, const struct legacy_ide_config *conf);
/** As at power-on: modes and registers, never the medium. */
void legacy_ide_reset(struct legacy_ide *ide);

/** Port access; the data register (first port) takes sizes 2 and 4, the others
 * take bytes: wider accesses reach nothing and read all ones. */
uint32_t legacy_ide_read(struct legacy_ide *ide, uint16_t port, unsigned size);
void legacy_ide_write(struct legacy_ide *ide, uint16_t port, unsigned size,
                      uint32_t value);

/**
 * String instructions on the data register: moves up to `count` elements of
 * `size` (2 or 4) bytes at once, exactly as single accesses would, but never
 * beyond the end of the current block.
 * @return elements moved; 0 if not even one whole element is at hand: then make
 *         a single access.
 */
size_t legacy_ide_data_read(struct legacy_ide *ide, unsigned size, void *buf,
                            size_t count);
size_t legacy_ide_data_write(struct legacy_ide *ide, unsigned size,
                             const void *buf, size_t count);
