/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets: the commands of a read-only CD drive with one data track. A table
 * names them; those that need the medium fail before they are looked at if
 * there is none. The medium never changes, the tray never opens.
 *
 * Threat surface: all twelve bytes are the guest's. Answers are built in the
 * channel's buffer and cut to the length that the packet allows.
 * Ref: T10/1545-D "MMC-4" chapter 6; T10/1236-D "SPC-2" chapter 7.
 */
#include "ide_internal.h"

#include "ravelin/string.h"

#define PACKET_SIZE 12u
#define CD_SECTOR_SIZE 2048u

#define SENSE_NOT_READY 0x02u
#define SENSE_ILLEGAL_REQUEST 0x05u
#define CODE_INVALID_COMMAND 0x20u
#define CODE_ADDRESS_RANGE 0x21u
#define CODE_INVALID_FIELD 0x24u
#define CODE_NO_MEDIUM 0x3au
#define CODE_EJECT_FAILED 0x53u

#define PROFILE_CD_ROM 0x0008u
#define PROFILE_DVD_ROM 0x0010u
/* A CD of 80 minutes has no more sectors. */
#define CD_SECTOR_COUNT_MAX 360000u

#define MSF_START 150u /* sectors before address 0: two seconds */
#define FRAMES_PER_SECOND 75u
#define TRACK_LEAD_OUT 0xaau
#define TRACK_DATA 0x14u /* ADR 1, data, copying prohibited */

struct packet {
    struct legacy_ide *ide;
    struct legacy_ide_drive *drive;
    uint8_t *out;
    uint8_t byte[PACKET_SIZE];
};

static uint16_t be16_get(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32_get(const uint8_t *p)
{
    return (uint32_t)be16_get(p) << 16 | be16_get(p + 2);
}

static void be16_put(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void be32_put(uint8_t *p, uint32_t value)
{
    be16_put(p, value >> 16);
    be16_put(p + 2, value & 0xffffu);
}

static void reply(const struct packet *p, uint32_t length, uint32_t allowed)
{
    ide_cd_reply(p->ide, rv_min(length, allowed));
}

static void field_refuse(const struct packet *p)
{
    ide_cd_fail(p->ide, SENSE_ILLEGAL_REQUEST, CODE_INVALID_FIELD);
}

/* ---- Without data ---- */

static void nothing(const struct packet *p)
{
    ide_cd_done(p->ide);
}

/* Ref: MMC-4 6.48 "START STOP UNIT": bit 1 loads or ejects. */
static void start_stop(const struct packet *p)
{
    if ((p->byte[4] & 3u) == 2u) {
        ide_cd_fail(p->ide, SENSE_ILLEGAL_REQUEST, CODE_EJECT_FAILED);
    } else {
        ide_cd_done(p->ide);
    }
}

static void seek(const struct packet *p)
{
    if (be32_get(&p->byte[2]) >= ide_cd_sector_count(p->drive)) {
        ide_cd_fail(p->ide, SENSE_ILLEGAL_REQUEST, CODE_ADDRESS_RANGE);
    } else {
        ide_cd_done(p->ide);
    }
}

/* ---- The drive ---- */

/* Ref: SPC-2 7.20 "REQUEST SENSE", fixed format. */
static void sense_read(const struct packet *p)
{
    p->out[0] = 0x70;
    p->out[2] = p->drive->sense_key;
    p->out[7] = 10;
    p->out[12] = p->drive->sense_code;
    p->drive->sense_key = 0;
    p->drive->sense_code = 0;
    reply(p, 18, p->byte[4]);
}

/* Ref: SPC-2 7.3 "INQUIRY". Vital product data: none. */
static void inquiry(const struct packet *p)
{
    if ((p->byte[1] & 3u) != 0 || p->byte[2] != 0) {
        field_refuse(p);
        return;
    }
    p->out[0] = 0x05; /* CD or DVD */
    p->out[1] = 0x80; /* removable */
    p->out[3] = 0x21; /* ATAPI, response format 1 */
    p->out[4] = 31;   /* bytes that follow */
    memcpy(&p->out[8], "RAVELIN CD-ROM          1.0 ", 28);
    reply(p, 36, be16_get(&p->byte[3]));
}

/* Ref: MMC-4 6.25 "MECHANISM STATUS": closed, idle, no changer. */
static void mechanism_status(const struct packet *p)
{
    reply(p, 8, be16_get(&p->byte[8]));
}

/* Ref: MMC-4 6.20 "GET EVENT STATUS NOTIFICATION": polled only, class media. */
static void event_status(const struct packet *p)
{
    bool media = (p->byte[4] & 0x10u) != 0;

    if ((p->byte[1] & 1u) == 0) {
        field_refuse(p);
        return;
    }
    be16_put(&p->out[0], media ? 6 : 2);
    p->out[2] = media ? 0x04 : 0x80; /* class, or no event available */
    p->out[3] = 0x10;                /* classes supported */
    p->out[5] = ide_cd_sector_count(p->drive) != 0 ? 0x02 : 0x00;
    reply(p, media ? 8 : 4, be16_get(&p->byte[7]));
}

static unsigned profile_current(const struct legacy_ide_drive *drive)
{
    uint32_t sectors = ide_cd_sector_count(drive);

    if (sectors == 0) {
        return 0;
    }
    return sectors > CD_SECTOR_COUNT_MAX ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

static uint8_t *profile_put(uint8_t *out, unsigned profile, unsigned current)
{
    be16_put(out, profile);
    out[2] = profile == current;
    return out + 4;
}

static uint8_t *feature_put(uint8_t *out, unsigned code, uint8_t flags,
                            uint8_t length)
{
    be16_put(out, code);
    out[2] = flags;
    out[3] = length;
    return out + 4;
}

/* Ref: MMC-4 6.19 "GET CONFIGURATION", 5.3 "Feature definitions". */
static void configuration_get(const struct packet *p)
{
    unsigned current = profile_current(p->drive);
    unsigned first = be16_get(&p->byte[2]);
    bool only_one = (p->byte[1] & 3u) == 2u;
    uint8_t *at = &p->out[8];

    be16_put(&p->out[6], current);
    if (first == 0) { /* profile list */
        at = feature_put(at, 0, 0x03, 8);
        at = profile_put(at, PROFILE_DVD_ROM, current);
        at = profile_put(at, PROFILE_CD_ROM, current);
    }
    if (first == 1 || (first < 1 && !only_one)) { /* core: ATAPI */
        at = feature_put(at, 1, 0x0b, 8);
        be32_put(at, 2);
        at[4] = 0x01;
        at += 8;
    }
    if (first == 3 || (first < 3 && !only_one)) { /* removable: tray */
        at = feature_put(at, 3, 0x03, 4);
        at[0] = 0x21;
        at += 4;
    }
    be32_put(&p->out[0], (uint32_t)(at - p->out) - 4);
    reply(p, (uint32_t)(at - p->out), be16_get(&p->byte[7]));
}

static const uint8_t page_errors[] = {0x01, 6, 0, 5, 0, 0, 0, 0};
/* Ref: MMC-4, annex "Capabilities and mechanical status page". */
static const uint8_t page_capabilities[] = {
    0x2a, 18, 0x08, 0, 0, 0x60, 0x29, 0, 0x02, 0xc2,
    0,    2,  0x02, 0, 2, 0xc2, 0,    0, 0,    0,
};

/* Ref: SPC-2 7.9 "MODE SENSE(10)". Nothing can be changed. */
static void mode_sense(const struct packet *p)
{
    uint8_t page = p->byte[2] & 0x3fu;
    uint8_t *at = &p->out[8];

    if (p->byte[2] >> 6 == 3u) {
        ide_cd_fail(p->ide, SENSE_ILLEGAL_REQUEST, 0x39); /* no saved pages */
        return;
    }
    if (page == page_errors[0] || page == 0x3f) {
        memcpy(at, page_errors, sizeof(page_errors));
        at += sizeof(page_errors);
    }
    if (page == page_capabilities[0] || page == 0x3f) {
        memcpy(at, page_capabilities, sizeof(page_capabilities));
        at += sizeof(page_capabilities);
    }
    if (at == &p->out[8]) {
        field_refuse(p);
        return;
    }
    be16_put(&p->out[0], (unsigned)(at - p->out) - 2);
    p->out[2] = ide_cd_sector_count(p->drive) != 0 ? 0x01 : 0x70;
    reply(p, (uint32_t)(at - p->out), be16_get(&p->byte[7]));
}

/* ---- The medium ---- */

static void capacity_read(const struct packet *p)
{
    be32_put(&p->out[0], ide_cd_sector_count(p->drive) - 1);
    be32_put(&p->out[4], CD_SECTOR_SIZE);
    reply(p, 8, 8);
}

static void sectors_read(const struct packet *p, uint32_t count)
{
    uint32_t lba = be32_get(&p->byte[2]);
    uint32_t all = ide_cd_sector_count(p->drive);

    if (lba > all || count > all - lba) {
        ide_cd_fail(p->ide, SENSE_ILLEGAL_REQUEST, CODE_ADDRESS_RANGE);
    } else {
        ide_cd_sectors_read(p->ide, lba, count);
    }
}

static void read_10(const struct packet *p)
{
    sectors_read(p, be16_get(&p->byte[7]));
}

static void read_12(const struct packet *p)
{
    sectors_read(p, be32_get(&p->byte[6]));
}

static void address_put(uint8_t *out, uint32_t lba, bool msf)
{
    uint32_t frames = lba + MSF_START;

    if (!msf) {
        be32_put(out, lba);
        return;
    }
    out[0] = 0;
    out[1] = (uint8_t)rv_min(frames / FRAMES_PER_SECOND / 60, 255u);
    out[2] = (uint8_t)(frames / FRAMES_PER_SECOND % 60);
    out[3] = (uint8_t)(frames % FRAMES_PER_SECOND);
}

static uint8_t *track_put(uint8_t *out, uint8_t number, uint32_t lba, bool msf)
{
    out[1] = TRACK_DATA;
    out[2] = number;
    address_put(&out[4], lba, msf);
    return out + 8;
}

/* Ref: MMC-4 6.31 "READ TOC/PMA/ATIP", formats 0 (tracks) and 1 (sessions). */
static void toc_read(const struct packet *p)
{
    bool msf = (p->byte[1] & 2u) != 0;
    unsigned format = p->byte[2] & 0x0fu;
    uint8_t start = p->byte[6];
    uint8_t *at = &p->out[4];

    if (format == 0) {
        /* Old hosts put the format into the control byte. */
        format = p->byte[9] >> 6;
    }
    if (format > 1 || (format == 0 && start > 1 && start != TRACK_LEAD_OUT)) {
        field_refuse(p);
        return;
    }
    if (format == 1 || start <= 1) {
        at = track_put(at, 1, 0, msf);
    }
    if (format == 0) {
        at = track_put(at, TRACK_LEAD_OUT, ide_cd_sector_count(p->drive), msf);
    }
    be16_put(&p->out[0], (unsigned)(at - p->out) - 2);
    p->out[2] = 1; /* first and last track, or session */
    p->out[3] = 1;
    reply(p, (uint32_t)(at - p->out), be16_get(&p->byte[7]));
}

/* Ref: MMC-4 6.26 "READ DISC INFORMATION": one complete session, one track. */
static void disc_information(const struct packet *p)
{
    be16_put(&p->out[0], 32);
    p->out[2] = 0x0e;
    p->out[3] = 1;
    p->out[4] = 1;
    p->out[5] = 1;
    p->out[6] = 1;
    p->out[7] = 0x20;
    memset(&p->out[16], 0xff, 8);
    reply(p, 34, be16_get(&p->byte[7]));
}

/* ---- Dispatch ---- */

#define OP_REQUEST_SENSE 0x03u

static const struct packet_command {
    uint8_t opcode;
    bool needs_medium;
    void (*run)(const struct packet *p);
} commands[] = {
    {0x00, true, nothing}, /* TEST UNIT READY */
    {OP_REQUEST_SENSE, false, sense_read},
    {0x12, false, inquiry},
    {0x1b, false, start_stop},
    {0x1e, false, nothing}, /* PREVENT ALLOW MEDIUM REMOVAL */
    {0x25, true, capacity_read},
    {0x28, true, read_10},
    {0x2b, true, seek},
    {0x43, true, toc_read},
    {0x46, false, configuration_get},
    {0x4a, false, event_status},
    {0x51, true, disc_information},
    {0x5a, false, mode_sense},
    {0xa8, true, read_12},
    {0xbb, false, nothing}, /* SET CD SPEED */
    {0xbd, false, mechanism_status},
};

static const struct packet_command *command_find(uint8_t opcode)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].opcode == opcode) {
            return &commands[i];
        }
    }
    return NULL;
}

void ide_packet_run(struct legacy_ide *ide, struct legacy_ide_drive *drive)
{
    struct packet p = {.ide = ide, .drive = drive, .out = ide->buffer};
    const struct packet_command *command;

    memcpy(p.byte, ide->buffer, PACKET_SIZE);
    memset(ide->buffer, 0, LEGACY_IDE_BUFFER_SIZE);
    if (p.byte[0] != OP_REQUEST_SENSE) {
        drive->sense_key = 0;
        drive->sense_code = 0;
    }
    command = command_find(p.byte[0]);
    if (command == NULL) {
        ide_cd_fail(ide, SENSE_ILLEGAL_REQUEST, CODE_INVALID_COMMAND);
    } else if (command->needs_medium && ide_cd_sector_count(drive) == 0) {
        ide_cd_fail(ide, SENSE_NOT_READY, CODE_NO_MEDIUM);
    } else {
        command->run(&p);
    }
}
