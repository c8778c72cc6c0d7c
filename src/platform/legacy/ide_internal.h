/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the IDE channel share: register bits, the ways in which a
 * command ends, and the two kinds of drive.
 */
#pragma once

#include "ravelin/legacy_ide.h"

/* Ref: T13/1410D 7.15 "Status register", 7.9 "Error register", 7.8 "Device
 * Control register", 7.7 "Device register". */
#define STATUS_BSY 0x80u
#define STATUS_DRDY 0x40u
#define STATUS_DSC 0x10u
#define STATUS_DRQ 0x08u
#define STATUS_ERR 0x01u
#define STATUS_READY (STATUS_DRDY | STATUS_DSC)

#define ERROR_UNC 0x40u
#define ERROR_IDNF 0x10u
#define ERROR_ABRT 0x04u
#define DIAGNOSTIC_PASSED 0x01u

#define CONTROL_HOB 0x80u
#define CONTROL_SRST 0x04u
#define CONTROL_NIEN 0x02u

#define DEVICE_LBA 0x40u
#define DEVICE_SELECT 0x10u
#define DEVICE_HEAD 0x0fu

#define COMMAND_DIAGNOSTIC 0x90u

/* Ref: T13/1410D 9.12 "Signature and persistence". */
#define SIGNATURE_CD_MID 0x14u
#define SIGNATURE_CD_HIGH 0xebu

struct ide_command {
    uint8_t first; /* opcodes first..last */
    uint8_t last;
    void (*run)(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                uint8_t opcode);
};

extern const struct ide_command ide_disk_commands[];
extern const size_t ide_disk_command_count;
extern const struct ide_command ide_cd_commands[];
extern const size_t ide_cd_command_count;

/** The drive that executes the command. */
static inline struct legacy_ide_drive *ide_active(struct legacy_ide *ide)
{
    return &ide->drive[ide->active];
}

/** Ends the command well. */
void ide_done(struct legacy_ide *ide);
/** Ends it with bits of the error register. */
void ide_fail(struct legacy_ide *ide, uint8_t error);

/** Offers `bytes` from ide->at on to the guest, or asks for as many. */
void ide_block_start(struct legacy_ide *ide, enum legacy_ide_phase phase,
                     uint32_t bytes, bool irq);

void ide_signature_put(struct legacy_ide_drive *drive);
void ide_drive_reset(struct legacy_ide_drive *drive);

/** A block has been moved completely. */
void ide_disk_block_end(struct legacy_ide *ide);
void ide_cd_block_end(struct legacy_ide *ide);

/* Answers to IDENTIFY DEVICE and IDENTIFY PACKET DEVICE: 512 bytes. */
#define IDE_IDENTIFY_SIZE 512u
void ide_disk_identify(const struct legacy_ide_drive *drive, uint8_t *out);
void ide_cd_identify(const struct legacy_ide_drive *drive, uint8_t *out);
/** Geometry with 16 heads of 63 sectors; `cylinders` at least 1. */
uint16_t ide_disk_cylinders(const struct legacy_ide_drive *drive);
#define IDE_DEFAULT_HEADS 16u
#define IDE_DEFAULT_SECTORS 63u
#define IDE_MULTIPLE_MAX (LEGACY_IDE_BUFFER_SIZE / BLOCK_SECTOR_SIZE)

/* Settings that do not differ between the kinds. */
void ide_features_set(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                      uint8_t opcode);
void ide_power_check(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                     uint8_t opcode);
void ide_nothing(struct legacy_ide *ide, struct legacy_ide_drive *drive,
                 uint8_t opcode);

/** Executes the packet in the buffer (ide_packet.c). */
void ide_packet_run(struct legacy_ide *ide, struct legacy_ide_drive *drive);
/** Answers a packet with the first `n` bytes of the buffer. */
void ide_cd_reply(struct legacy_ide *ide, uint32_t n);
/** Reads 2048-byte sectors. */
void ide_cd_sectors_read(struct legacy_ide *ide, uint32_t lba, uint32_t count);
void ide_cd_done(struct legacy_ide *ide);
void ide_cd_fail(struct legacy_ide *ide, uint8_t key, uint8_t code);
/** 2048-byte sectors on the medium; 0: no medium. */
uint32_t ide_cd_sector_count(const struct legacy_ide_drive *drive);
