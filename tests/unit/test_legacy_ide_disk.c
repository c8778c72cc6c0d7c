/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an IDE disk does on each command.
 * Ref: T13/1410D "AT Attachment with Packet Interface - 6", chapter 8.
 */
#include "legacy_ide_fixture.h"

/* ---- Identification (8.15) ---- */

static void identify_tells_what_the_disk_is(void **state)
{
    uint16_t word[256];
    uint8_t sum = 0;

    (void)state;
    select_drive(0);
    out8(R_STATUS, 0xec);
    expect_irq(READY | DRQ);
    data_in((uint8_t *)word, sizeof(word));
    assert_int_equal(in8(R_STATUS), READY);
    assert_int_equal(word[0], 0x0040);
    assert_int_equal(word[1], DISK_SECTORS / 1008);
    assert_int_equal(word[3], 16);
    assert_int_equal(word[6], 63);
    assert_int_equal(word[10], 'R' << 8 | 'V');
    assert_int_equal(word[13], '1' << 8 | ' ');
    assert_int_equal(word[27], 'R' << 8 | 'A');
    assert_int_equal(word[47], 0x8008);
    assert_int_equal(word[49] & 0x0300, 0x0200); /* LBA, no DMA */
    assert_int_equal(word[59], 0x0108);
    assert_int_equal(word[60] | word[61] << 16, DISK_SECTORS);
    assert_int_equal(word[63], 0);
    assert_int_equal(word[83] & 0xc400, 0x4400); /* valid, 48 bits */
    assert_int_equal(word[88], 0);
    assert_int_equal(word[100], DISK_SECTORS);
    assert_int_equal(word[101] | word[102] | word[103], 0);
    assert_int_equal(word[255] & 0xff, 0xa5);
    for (unsigned i = 0; i < 512; i++) {
        sum = (uint8_t)(sum + ((uint8_t *)word)[i]);
    }
    assert_int_equal(sum, 0);
}

static void identify_of_a_huge_disk_saturates_the_28_bit_size(void **state)
{
    uint16_t word[256];

    (void)state;
    disk.source.sector_count = 0x123456789aUL;
    legacy_ide_reset(&ide);
    out8(R_STATUS, 0xec);
    data_in((uint8_t *)word, sizeof(word));
    assert_int_equal(word[1], 16383);
    assert_int_equal(word[60] | word[61] << 16, 0x0fffffff);
    assert_int_equal(word[100], 0x789a);
    assert_int_equal(word[101], 0x3456);
    assert_int_equal(word[102], 0x12);
}

/* ---- Reading (8.27 to 8.36) ---- */

static void read_interrupts_once_per_sector(void **state)
{
    uint8_t buf[512];

    (void)state;
    command_28(0x20, 1000, 3);
    for (unsigned i = 0; i < 3; i++) {
        expect_irq(READY | DRQ);
        data_in(buf, sizeof(buf));
        assert_memory_equal(buf, disk.data + (1000 + i) * 512, 512);
    }
    assert_int_equal(in8(R_STATUS), READY);
    assert_false(irq_is_high());
    assert_int_equal(fake.rise_count[IRQ], 3);
}

static void read_with_count_zero_means_256(void **state)
{
    uint8_t buf[512];

    (void)state;
    command_28(0x21, 5, 0);
    for (unsigned i = 0; i < 256; i++) {
        assert_int_equal(in8(R_STATUS), READY | DRQ);
        data_in(buf, sizeof(buf));
        assert_memory_equal(buf, disk.data + (5 + i) * 512, 512);
    }
    assert_int_equal(in8(R_STATUS), READY);
}

static void read_ext_uses_48_bits_and_16_of_count(void **state)
{
    uint8_t buf[512];

    (void)state;
    command_48(0x24, 300, 0x0101);
    for (unsigned i = 0; i < 257; i++) {
        assert_int_equal(in8(R_STATUS), READY | DRQ);
        data_in(buf, sizeof(buf));
        assert_memory_equal(buf, disk.data + (300 + i) * 512, 512);
    }
    assert_int_equal(in8(R_STATUS), READY);
    command_48(0x24, 1UL << 32, 1);
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR), 0x10);
}

static void read_by_cylinder_head_sector(void **state)
{
    uint8_t buf[512];

    (void)state;
    out8(R_DEVICE, 0xa0 | 3); /* no LBA, head 3 */
    out8(R_COUNT, 1);
    out8(R_LOW, 5);
    out8(R_MID, 2);
    out8(R_HIGH, 0);
    out8(R_STATUS, 0x20);
    expect_irq(READY | DRQ);
    data_in(buf, sizeof(buf));
    assert_memory_equal(buf, disk.data + ((2 * 16 + 3) * 63 + 4) * 512, 512);
    /* Sectors count from 1. */
    out8(R_LOW, 0);
    out8(R_STATUS, 0x20);
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR), 0x10);
    out8(R_LOW, 64);
    out8(R_STATUS, 0x20);
    assert_int_equal(in8(R_ERROR), 0x10);
}

static void geometry_can_be_set(void **state)
{
    uint8_t buf[512];

    (void)state;
    out8(R_DEVICE, 0xa0 | 3); /* four heads */
    out8(R_COUNT, 10);
    out8(R_STATUS, 0x91);
    expect_irq(READY);
    out8(R_DEVICE, 0xa0 | 1);
    out8(R_COUNT, 1);
    out8(R_LOW, 10);
    out8(R_MID, 7);
    out8(R_HIGH, 0);
    out8(R_STATUS, 0x20);
    data_in(buf, sizeof(buf));
    assert_memory_equal(buf, disk.data + ((7 * 4 + 1) * 10 + 9) * 512, 512);
    out8(R_DEVICE, 0xa0 | 4); /* no such head */
    out8(R_STATUS, 0x20);
    assert_int_equal(in8(R_ERROR), 0x10);
    out8(R_COUNT, 0);
    out8(R_STATUS, 0x91);
    in8(R_STATUS);
    assert_int_equal(in8(R_ERROR), 0x04);
}

static void read_multiple_needs_a_setting_and_moves_blocks(void **state)
{
    uint8_t buf[4 * 512];

    (void)state;
    command_28(0xc4, 96, 4); /* blocks of eight at first */
    expect_irq(READY | DRQ);
    data_in(buf, 4 * 512);
    assert_memory_equal(buf, disk.data + 96 * 512, 4 * 512);
    assert_int_equal(in8(R_STATUS), READY);
    command_28(0xc6, 0, 0);
    command_28(0xc4, 0, 6);
    expect_abort();
    command_28(0xc6, 0, 3);
    expect_abort();
    command_28(0xc6, 0, 16);
    expect_abort();
    command_28(0xc6, 0, 4);
    expect_irq(READY);
    command_28(0xc4, 100, 6);
    expect_irq(READY | DRQ);
    data_in(buf, 4 * 512);
    assert_memory_equal(buf, disk.data + 100 * 512, 4 * 512);
    expect_irq(READY | DRQ);
    data_in(buf, 2 * 512);
    assert_memory_equal(buf, disk.data + 104 * 512, 2 * 512);
    assert_int_equal(in8(R_STATUS), READY);
    command_48(0x29, 8, 2);
    expect_irq(READY | DRQ);
    data_in(buf, 2 * 512);
    assert_memory_equal(buf, disk.data + 8 * 512, 2 * 512);
    assert_int_equal(in8(R_STATUS), READY);
    command_28(0xc6, 0, 0);
    expect_irq(READY);
    command_28(0xc4, 0, 1);
    expect_abort();
}

static void read_across_the_end_gives_what_is_there(void **state)
{
    uint8_t buf[512];

    (void)state;
    command_28(0x20, DISK_SECTORS - 2, 3);
    expect_irq(READY | DRQ);
    data_in(buf, sizeof(buf));
    expect_irq(READY | DRQ);
    data_in(buf, sizeof(buf));
    assert_memory_equal(buf, disk.data + (DISK_SECTORS - 1) * 512, 512);
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR), 0x10);
    assert_int_equal(in16(), 0xffff);
    /* The same within one block. */
    command_28(0xc6, 0, 8);
    command_28(0xc4, DISK_SECTORS - 2, 8);
    assert_int_equal(in8(R_STATUS), READY | DRQ);
    data_in(buf, sizeof(buf));
    data_in(buf, sizeof(buf));
    expect_irq(READY | ERR);
}

static void read_error_of_the_medium_is_uncorrectable(void **state)
{
    uint8_t buf[512];

    (void)state;
    disk.bad_sector = 7;
    command_28(0x20, 6, 2);
    expect_irq(READY | DRQ);
    data_in(buf, sizeof(buf));
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR), 0x40);
}

static void verify_checks_the_range_without_data(void **state)
{
    (void)state;
    command_28(0x40, DISK_SECTORS - 4, 4);
    expect_irq(READY);
    command_28(0x41, DISK_SECTORS - 4, 5);
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR), 0x10);
    command_48(0x42, 0, DISK_SECTORS);
    expect_irq(READY);
}

/* ---- Writing (8.61 to 8.69) ---- */

static void write_asks_without_an_interrupt_first(void **state)
{
    uint8_t data[2 * 512];

    (void)state;
    memset(data, 0xc3, 512);
    memset(data + 512, 0x3c, 512);
    command_28(0x30, 77, 2);
    assert_false(irq_is_high());
    assert_int_equal(in8(R_STATUS), READY | DRQ);
    data_out(data, 512);
    assert_memory_equal(disk.data + 77 * 512, data, 512);
    expect_irq(READY | DRQ);
    data_out(data + 512, 512);
    expect_irq(READY);
    assert_memory_equal(disk.data + 77 * 512, data, 1024);
    assert_int_equal(fake.rise_count[IRQ], 2);
}

static void write_ext_and_multiple_move_blocks(void **state)
{
    uint8_t data[3 * 512];

    (void)state;
    memset(data, 0x99, sizeof(data));
    command_48(0x34, 4000, 1);
    data_out(data, 512);
    expect_irq(READY);
    assert_memory_equal(disk.data + 4000 * 512, data, 512);
    command_28(0xc6, 0, 0);
    command_28(0xc5, 10, 3);
    expect_abort();
    command_28(0xc6, 0, 2);
    command_28(0xc5, 10, 3);
    data_out(data, 2 * 512);
    expect_irq(READY | DRQ);
    data_out(data, 512);
    expect_irq(READY);
    command_48(0x39, 20, 2);
    data_out(data, 2 * 512);
    expect_irq(READY);
    assert_memory_equal(disk.data + 10 * 512, data, 3 * 512);
    assert_memory_equal(disk.data + 20 * 512, data, 2 * 512);
}

static void write_to_a_read_only_disk_is_aborted(void **state)
{
    (void)state;
    disk.source.read_only = true;
    command_28(0x30, 0, 1);
    expect_abort();
    assert_int_equal(disk.data[0], 1);
}

static void write_that_fails_or_leaves_the_disk_ends_in_an_error(void **state)
{
    uint8_t data[512] = {0};

    (void)state;
    disk.bad_sector = 9;
    command_28(0x30, 9, 1);
    data_out(data, 512);
    expect_abort();
    command_28(0x30, DISK_SECTORS - 1, 2);
    data_out(data, 512);
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR), 0x10);
    command_28(0x30, DISK_SECTORS, 1);
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR), 0x10);
}

/* ---- The rest (chapter 8) ---- */

static void harmless_commands_succeed(void **state)
{
    static const uint8_t opcodes[] = {0x10, 0x1f, 0x94, 0x95, 0x96, 0x97, 0x99,
                                      0xe0, 0xe1, 0xe2, 0xe3, 0xe6, 0xe7, 0xea};

    (void)state;
    for (unsigned i = 0; i < sizeof(opcodes); i++) {
        command_28(opcodes[i], 0, 0);
        expect_irq(READY);
    }
}

static void power_mode_is_active(void **state)
{
    (void)state;
    command_28(0xe5, 0, 0);
    expect_irq(READY);
    assert_int_equal(in8(R_COUNT), 0xff);
    command_28(0x98, 0, 0);
    assert_int_equal(in8(R_COUNT), 0xff);
}

static void seek_wants_a_sector_that_exists(void **state)
{
    (void)state;
    command_28(0x70, DISK_SECTORS - 1, 0);
    expect_irq(READY);
    command_28(0x7f, DISK_SECTORS, 0);
    expect_irq(READY | ERR);
    assert_int_equal(in8(R_ERROR), 0x10);
}

static void native_max_is_the_last_sector(void **state)
{
    (void)state;
    command_28(0xf8, 0, 0);
    expect_irq(READY);
    assert_int_equal(in8(R_LOW) | in8(R_MID) << 8 | in8(R_HIGH) << 16,
                     DISK_SECTORS - 1);
    disk.source.sector_count = 0x112233445566UL;
    command_48(0x27, 0, 0);
    expect_irq(READY);
    assert_int_equal(in8(R_LOW) | in8(R_MID) << 8 | in8(R_HIGH) << 16,
                     0x445565);
    control(0x80);
    assert_int_equal(in8(R_LOW) | in8(R_MID) << 8 | in8(R_HIGH) << 16,
                     0x112233);
    control(0);
    command_28(0xf8, 0, 0);
    assert_int_equal(in8(R_DEVICE) & 0x0f, 0x0f);
    assert_int_equal(in8(R_LOW) | in8(R_MID) << 8 | in8(R_HIGH) << 16,
                     0xffffff);
}

static void features_take_pio_modes_but_no_dma(void **state)
{
    static const struct {
        uint8_t feature;
        uint8_t count;
        bool valid;
    } rows[] = {
        {0x03, 0x00, true},  {0x03, 0x01, true},  {0x03, 0x08, true},
        {0x03, 0x0c, true},  {0x03, 0x0d, false}, {0x03, 0x20, false},
        {0x03, 0x45, false}, {0x02, 0, true},     {0x82, 0, true},
        {0x55, 0, true},     {0xaa, 0, true},     {0x66, 0, true},
        {0xcc, 0, true},     {0x00, 0, false},    {0x05, 0, false},
        {0x99, 0, false},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        out8(R_ERROR, rows[i].feature);
        command_28(0xef, 0, rows[i].count);
        if (rows[i].valid) {
            expect_irq(READY);
        } else {
            expect_abort();
        }
    }
}

/* DMA, packets, security, host protected areas: not here. */
static void other_commands_are_aborted(void **state)
{
    static const uint8_t known[] = {
        0x20, 0x21, 0x24, 0x27, 0x29, 0x30, 0x31, 0x34, 0x39, 0x40, 0x41, 0x42,
        0x90, 0x91, 0xc4, 0xc5, 0xc6, 0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xef, 0xf8};
    unsigned aborted = 0;

    (void)state;
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        bool range = (opcode >= 0x10 && opcode <= 0x1f) ||
                     (opcode >= 0x70 && opcode <= 0x7f) ||
                     (opcode >= 0x94 && opcode <= 0x99) ||
                     (opcode >= 0xe0 && opcode <= 0xe3);

        if (range || memchr(known, (int)opcode, sizeof(known)) != NULL) {
            continue;
        }
        command_28((uint8_t)opcode, 0, 1);
        expect_abort();
        aborted++;
    }
    assert_int_equal(aborted, 256 - 24 - 16 - 16 - 6 - 4);
}

#define CASE(f) cmocka_unit_test_setup(f, ide_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(identify_tells_what_the_disk_is),
        CASE(identify_of_a_huge_disk_saturates_the_28_bit_size),
        CASE(read_interrupts_once_per_sector),
        CASE(read_with_count_zero_means_256),
        CASE(read_ext_uses_48_bits_and_16_of_count),
        CASE(read_by_cylinder_head_sector),
        CASE(geometry_can_be_set),
        CASE(read_multiple_needs_a_setting_and_moves_blocks),
        CASE(read_across_the_end_gives_what_is_there),
        CASE(read_error_of_the_medium_is_uncorrectable),
        CASE(verify_checks_the_range_without_data),
        CASE(write_asks_without_an_interrupt_first),
        CASE(write_ext_and_multiple_move_blocks),
        CASE(write_to_a_read_only_disk_is_aborted),
        CASE(write_that_fails_or_leaves_the_disk_ends_in_an_error),
        CASE(harmless_commands_succeed),
        CASE(power_mode_is_active),
        CASE(seek_wants_a_sector_that_exists),
        CASE(native_max_is_the_last_sector),
        CASE(features_take_pio_modes_but_no_dma),
        CASE(other_commands_are_aborted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
