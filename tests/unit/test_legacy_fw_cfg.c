/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware configuration device: the item table, directory, selector and
 * data port, DMA with good and bad descriptors.
 * Ref: QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy_fixture.h"

#include "ravelin/legacy_fw_cfg.h"

static struct legacy_fixture f;
static struct legacy_fw_cfg fw;

static const char boot_order[] = "/pci@i0cf8/ide@1,1/drive@0/disk@0\n";
static uint8_t big[3000];

static int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    legacy_fw_cfg_init(&fw, &f.host);
    for (unsigned i = 0; i < sizeof(big); i++) {
        big[i] = (uint8_t)(i * 7 + i / 256);
    }
    return 0;
}

static void select_key(uint16_t key)
{
    legacy_fw_cfg_write(&fw, 0x510, 2, key);
}

static uint8_t byte(void)
{
    return (uint8_t)legacy_fw_cfg_read(&fw, 0x511, 1);
}

static uint64_t number(unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)byte() << (8 * i);
    }
    return value;
}

static uint32_t be32(void)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        value = value << 8 | byte();
    }
    return value;
}

static void signature_and_id_are_there(void **state)
{
    (void)state;
    assert_int_equal(byte(), 'Q'); /* selected at reset */
    select_key(0);
    assert_int_equal(number(4), 0x554d4551);
    select_key(1);
    assert_int_equal(number(4), 3);
    assert_int_equal(number(4), 0); /* beyond the end */
}

static void numbers_are_little_endian(void **state)
{
    (void)state;
    assert_int_equal(
        legacy_fw_cfg_number_add(&fw, FW_CFG_RAM_SIZE, 0x123456789a, 8), 0);
    assert_int_equal(legacy_fw_cfg_number_add(&fw, FW_CFG_NB_CPUS, 4, 2), 0);
    select_key(FW_CFG_RAM_SIZE);
    assert_int_equal(number(8), 0x123456789a);
    select_key(FW_CFG_NB_CPUS);
    assert_int_equal(number(8), 4);
    select_key(FW_CFG_NB_CPUS | 0x4000);
    assert_int_equal(number(2), 4);
}

static void unknown_keys_read_zero(void **state)
{
    (void)state;
    select_key(0x7777);
    assert_int_equal(number(8), 0);
    select_key(FW_CFG_FILE_FIRST);
    assert_int_equal(number(8), 0);
}

static void directory_lists_the_files(void **state)
{
    char name[56];

    (void)state;
    assert_int_equal(legacy_fw_cfg_file_add(&fw, "bootorder", boot_order,
                                            sizeof(boot_order)),
                     0);
    assert_int_equal(
        legacy_fw_cfg_file_number_add(&fw, "etc/boot-menu-wait", 500, 2), 0);
    select_key(FW_CFG_FILE_DIR);
    assert_int_equal(be32(), 2);
    assert_int_equal(be32(), sizeof(boot_order));
    assert_int_equal(be32(), 0x20u << 16);
    for (unsigned i = 0; i < 56; i++) {
        name[i] = (char)byte();
    }
    assert_string_equal(name, "bootorder");
    assert_int_equal(be32(), 2);
    assert_int_equal(be32(), 0x21u << 16);
    for (unsigned i = 0; i < 56; i++) {
        name[i] = (char)byte();
    }
    assert_string_equal(name, "etc/boot-menu-wait");
    assert_int_equal(number(8), 0);
    select_key(0x20);
    for (size_t i = 0; i < sizeof(boot_order); i++) {
        assert_int_equal(byte(), (uint8_t)boot_order[i]);
    }
    select_key(0x21);
    assert_int_equal(number(2), 500);
}

static void string_reads_equal_single_ones(void **state)
{
    uint8_t got[sizeof(big) + 100];

    (void)state;
    assert_int_equal(legacy_fw_cfg_file_add(&fw, "big", big, sizeof(big)), 0);
    select_key(0x20);
    legacy_fw_cfg_data_read(&fw, got, 10);
    assert_int_equal(byte(), big[10]);
    legacy_fw_cfg_data_read(&fw, got + 11, sizeof(got) - 11);
    assert_memory_equal(got + 11, big + 11, sizeof(big) - 11);
    for (size_t i = sizeof(big); i < sizeof(got); i++) {
        assert_int_equal(got[i], 0);
    }
}

static void add_refuses_bad_and_double_items(void **state)
{
    char long_name[80];
    char name[8] = "f00";

    (void)state;
    memset(long_name, 'n', sizeof(long_name));
    long_name[56] = '\0';
    assert_int_equal(legacy_fw_cfg_file_add(&fw, long_name, big, 1),
                     -RV_EINVAL);
    long_name[55] = '\0';
    assert_int_equal(legacy_fw_cfg_file_add(&fw, long_name, big, 1), 0);
    assert_int_equal(legacy_fw_cfg_file_add(&fw, "", big, 1), -RV_EINVAL);
    assert_int_equal(legacy_fw_cfg_file_add(&fw, "x", NULL, 1), -RV_EINVAL);
    assert_int_equal(legacy_fw_cfg_file_add(&fw, "x", NULL, 0), 0);
    assert_int_equal(legacy_fw_cfg_file_add(&fw, "x", big, 1), -RV_EEXIST);
    assert_int_equal(legacy_fw_cfg_add(&fw, 1, big, 1), -RV_EEXIST);
    assert_int_equal(legacy_fw_cfg_add(&fw, 2, NULL, 1), -RV_EINVAL);
    assert_int_equal(legacy_fw_cfg_add(&fw, FW_CFG_FILE_DIR, big, 1),
                     -RV_EINVAL);
    assert_int_equal(legacy_fw_cfg_add(&fw, 0x4002, big, 1), -RV_EINVAL);
    assert_int_equal(legacy_fw_cfg_number_add(&fw, 2, 0, 3), -RV_EINVAL);
    assert_int_equal(legacy_fw_cfg_file_number_add(&fw, "y", 0, 16),
                     -RV_EINVAL);
    while (fw.item_count < LEGACY_FW_CFG_ITEMS_MAX) {
        name[1] = (char)('0' + fw.item_count / 10);
        name[2] = (char)('0' + fw.item_count % 10);
        assert_int_equal(legacy_fw_cfg_file_add(&fw, name, big, 1), 0);
    }
    assert_int_equal(legacy_fw_cfg_file_add(&fw, "one-more", big, 1),
                     -RV_ENOSPC);
    assert_int_equal(legacy_fw_cfg_add(&fw, 2, big, 1), -RV_ENOSPC);
}

static void odd_accesses_do_nothing(void **state)
{
    (void)state;
    assert_int_equal(legacy_fw_cfg_read(&fw, 0x510, 1), 0);
    assert_int_equal(legacy_fw_cfg_read(&fw, 0x510, 2), 0);
    legacy_fw_cfg_write(&fw, 0x511, 1, 0x55);
    legacy_fw_cfg_write(&fw, 0x510, 1, 0x01);
    assert_int_equal(byte(), 'Q');
}

/* ---- DMA -------------------------------------------------------------- */

#define DESCRIPTOR 0x100u

static void put_be32(unsigned at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        f.memory[at + i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static uint32_t dma(uint32_t control, uint32_t length, uint64_t to)
{
    put_be32(DESCRIPTOR, control);
    put_be32(DESCRIPTOR + 4, length);
    put_be32(DESCRIPTOR + 8, (uint32_t)(to >> 32));
    put_be32(DESCRIPTOR + 12, (uint32_t)to);
    legacy_fw_cfg_write(&fw, 0x514, 4, 0);
    legacy_fw_cfg_write(&fw, 0x518, 4, __builtin_bswap32(DESCRIPTOR));
    return (uint32_t)f.memory[DESCRIPTOR] << 24 |
           (uint32_t)f.memory[DESCRIPTOR + 1] << 16 |
           (uint32_t)f.memory[DESCRIPTOR + 2] << 8 | f.memory[DESCRIPTOR + 3];
}

static void dma_register_identifies_itself(void **state)
{
    (void)state;
    assert_int_equal(legacy_fw_cfg_read(&fw, 0x514, 4), 0x554d4551);
    assert_int_equal(legacy_fw_cfg_read(&fw, 0x518, 4), 0x47464320);
    assert_int_equal(legacy_fw_cfg_read(&fw, 0x51a, 4), 0x4746);
}

static void dma_selects_reads_and_skips(void **state)
{
    (void)state;
    assert_int_equal(legacy_fw_cfg_file_add(&fw, "big", big, sizeof(big)), 0);
    assert_int_equal(dma(0x20u << 16 | 0x0a, 1500, 0x1000), 0);
    assert_memory_equal(f.memory + 0x1000, big, 1500);
    assert_int_equal(dma(0x04, 100, 0), 0);
    assert_int_equal(dma(0x02, 1500, 0x1000), 0);
    assert_memory_equal(f.memory + 0x1000, big + 1600, 1400);
    assert_int_equal(f.memory[0x1000 + 1400], 0);
    assert_int_equal(dma(0x04, 0xffffffff, 0), 0);
    assert_int_equal(dma(0x02, 4, 0x1000), 0);
    assert_int_equal(f.memory[0x1000], 0);
    assert_int_equal(dma(0x19u << 16 | 0x0a, 4, 0x1000), 0);
    assert_int_equal(f.memory[0x1003], 1);
}

static void dma_refuses_writes_and_bad_memory(void **state)
{
    (void)state;
    assert_int_equal(dma(0x00u << 16 | 0x18, 4, 0x1000), 1);
    assert_int_equal(dma(0x0a, 4, LEGACY_MEMORY - 2), 1);
    assert_int_equal(dma(0x0a, 4, 1ull << 40), 1);
    assert_int_equal(dma(0x0a, LEGACY_FW_CFG_DMA_MAX + 1, 0x1000), 1);
    assert_int_equal(dma(0x0a, 0xffffffff, 0x1000), 1);
    assert_int_equal(dma(0x0a, 0x01000001, 0x1000), 1);
    assert_int_equal(dma(0x0a, 0, 1ull << 60), 0);
}

static void dma_descriptor_out_of_memory_is_ignored(void **state)
{
    (void)state;
    put_be32(DESCRIPTOR, 0x0a); /* at this address, but 4 GiB further up */
    put_be32(DESCRIPTOR + 4, 4);
    put_be32(DESCRIPTOR + 12, 0x1000);
    legacy_fw_cfg_write(&fw, 0x514, 4, __builtin_bswap32(1));
    legacy_fw_cfg_write(&fw, 0x518, 4, __builtin_bswap32(DESCRIPTOR));
    assert_int_equal(f.memory[0x1000], 0);
    assert_int_equal(f.memory[DESCRIPTOR + 3], 0x0a);
    /* The high half was used up. */
    assert_int_equal(dma(0x0a, 4, 0x1000), 0);
    assert_int_equal(f.memory[0x1000], 'Q');
}

static void reset_selects_the_signature(void **state)
{
    (void)state;
    select_key(1);
    (void)byte();
    legacy_fw_cfg_reset(&fw);
    assert_int_equal(number(4), 0x554d4551);
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(signature_and_id_are_there),
        CASE(numbers_are_little_endian),
        CASE(unknown_keys_read_zero),
        CASE(directory_lists_the_files),
        CASE(string_reads_equal_single_ones),
        CASE(add_refuses_bad_and_double_items),
        CASE(odd_accesses_do_nothing),
        CASE(dma_register_identifies_itself),
        CASE(dma_selects_reads_and_skips),
        CASE(dma_refuses_writes_and_bad_memory),
        CASE(dma_descriptor_out_of_memory_is_ignored),
        CASE(reset_selects_the_signature),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
