/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CD drive: how it is told from a disk, the packet protocol, the packets.
 * Ref: T13/1410D 9.8 "PACKET command protocol"; T10/1545-D "MMC-4"; T10/1236-D
 *      "SPC-2".
 */
#include "legacy_ide_fixture.h"

#define REASON_PACKET 1u
#define REASON_IN 2u
#define REASON_END 3u

static uint8_t reply[65536];

static int cd_start(void **state)
{
    ide_start(state);
    select_drive(1);
    return 0;
}

static void packet_send(const uint8_t *bytes, unsigned n, uint16_t limit)
{
    uint8_t all[12] = {0};

    memcpy(all, bytes, n);
    select_drive(1);
    out8(R_ERROR, 0);
    out8(R_MID, (uint8_t)limit);
    out8(R_HIGH, (uint8_t)(limit >> 8));
    out8(R_STATUS, 0xa0);
    assert_int_equal(in8(R_STATUS), READY | DRQ);
    assert_int_equal(in8(R_COUNT), REASON_PACKET);
    assert_false(irq_is_high());
    data_out(all, sizeof(all));
}

/* Takes all blocks; returns the number of bytes. */
static size_t reply_take(unsigned limit)
{
    size_t total = 0;

    while ((alternate_status() & DRQ) != 0) {
        unsigned n = in8(R_MID) | in8(R_HIGH) << 8;

        assert_int_equal(in8(R_COUNT), REASON_IN);
        assert_in_range(n, 1, limit);
        expect_irq(READY | DRQ);
        assert_true(total + n <= sizeof(reply));
        data_in(reply + total, (n + 1) & ~1u);
        total += n;
    }
    assert_int_equal(in8(R_COUNT), REASON_END);
    return total;
}

#define PACKET(limit, ...)                            \
    do {                                              \
        const uint8_t bytes_[] = {__VA_ARGS__};       \
        packet_send(bytes_, sizeof(bytes_), (limit)); \
    } while (0)

static void expect_end(void)
{
    expect_irq(READY);
}

static void expect_sense(uint8_t key, uint8_t code)
{
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR) >> 4, key);
    PACKET(0xfffe, 0x03, 0, 0, 0, 18);
    assert_int_equal(reply_take(0xfffe), 18);
    expect_end();
    assert_int_equal(reply[0], 0x70);
    assert_int_equal(reply[2], key);
    assert_int_equal(reply[12], code);
}

/* ---- Not a disk ---- */

static void commands_for_disks_show_the_signature(void **state)
{
    static const uint8_t opcodes[] = {0xec, 0x20};

    (void)state;
    for (unsigned i = 0; i < sizeof(opcodes); i++) {
        out8(R_MID, 0);
        out8(R_HIGH, 0);
        out8(R_STATUS, opcodes[i]);
        expect_abort();
        assert_int_equal(in8(R_COUNT), 1);
        assert_int_equal(in8(R_LOW), 1);
        assert_int_equal(in8(R_MID), 0x14);
        assert_int_equal(in8(R_HIGH), 0xeb);
        assert_int_equal(in8(R_DEVICE) & 0x10, 0x10);
    }
}

static void identify_packet_tells_what_the_drive_is(void **state)
{
    uint16_t word[256];

    (void)state;
    out8(R_STATUS, 0xa1);
    expect_irq(READY | DRQ);
    data_in((uint8_t *)word, sizeof(word));
    assert_int_equal(in8(R_STATUS), READY);
    assert_false(irq_is_high());
    assert_int_equal(word[0], 0x85c0);
    assert_int_equal(word[49] & 0x0300, 0x0200);
    assert_int_equal(word[63] | word[88], 0);
    assert_int_equal(word[27], 'R' << 8 | 'A');
}

static void device_reset_makes_no_interrupt(void **state)
{
    (void)state;
    PACKET(0xfffe, 0xff);
    in8(R_STATUS);
    out8(R_STATUS, 0x08);
    assert_false(irq_is_high());
    assert_int_equal(in8(R_STATUS), 0);
    assert_int_equal(in8(R_ERROR), 1);
    assert_int_equal(in8(R_HIGH), 0xeb);
    assert_int_equal(in8(R_DEVICE), 0x10);
}

static void other_commands_are_aborted(void **state)
{
    static const uint8_t known[] = {0x08, 0x20, 0x90, 0xa0, 0xa1,
                                    0xe5, 0xe6, 0xe7, 0xec, 0xef};

    (void)state;
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        if (memchr(known, (int)opcode, sizeof(known)) == NULL &&
            (opcode < 0xe0 || opcode > 0xe3)) {
            out8(R_STATUS, (uint8_t)opcode);
            expect_abort();
        }
    }
}

/* ---- Protocol ---- */

static void packet_with_dma_or_overlap_is_aborted(void **state)
{
    (void)state;
    for (uint8_t feature = 1; feature < 4; feature++) {
        out8(R_ERROR, feature);
        out8(R_STATUS, 0xa0);
        expect_abort();
    }
}

static void data_comes_in_blocks_no_longer_than_the_limit(void **state)
{
    static const uint16_t limits[] = {2,    3,    510,  2047,   2048,
                                      3000, 4096, 9000, 0xfffe, 0xffff};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        PACKET(limits[i], 0x28, 0, 0, 0, 0, 5, 0, 0, 3);
        assert_int_equal(reply_take(limits[i]), 3 * 2048);
        expect_end();
        assert_memory_equal(reply, cd.data + 5 * 2048, 3 * 2048);
    }
}

static void a_limit_of_nothing_is_aborted_if_there_is_data(void **state)
{
    static const uint16_t limits[] = {0, 1};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        PACKET(limits[i], 0x28, 0, 0, 0, 0, 5, 0, 0, 1);
        expect_abort();
        PACKET(limits[i], 0x12, 0, 0, 0, 36);
        expect_abort();
        PACKET(limits[i], 0x00);
        expect_end();
    }
}

static void an_odd_answer_ends_in_half_a_word(void **state)
{
    (void)state;
    PACKET(0xfffe, 0x12, 0, 0, 0, 5);
    assert_int_equal(in8(R_MID), 5);
    expect_irq(READY | DRQ);
    assert_int_equal(in16(), 0x8005);
    assert_int_equal(in16(), 0x2100);
    assert_int_equal(in16(), 31);
    expect_end();
    /* By string: two whole words, then the half one alone. */
    PACKET(0xfffe, 0x12, 0, 0, 0, 5);
    assert_int_equal(legacy_ide_data_read(&ide, 2, reply, 10), 2);
    assert_int_equal(legacy_ide_data_read(&ide, 2, reply, 10), 0);
    assert_int_equal(in16(), 31);
    expect_end();
}

static void an_allocation_of_nothing_is_no_error(void **state)
{
    (void)state;
    PACKET(0xfffe, 0x12, 0, 0, 0, 0);
    expect_end();
    PACKET(0xfffe, 0x28, 0, 0, 0, 0, 5, 0, 0, 0);
    expect_end();
}

static void long_reads_refill_the_buffer(void **state)
{
    (void)state;
    PACKET(0x8000, 0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 31);
    assert_int_equal(reply_take(4096), 31 * 2048);
    expect_end();
    assert_memory_equal(reply, cd.data + 2048, 31 * 2048);
}

/* ---- Errors ---- */

static void unknown_packets_are_illegal(void **state)
{
    (void)state;
    PACKET(0xfffe, 0xff);
    expect_sense(5, 0x20);
    PACKET(0xfffe, 0x2a); /* WRITE */
    expect_sense(5, 0x20);
    /* Asked once, the sense is gone. */
    PACKET(0xfffe, 0x03, 0, 0, 0, 18);
    reply_take(0xfffe);
    assert_int_equal(reply[2], 0);
}

static void reads_beyond_the_end_are_illegal(void **state)
{
    (void)state;
    PACKET(0xfffe, 0x28, 0, 0, 0, 0, CD_SECTORS, 0, 0, 1);
    expect_sense(5, 0x21);
    PACKET(0xfffe, 0x28, 0, 0, 0, 0, CD_SECTORS - 1, 0, 0, 2);
    expect_sense(5, 0x21);
    PACKET(0xfffe, 0xa8, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff);
    expect_sense(5, 0x21);
    PACKET(0xfffe, 0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1);
    expect_sense(5, 0x21);
    PACKET(0xfffe, 0x2b, 0, 0, 0, 0, CD_SECTORS);
    expect_sense(5, 0x21);
    PACKET(0xfffe, 0x2b, 0, 0, 0, 0, CD_SECTORS - 1);
    expect_end();
}

static void a_bad_sector_is_a_medium_error(void **state)
{
    (void)state;
    cd.bad_sector = 9 * 4 + 1;
    PACKET(0xfffe, 0x28, 0, 0, 0, 0, 6, 0, 0, 5);
    reply_take(0xfffe);
    expect_sense(3, 0x11);
}

static void an_empty_drive_says_so(void **state)
{
    static const uint8_t opcodes[] = {0x00, 0x25, 0x28, 0x2b, 0x43, 0x51, 0xa8};

    (void)state;
    ide.drive[1].conf.source = NULL;
    for (unsigned i = 0; i < sizeof(opcodes); i++) {
        PACKET(0xfffe, opcodes[i], 0, 0, 0, 0, 0, 0, 0, 1);
        expect_sense(2, 0x3a);
    }
    PACKET(0xfffe, 0x12, 0, 0, 0, 36);
    assert_int_equal(reply_take(0xfffe), 36);
    PACKET(0xfffe, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    assert_int_equal(reply_take(0xfffe), 8);
    assert_int_equal(reply[5], 0); /* closed, no medium */
    PACKET(0xfffe, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 8);
    assert_int_equal(reply_take(0xfffe), 8);
    assert_int_equal(reply[2], 0x70);
}

/* ---- Packets ---- */

static void inquiry_describes_a_removable_cd(void **state)
{
    (void)state;
    PACKET(0xfffe, 0x12, 0, 0, 0, 96);
    assert_int_equal(reply_take(0xfffe), 36);
    assert_int_equal(reply[0], 5);
    assert_int_equal(reply[1], 0x80);
    assert_int_equal(reply[4], 31);
    assert_memory_equal(reply + 8, "RAVELIN CD-ROM          1.0 ", 28);
    PACKET(0xfffe, 0x12, 1, 0x80, 0, 96);
    expect_sense(5, 0x24);
}

static void capacity_is_the_last_sector(void **state)
{
    static const uint8_t expected[] = {0, 0, 0, CD_SECTORS - 1, 0, 0, 8, 0};

    (void)state;
    PACKET(0xfffe, 0x25);
    assert_int_equal(reply_take(0xfffe), 8);
    assert_memory_equal(reply, expected, 8);
    /* Part of a sector does not count. */
    cd.source.sector_count = CD_SECTORS * 4 - 1;
    PACKET(0xfffe, 0x25);
    reply_take(0xfffe);
    assert_int_equal(reply[3], CD_SECTORS - 2);
}

static void toc_has_one_data_track_and_the_end(void **state)
{
    static const uint8_t tracks[] = {0,    18, 1, 1, 0, 0x14,      1,
                                     0,    0,  0, 0, 0, 0,         0x14,
                                     0xaa, 0,  0, 0, 0, CD_SECTORS};
    static const uint8_t msf[] = {0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 2, 64};
    static const uint8_t session[] = {0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0};

    (void)state;
    PACKET(0xfffe, 0x43, 0, 0, 0, 0, 0, 0, 0, 200);
    assert_int_equal(reply_take(0xfffe), 20);
    assert_memory_equal(reply, tracks, 20);
    PACKET(0xfffe, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 200);
    assert_int_equal(reply_take(0xfffe), 12);
    assert_memory_equal(reply, msf, 12);
    PACKET(0xfffe, 0x43, 0, 1, 0, 0, 0, 0, 0, 200);
    assert_int_equal(reply_take(0xfffe), 12);
    assert_memory_equal(reply, session, 12);
    PACKET(0xfffe, 0x43, 0, 0, 0, 0, 0, 0, 0, 200, 0x40);
    assert_int_equal(reply_take(0xfffe), 12);
    PACKET(0xfffe, 0x43, 0, 2, 0, 0, 0, 0, 0, 200);
    expect_sense(5, 0x24);
    PACKET(0xfffe, 0x43, 0, 0, 0, 0, 0, 2, 0, 200);
    expect_sense(5, 0x24);
}

static void configuration_names_profile_and_features(void **state)
{
    (void)state;
    PACKET(0xfffe, 0x46, 0, 0, 0, 0, 0, 0, 0, 200);
    assert_int_equal(reply_take(0xfffe), 8 + 12 + 12 + 8);
    assert_int_equal(reply[3], 36);
    assert_int_equal(reply[7], 0x08);
    assert_int_equal(reply[8 + 3], 8);
    assert_int_equal(reply[8 + 12 + 1], 1);
    assert_int_equal(reply[8 + 24 + 1], 3);
    PACKET(0xfffe, 0x46, 2, 0, 3, 0, 0, 0, 0, 200);
    assert_int_equal(reply_take(0xfffe), 16);
    assert_int_equal(reply[9], 3);
    PACKET(0xfffe, 0x46, 2, 0, 2, 0, 0, 0, 0, 200);
    assert_int_equal(reply_take(0xfffe), 8);
    PACKET(0xfffe, 0x46, 0, 0, 2, 0, 0, 0, 0, 200);
    assert_int_equal(reply_take(0xfffe), 16);
    cd.source.sector_count = 400000 * 4;
    PACKET(0xfffe, 0x46, 0, 0, 0, 0, 0, 0, 0, 200);
    reply_take(0xfffe);
    assert_int_equal(reply[7], 0x10); /* too large for a CD */
}

static void events_must_be_polled(void **state)
{
    static const uint8_t media[] = {0, 6, 4, 0x10, 0, 2, 0, 0};

    (void)state;
    PACKET(0xfffe, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    assert_int_equal(reply_take(0xfffe), 8);
    assert_memory_equal(reply, media, 8);
    PACKET(0xfffe, 0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8);
    assert_int_equal(reply_take(0xfffe), 4);
    assert_int_equal(reply[2], 0x80);
    PACKET(0xfffe, 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8);
    expect_sense(5, 0x24);
}

static void mode_pages_can_be_read_not_saved(void **state)
{
    (void)state;
    PACKET(0xfffe, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 200);
    assert_int_equal(reply_take(0xfffe), 28);
    assert_int_equal(reply[1], 26);
    assert_int_equal(reply[2], 1);
    assert_int_equal(reply[8], 0x2a);
    PACKET(0xfffe, 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 200);
    assert_int_equal(reply_take(0xfffe), 36);
    PACKET(0xfffe, 0x5a, 0, 0x05, 0, 0, 0, 0, 0, 200);
    expect_sense(5, 0x24);
    PACKET(0xfffe, 0x5a, 0, 0xea, 0, 0, 0, 0, 0, 200);
    expect_sense(5, 0x39);
}

static void disc_and_mechanism_are_described(void **state)
{
    (void)state;
    PACKET(0xfffe, 0x51, 0, 0, 0, 0, 0, 0, 0, 200);
    assert_int_equal(reply_take(0xfffe), 34);
    assert_int_equal(reply[2], 0x0e);
    expect_end();
    PACKET(0xfffe, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect_end();
    PACKET(0xfffe, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8);
    assert_int_equal(reply_take(0xfffe), 8);
}

static void the_tray_stays_closed(void **state)
{
    (void)state;
    PACKET(0xfffe, 0x1b, 0, 0, 0, 2);
    expect_sense(5, 0x53);
    for (uint8_t how = 0; how < 4; how += how == 1 ? 2 : 1) {
        PACKET(0xfffe, 0x1b, 0, 0, 0, how);
        expect_end();
    }
    PACKET(0xfffe, 0x1e, 0, 0, 0, 1);
    expect_end();
    PACKET(0xfffe, 0xbb);
    expect_end();
    PACKET(0xfffe, 0x00);
    expect_end();
}

#define CASE(f) cmocka_unit_test_setup(f, cd_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(commands_for_disks_show_the_signature),
        CASE(identify_packet_tells_what_the_drive_is),
        CASE(device_reset_makes_no_interrupt),
        CASE(other_commands_are_aborted),
        CASE(packet_with_dma_or_overlap_is_aborted),
        CASE(data_comes_in_blocks_no_longer_than_the_limit),
        CASE(a_limit_of_nothing_is_aborted_if_there_is_data),
        CASE(an_odd_answer_ends_in_half_a_word),
        CASE(an_allocation_of_nothing_is_no_error),
        CASE(long_reads_refill_the_buffer),
        CASE(unknown_packets_are_illegal),
        CASE(reads_beyond_the_end_are_illegal),
        CASE(a_bad_sector_is_a_medium_error),
        CASE(an_empty_drive_says_so),
        CASE(inquiry_describes_a_removable_cd),
        CASE(capacity_is_the_last_sector),
        CASE(toc_has_one_data_track_and_the_end),
        CASE(configuration_names_profile_and_features),
        CASE(events_must_be_polled),
        CASE(mode_pages_can_be_read_not_saved),
        CASE(disc_and_mechanism_are_described),
        CASE(the_tray_stays_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
