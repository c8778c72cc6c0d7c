/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disk images in memory: bounds, the copies that writes make, who pays for
 * them.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "ravelin/block_memory.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"

#define RAM FIXTURE_MIB(16)
#define PAGES 64u
#define SPARE 4u
#define IMAGE_SIZE (5 * PAGE_SIZE + 700)
#define SECTORS ((IMAGE_SIZE + 511) / 512)

static struct domain *dom;
static struct block_memory memory;
static uint8_t *image;
static uint8_t *original;

static int group_start(void **state)
{
    (void)state;
    fixture_machine_create(1, RAM);
    dom = fixture_domain_create(FIXTURE_DOMID, 1, PAGES, SPARE);
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    fixture_domain_destroy(dom);
    fixture_machine_destroy();
    return 0;
}

static int case_start(void **state)
{
    (void)state;
    image = malloc(IMAGE_SIZE);
    original = malloc(IMAGE_SIZE);
    for (size_t i = 0; i < IMAGE_SIZE; i++) {
        image[i] = original[i] = (uint8_t)(i * 7 + i / 512);
    }
    memset(&memory, 0, sizeof(memory));
    return 0;
}

static int case_end(void **state)
{
    (void)state;
    /* The image itself is never written. */
    assert_memory_equal(image, original, IMAGE_SIZE);
    assert_int_equal(block_memory_destroy(&memory), 0);
    assert_int_equal(block_memory_destroy(&memory), 0);
    assert_int_equal(dom->page_count, PAGES);
    free(image);
    free(original);
    return 0;
}

static void create(bool writable)
{
    assert_int_equal(
        block_memory_init(&memory, image, IMAGE_SIZE, dom, writable), 0);
}

static void init_bad_sizes_are_refused(void **state)
{
    (void)state;
    assert_int_equal(block_memory_init(&memory, image, 0, dom, true),
                     -RV_EINVAL);
    assert_int_equal(
        block_memory_init(&memory, image, (1UL << 40) + 1, dom, true),
        -RV_EINVAL);
    assert_int_equal(block_memory_init(&memory, image, 512, NULL, true),
                     -RV_EINVAL);
}

static void init_without_memory_for_the_table_fails(void **state)
{
    (void)state;
    frame_pool_fail_after(0);
    assert_int_equal(block_memory_init(&memory, image, IMAGE_SIZE, dom, true),
                     -RV_ENOMEM);
}

static void read_gives_the_image_and_zeros_behind_it(void **state)
{
    uint8_t buf[3 * 512];

    (void)state;
    create(false);
    assert_int_equal(memory.source.sector_count, SECTORS);
    for (uint64_t s = 0; s + 3 <= SECTORS; s++) {
        size_t there = IMAGE_SIZE - s * 512;

        assert_int_equal(block_read(&memory.source, s, 3, buf), 0);
        there = there < sizeof(buf) ? there : sizeof(buf);
        assert_memory_equal(buf, original + s * 512, there);
        for (size_t i = there; i < sizeof(buf); i++) {
            assert_int_equal(buf[i], 0);
        }
    }
}

static void ranges_beyond_the_end_are_refused(void **state)
{
    uint8_t buf[2 * 512];

    (void)state;
    create(true);
    assert_int_equal(block_read(&memory.source, SECTORS - 1, 2, buf),
                     -RV_EINVAL);
    assert_int_equal(block_read(&memory.source, SECTORS, 1, buf), -RV_EINVAL);
    assert_int_equal(block_read(&memory.source, UINT64_MAX, 1, buf),
                     -RV_EINVAL);
    assert_int_equal(block_read(&memory.source, UINT64_MAX, 2, buf),
                     -RV_EINVAL);
    assert_int_equal(block_write(&memory.source, SECTORS - 1, 2, buf),
                     -RV_EINVAL);
    assert_int_equal(block_read(&memory.source, SECTORS, 0, buf), 0);
}

static void write_to_a_read_only_source_is_refused(void **state)
{
    uint8_t buf[512] = {1};

    (void)state;
    create(false);
    assert_int_equal(block_write(&memory.source, 0, 1, buf), -RV_EROFS);
}

static void write_copies_pages_charged_to_the_owner(void **state)
{
    uint8_t data[4 * 512];
    uint8_t buf[6 * 512];

    (void)state;
    create(true);
    memset(data, 0xee, sizeof(data));
    /* Sectors 6..9: the end of one page and the start of the next. */
    assert_int_equal(block_write(&memory.source, 6, 4, data), 0);
    assert_int_equal(memory.copy_count, 2);
    assert_int_equal(dom->page_count, PAGES + 2);
    assert_int_equal(block_read(&memory.source, 5, 6, buf), 0);
    assert_memory_equal(buf, original + 5 * 512, 512);
    assert_memory_equal(buf + 512, data, sizeof(data));
    assert_memory_equal(buf + 5 * 512, original + 10 * 512, 512);
    /* A second write needs no further copy. */
    assert_int_equal(block_write(&memory.source, 7, 1, original), 0);
    assert_int_equal(dom->page_count, PAGES + 2);
    assert_int_equal(block_read(&memory.source, 7, 1, buf), 0);
    assert_memory_equal(buf, original, 512);
}

static void write_to_the_last_sector_reads_back_whole(void **state)
{
    uint8_t data[512];
    uint8_t buf[512];

    (void)state;
    create(true);
    memset(data, 0x5a, sizeof(data));
    assert_int_equal(block_write(&memory.source, SECTORS - 1, 1, data), 0);
    assert_int_equal(block_read(&memory.source, SECTORS - 1, 1, buf), 0);
    assert_memory_equal(buf, data, sizeof(data));
}

static void write_beyond_the_owners_limit_fails_and_changes_nothing(
    void **state)
{
    uint8_t data[512] = {1, 2, 3};
    uint8_t buf[512];

    (void)state;
    create(true);
    for (unsigned page = 0; page < SPARE; page++) {
        assert_int_equal(block_write(&memory.source, page * 8, 1, data), 0);
    }
    assert_int_equal(block_write(&memory.source, SPARE * 8, 1, data),
                     -RV_E2BIG);
    assert_int_equal(block_read(&memory.source, SPARE * 8, 1, buf), 0);
    assert_memory_equal(buf, original + SPARE * PAGE_SIZE, 512);
    /* What was copied before can still be written. */
    assert_int_equal(block_write(&memory.source, 1, 1, data), 0);
}

static void destroy_of_a_large_image_goes_in_steps(void **state)
{
    const uint64_t size = 20000 * PAGE_SIZE;
    uint8_t *large = calloc(1, size);
    struct block_memory m;
    uint8_t data[512] = {1};

    (void)state;
    assert_int_equal(block_memory_init(&m, large, size, dom, true), 0);
    assert_int_equal(block_write(&m.source, 0, 1, data), 0);
    assert_int_equal(block_write(&m.source, size / 512 - 1, 1, data), 0);
    assert_int_equal(block_memory_destroy(&m), -RV_ERESTART);
    assert_int_equal(dom->page_count, PAGES + 1);
    assert_int_equal(block_memory_destroy(&m), 0);
    assert_int_equal(block_memory_destroy(&m), 0);
    assert_int_equal(dom->page_count, PAGES);
    free(large);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, case_start, case_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(init_bad_sizes_are_refused),
        CASE(init_without_memory_for_the_table_fails),
        CASE(read_gives_the_image_and_zeros_behind_it),
        CASE(ranges_beyond_the_end_are_refused),
        CASE(write_to_a_read_only_source_is_refused),
        CASE(write_copies_pages_charged_to_the_owner),
        CASE(write_to_the_last_sector_reads_back_whole),
        CASE(write_beyond_the_owners_limit_fails_and_changes_nothing),
        CASE(destroy_of_a_large_image_goes_in_steps),
    };

    return group_run(tests, group_start, group_end);
}
