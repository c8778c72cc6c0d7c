/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IDE channels as a driver sees them: registers, selection, resets, interrupts,
 * the data port.
 * Ref: T13/1410D "AT Attachment with Packet Interface - 6", chapters 7 to 9.
 */
#include "legacy_ide_fixture.h"

/* ---- Channel (chapter 9) ---- */

static void reset_shows_the_signatures(void **state)
{
    (void)state;
    assert_int_equal(in8(R_STATUS), READY);
    assert_int_equal(in8(R_ERROR), 1);
    assert_int_equal(in8(R_COUNT), 1);
    assert_int_equal(in8(R_LOW), 1);
    assert_int_equal(in8(R_MID), 0);
    assert_int_equal(in8(R_HIGH), 0);
    out8(R_DEVICE, 0x10);
    assert_int_equal(in8(R_STATUS), 0);
    assert_int_equal(in8(R_ERROR), 1);
    assert_int_equal(in8(R_MID), 0x14);
    assert_int_equal(in8(R_HIGH), 0xeb);
    assert_int_equal(in8(R_DEVICE), 0x10);
}

static void software_reset_is_busy_until_released(void **state)
{
    (void)state;
    command_28(0x20, 0, 1);
    assert_true(irq_is_high());
    control(0x04);
    assert_false(irq_is_high());
    assert_int_equal(alternate_status(), BSY);
    out8(R_COUNT, 0x77);
    out8(R_STATUS, 0xec);
    assert_int_equal(alternate_status(), BSY);
    control(0);
    assert_int_equal(in8(R_STATUS), READY);
    assert_int_equal(in8(R_COUNT), 1);
    assert_int_equal(in16(), 0xffff);
    assert_int_equal(in8(R_STATUS), READY);
}

static void diagnostic_runs_on_both_drives(void **state)
{
    (void)state;
    select_drive(1);
    out8(R_COUNT, 0x33);
    out8(R_STATUS, 0x90);
    expect_irq(READY);
    assert_int_equal(in8(R_ERROR), 1);
    assert_int_equal(in8(R_COUNT), 1);
    assert_int_equal(in8(R_DEVICE), 0);
    out8(R_DEVICE, 0x10);
    assert_int_equal(in8(R_HIGH), 0xeb);
}

static void registers_keep_two_values(void **state)
{
    (void)state;
    for (unsigned reg = R_COUNT; reg <= R_HIGH; reg++) {
        pair(reg, (uint8_t)(0x10 + reg), (uint8_t)(0x20 + reg));
        assert_int_equal(in8(reg), 0x20 + reg);
        control(0x80);
        assert_int_equal(in8(reg), 0x10 + reg);
        control(0);
    }
    /* A write to a register ends the view of the older values. */
    control(0x80);
    out8(R_DEVICE, 0xe0);
    assert_int_equal(in8(R_COUNT), 0x22);
}

static void both_drives_take_register_writes(void **state)
{
    (void)state;
    out8(R_LOW, 0x5a);
    select_drive(1);
    assert_int_equal(in8(R_LOW), 0x5a);
}

static void interrupt_disable_holds_the_line_low(void **state)
{
    (void)state;
    control(0x02);
    command_28(0x20, 0, 1);
    assert_false(irq_is_high());
    assert_int_equal(alternate_status(), READY | DRQ);
    control(0);
    assert_true(irq_is_high());
    in8(R_STATUS);
    assert_false(irq_is_high());
}

static void empty_channel_floats(void **state)
{
    struct legacy_ide_config conf = {
        .port = BASE, .control_port = CONTROL, .irq = IRQ};

    (void)state;
    legacy_ide_init(&ide, &fake.host, ide_buffer, &conf);
    for (unsigned reg = R_ERROR; reg <= R_STATUS; reg++) {
        out8(reg, 0x11);
        assert_int_equal(in8(reg), 0xff);
    }
    assert_int_equal(in16(), 0xffff);
    assert_int_equal(alternate_status(), 0xff);
}

static void absent_drive_answers_zeros_and_no_command(void **state)
{
    struct legacy_ide_config conf = {
        .port = BASE,
        .control_port = CONTROL,
        .irq = IRQ,
        .drive = {{LEGACY_IDE_DISK, &disk.source, NULL}}};

    (void)state;
    legacy_ide_init(&ide, &fake.host, ide_buffer, &conf);
    select_drive(1);
    out8(R_COUNT, 0x55);
    assert_int_equal(in8(R_COUNT), 0);
    out8(R_STATUS, 0xec);
    assert_int_equal(in8(R_STATUS), 0);
    assert_false(irq_is_high());
    select_drive(0);
    assert_int_equal(in8(R_STATUS), READY);
    assert_int_equal(in8(R_COUNT), 0x55);
}

static void a_disk_without_sectors_is_absent(void **state)
{
    struct legacy_ide_config conf = {
        .port = BASE,
        .control_port = CONTROL,
        .irq = IRQ,
        .drive = {{LEGACY_IDE_DISK, NULL, NULL},
                  {LEGACY_IDE_DISK, &disk.source, NULL}}};

    (void)state;
    disk.source.sector_count = 0;
    legacy_ide_init(&ide, &fake.host, ide_buffer, &conf);
    assert_int_equal(in8(R_STATUS), 0xff);
}

static void accesses_of_wrong_size_reach_nothing(void **state)
{
    (void)state;
    assert_int_equal(legacy_ide_read(&ide, BASE, 1), 0xff);
    assert_int_equal(legacy_ide_read(&ide, BASE + R_STATUS, 2), 0xffff);
    assert_int_equal(legacy_ide_read(&ide, CONTROL, 4), 0xffffffff);
    assert_int_equal(legacy_ide_read(&ide, CONTROL + 1, 1), 0xff);
    legacy_ide_write(&ide, BASE + R_COUNT, 2, 0x4444);
    assert_int_equal(in8(R_COUNT), 1);
    legacy_ide_write(&ide, BASE + R_STATUS, 2, 0xecec);
    assert_int_equal(in8(R_STATUS), READY);
}

/* ---- The data port ---- */

static void data_port_serves_the_active_drive_only(void **state)
{
    uint8_t buf[512];

    (void)state;
    command_28(0x20, 0, 1);
    out8(R_DEVICE, 0x10);
    assert_int_equal(in16(), 0xffff);
    out8(R_DEVICE, 0xe0);
    data_in(buf, sizeof(buf));
    assert_memory_equal(buf, disk.data, 512);
}

static void data_port_takes_32_bits(void **state)
{
    (void)state;
    command_28(0x20, 3, 1);
    for (unsigned i = 0; i < 128; i++) {
        uint32_t expected;

        memcpy(&expected, disk.data + 3 * 512 + i * 4, 4);
        assert_int_equal(legacy_ide_read(&ide, BASE, 4), expected);
    }
    assert_int_equal(in8(R_STATUS), READY);
}

static void string_reads_stop_at_the_end_of_a_block(void **state)
{
    uint8_t buf[1024];

    (void)state;
    command_28(0x20, 11, 2);
    assert_int_equal(legacy_ide_data_read(&ide, 2, buf, 100), 100);
    assert_int_equal(legacy_ide_data_read(&ide, 4, buf + 200, 1000), 78);
    assert_memory_equal(buf, disk.data + 11 * 512, 512);
    expect_irq(READY | DRQ);
    assert_int_equal(legacy_ide_data_read(&ide, 2, buf, 1000), 256);
    assert_memory_equal(buf, disk.data + 12 * 512, 512);
    assert_int_equal(legacy_ide_data_read(&ide, 2, buf, 1000), 0);
    assert_int_equal(legacy_ide_data_write(&ide, 2, buf, 1000), 0);
}

static void string_writes_stop_at_the_end_of_a_block(void **state)
{
    uint8_t data[1024];

    (void)state;
    memset(data, 0x42, sizeof(data));
    command_28(0x30, 50, 2);
    assert_int_equal(legacy_ide_data_read(&ide, 2, data, 10), 0);
    assert_int_equal(legacy_ide_data_write(&ide, 2, data, 1000), 256);
    expect_irq(READY | DRQ);
    assert_int_equal(legacy_ide_data_write(&ide, 4, data, 100), 100);
    assert_int_equal(legacy_ide_data_write(&ide, 4, data, 100), 28);
    expect_irq(READY);
    assert_memory_equal(disk.data + 50 * 512, data, 1024);
}

static void a_new_command_ends_the_one_before(void **state)
{
    uint8_t data[512] = {0};

    (void)state;
    command_28(0x30, 0, 1);
    data_out(data, 100);
    command_28(0x20, 1, 1);
    expect_irq(READY | DRQ);
    data_in(data, 512);
    assert_memory_equal(data, disk.data + 512, 512);
    assert_int_equal(disk.data[0], 1);
    /* Also one to the other drive. */
    command_28(0x20, 1, 1);
    select_drive(1);
    out8(R_STATUS, 0xe5);
    select_drive(0);
    assert_int_equal(alternate_status(), READY);
    assert_int_equal(in16(), 0xffff);
}

#define CASE(f) cmocka_unit_test_setup(f, ide_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(reset_shows_the_signatures),
        CASE(software_reset_is_busy_until_released),
        CASE(diagnostic_runs_on_both_drives),
        CASE(registers_keep_two_values),
        CASE(both_drives_take_register_writes),
        CASE(interrupt_disable_holds_the_line_low),
        CASE(empty_channel_floats),
        CASE(absent_drive_answers_zeros_and_no_command),
        CASE(a_disk_without_sectors_is_absent),
        CASE(accesses_of_wrong_size_reach_nothing),
        CASE(data_port_serves_the_active_drive_only),
        CASE(data_port_takes_32_bits),
        CASE(string_reads_stop_at_the_end_of_a_block),
        CASE(string_writes_stop_at_the_end_of_a_block),
        CASE(a_new_command_ends_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
