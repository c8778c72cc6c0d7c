/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory map: hostile firmware maps, carving, and a random comparison with
 * a model that keeps one kind per page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ravelin/errno.h"
#include "ravelin/memmap.h"
#include "ravelin/string.h"

#define MIB 0x100000UL

static struct memmap map;

static int reset(void **state)
{
    (void)state;
    memset(&map, 0, sizeof(map));
    return 0;
}

static void assert_region(unsigned i, uint64_t base, uint64_t end,
                          enum mem_kind kind)
{
    assert_in_range(i, 0, map.count - 1);
    assert_int_equal(map.region[i].base.v, base);
    assert_int_equal(map.region[i].base.v + map.region[i].size, end);
    assert_int_equal(map.region[i].kind, kind);
}

/* Sorted, disjoint, page-aligned, neighbours of one kind merged. */
static void assert_sane(void)
{
    for (unsigned i = 0; i < map.count; i++) {
        const struct mem_region *r = &map.region[i];

        assert_true(r->size > 0);
        assert_int_equal(r->base.v % PAGE_SIZE, 0);
        assert_int_equal(r->size % PAGE_SIZE, 0);
        if (i > 0) {
            uint64_t end = r[-1].base.v + r[-1].size;

            assert_true(end <= r->base.v);
            assert_false(end == r->base.v && r[-1].kind == r->kind);
        }
    }
}

static void claim_unsorted_ranges_come_out_sorted(void **state)
{
    (void)state;
    memmap_claim(&map, 16 * MIB, MIB, MEM_RESERVED);
    memmap_claim(&map, MIB, MIB, MEM_FREE);
    assert_int_equal(map.count, 2);
    assert_region(0, MIB, 2 * MIB, MEM_FREE);
    assert_region(1, 16 * MIB, 17 * MIB, MEM_RESERVED);
}

static void claim_free_shrinks_others_grow_to_frames(void **state)
{
    (void)state;
    memmap_claim(&map, 0, 0x9fc00, MEM_FREE);
    memmap_claim(&map, 0x9fc00, 0x400, MEM_RESERVED);
    assert_int_equal(map.count, 2);
    assert_region(0, 0, 0x9f000, MEM_FREE);
    assert_region(1, 0x9f000, 0xa0000, MEM_RESERVED);
}

static void claim_overlap_higher_kind_wins_in_any_order(void **state)
{
    (void)state;
    memmap_claim(&map, 4 * MIB, MIB, MEM_NVS);
    memmap_claim(&map, 0, 16 * MIB, MEM_FREE);
    memmap_claim(&map, 8 * MIB, MIB, MEM_RESERVED);
    memmap_claim(&map, 7 * MIB, 3 * MIB, MEM_ACPI);
    assert_int_equal(map.count, 7);
    assert_region(0, 0, 4 * MIB, MEM_FREE);
    assert_region(1, 4 * MIB, 5 * MIB, MEM_NVS);
    assert_region(2, 5 * MIB, 7 * MIB, MEM_FREE);
    assert_region(3, 7 * MIB, 8 * MIB, MEM_ACPI);
    assert_region(4, 8 * MIB, 9 * MIB, MEM_RESERVED);
    assert_region(5, 9 * MIB, 10 * MIB, MEM_ACPI);
    assert_region(6, 10 * MIB, 16 * MIB, MEM_FREE);
}

static void claim_neighbours_of_one_kind_merge(void **state)
{
    (void)state;
    memmap_claim(&map, 0, MIB, MEM_FREE);
    memmap_claim(&map, 2 * MIB, MIB, MEM_FREE);
    memmap_claim(&map, MIB, MIB, MEM_FREE);
    assert_int_equal(map.count, 1);
    assert_region(0, 0, 3 * MIB, MEM_FREE);
}

static void claim_wrapping_or_empty_size_is_harmless(void **state)
{
    (void)state;
    memmap_claim(&map, MIB, 0, MEM_RESERVED);
    memmap_claim(&map, UINT64_MAX - 10, 100, MEM_FREE);
    memmap_claim(&map, 1UL << 52, MIB, MEM_FREE);
    assert_int_equal(map.count, 0);
    memmap_claim(&map, MIB, UINT64_MAX, MEM_FREE);
    assert_region(0, MIB, 1UL << 52, MEM_FREE);
}

static void claim_full_map_drops_free_memory_only(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMMAP_REGIONS_MAX * 2; i++) {
        memmap_claim(&map, (2 * i + 100) * PAGE_SIZE, PAGE_SIZE, MEM_FREE);
    }
    assert_true(map.count <= MEMMAP_REGIONS_MAX);
    assert_true(map.dropped > 0);
    memmap_claim(&map, 0, PAGE_SIZE, MEM_BAD);
    assert_region(0, 0, PAGE_SIZE, MEM_BAD);
    assert_sane();
}

static void claim_full_of_reserved_refuses_and_counts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMMAP_REGIONS_MAX * 2; i++) {
        memmap_claim(&map, 2 * i * PAGE_SIZE, PAGE_SIZE, MEM_RESERVED);
    }
    assert_true(map.count <= MEMMAP_REGIONS_MAX);
    assert_true(map.dropped >= MEMMAP_REGIONS_MAX);
    assert_sane();
}

static void find_free_respects_bounds_and_alignment(void **state)
{
    (void)state;
    hpa_t base = hpa(1);

    memmap_claim(&map, 0x3000, 0x5000, MEM_FREE);
    memmap_claim(&map, 4 * MIB + PAGE_SIZE, 8 * MIB, MEM_FREE);
    assert_int_equal(
        memmap_find_free(&map, PAGE_SIZE, PAGE_SIZE, 0, MIB, &base), 0);
    assert_int_equal(base.v, 0x3000);
    assert_int_equal(
        memmap_find_free(&map, 2 * MIB, 2 * MIB, 0, 64 * MIB, &base), 0);
    assert_int_equal(base.v, 6 * MIB);
    assert_int_equal(
        memmap_find_free(&map, PAGE_SIZE, PAGE_SIZE, 5 * MIB, 64 * MIB, &base),
        0);
    assert_int_equal(base.v, 5 * MIB);
    assert_int_equal(memmap_find_free(&map, 0x6000, PAGE_SIZE, 0, MIB, &base),
                     -RV_ENOMEM);
    assert_int_equal(
        memmap_find_free(&map, 16 * MIB, PAGE_SIZE, 0, UINT64_MAX, &base),
        -RV_ENOMEM);
}

static void lookup_distinguishes_regions_and_gaps(void **state)
{
    (void)state;
    memmap_claim(&map, MIB, MIB, MEM_FREE);
    memmap_claim(&map, 4 * MIB, MIB, MEM_NVS);
    assert_null(memmap_lookup(&map, hpa(0)));
    assert_int_equal(memmap_lookup(&map, hpa(2 * MIB - 1))->kind, MEM_FREE);
    assert_null(memmap_lookup(&map, hpa(2 * MIB)));
    assert_int_equal(memmap_lookup_next(&map, hpa(2 * MIB))->kind, MEM_NVS);
    assert_null(memmap_lookup_next(&map, hpa(5 * MIB)));
}

static void total_sums_one_kind(void **state)
{
    (void)state;
    memmap_claim(&map, 0, 8 * MIB, MEM_FREE);
    memmap_claim(&map, MIB, MIB, MEM_MODULE);
    assert_int_equal(memmap_total(&map, MEM_FREE), 7 * MIB);
    assert_int_equal(memmap_total(&map, MEM_MODULE), MIB);
    assert_int_equal(memmap_total(&map, MEM_BAD), 0);
}

#define MODEL_PAGES 60u
#define MODEL_NONE (-1)

static void claim_random_sequences_match_the_model(void **state)
{
    (void)state;
    srand(1);
    for (unsigned run = 0; run < 300; run++) {
        int model[MODEL_PAGES];

        memset(&map, 0, sizeof(map));
        memset(model, 0xff, sizeof(model));
        for (unsigned step = 0; step < 30; step++) {
            unsigned first = (unsigned)rand() % MODEL_PAGES;
            unsigned count = (unsigned)rand() % (MODEL_PAGES - first) + 1;
            int kind = rand() % MEM_KIND_COUNT;

            memmap_claim(&map, first * PAGE_SIZE, count * PAGE_SIZE,
                         (enum mem_kind)kind);
            for (unsigned p = first; p < first + count; p++) {
                model[p] = rv_max(model[p], kind);
            }
        }
        assert_sane();
        for (unsigned p = 0; p < MODEL_PAGES; p++) {
            const struct mem_region *r =
                memmap_lookup(&map, hpa(p * PAGE_SIZE));

            assert_int_equal(r != NULL ? (int)r->kind : MODEL_NONE, model[p]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(claim_unsorted_ranges_come_out_sorted, reset),
        cmocka_unit_test_setup(claim_free_shrinks_others_grow_to_frames, reset),
        cmocka_unit_test_setup(claim_overlap_higher_kind_wins_in_any_order,
                               reset),
        cmocka_unit_test_setup(claim_neighbours_of_one_kind_merge, reset),
        cmocka_unit_test_setup(claim_wrapping_or_empty_size_is_harmless, reset),
        cmocka_unit_test_setup(claim_full_map_drops_free_memory_only, reset),
        cmocka_unit_test_setup(claim_full_of_reserved_refuses_and_counts,
                               reset),
        cmocka_unit_test_setup(find_free_respects_bounds_and_alignment, reset),
        cmocka_unit_test_setup(lookup_distinguishes_regions_and_gaps, reset),
        cmocka_unit_test_setup(total_sums_one_kind, reset),
        cmocka_unit_test_setup(claim_random_sequences_match_the_model, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
