/* SPDX-License-Identifier: BSD-2-Clause */
/* Bit sets and the linked list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ravelin/bitmap.h"
#include "ravelin/list.h"
#include "ravelin/string.h"

#define BITS 200u

static void find_set_crosses_words_and_ends(void **state)
{
    (void)state;
    uint64_t map[BITMAP_WORDS(BITS)] = {0};

    assert_int_equal(bitmap_find_set(map, BITS, 0), BITS);
    bitmap_set(map, 130);
    assert_int_equal(bitmap_find_set(map, BITS, 0), 130);
    assert_int_equal(bitmap_find_set(map, BITS, 130), 130);
    assert_int_equal(bitmap_find_set(map, BITS, 131), BITS);
    assert_int_equal(bitmap_find_set(map, 130, 0), 130);
}

static void find_clear_ignores_bits_beyond_the_end(void **state)
{
    (void)state;
    uint64_t map[BITMAP_WORDS(BITS)] = {0};

    bitmap_set_range(map, 0, BITS);
    assert_int_equal(bitmap_find_clear(map, BITS, 0), BITS);
    bitmap_clear(map, 64);
    assert_int_equal(bitmap_find_clear(map, BITS, 0), 64);
}

static void ranges_match_single_bits(void **state)
{
    (void)state;
    srand(2);
    for (unsigned run = 0; run < 500; run++) {
        uint64_t a[BITMAP_WORDS(BITS)] = {0};
        uint64_t b[BITMAP_WORDS(BITS)] = {0};
        size_t first = (size_t)rand() % BITS;
        size_t count = (size_t)rand() % (BITS - first + 1);
        size_t hole = count / 3;

        bitmap_set_range(a, first, count);
        bitmap_clear_range(a, first + hole, count - hole);
        for (size_t i = first; i < first + hole; i++) {
            bitmap_set(b, i);
        }
        assert_memory_equal(a, b, sizeof(a));
        assert_int_equal(bitmap_weight(a, BITS), hole);
    }
}

static void test_and_set_reports_the_former_value(void **state)
{
    (void)state;
    uint64_t map[2] = {0};

    assert_false(bitmap_test_and_set_atomic(map, 70));
    assert_true(bitmap_test_and_set_atomic(map, 70));
    assert_true(bitmap_test(map, 70));
    assert_true(bitmap_test_and_clear_atomic(map, 70));
    assert_false(bitmap_test_and_clear_atomic(map, 70));
    assert_int_equal(map[1], 0);
}

struct item {
    int value;
    struct list_node node;
};

static void assert_order(struct list_node *head, const int *want, size_t count)
{
    size_t n = 0;

    list_for_each(pos, head)
    {
        assert_true(n < count);
        assert_int_equal(list_entry(pos, struct item, node)->value, want[n]);
        n++;
    }
    assert_int_equal(n, count);
}

static void list_keeps_order_and_survives_removal(void **state)
{
    (void)state;
    struct list_node head = LIST_INIT(head);
    struct item item[4] = {
        {.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};

    assert_true(list_is_empty(&head));
    list_push_back(&head, &item[1].node);
    list_push_back(&head, &item[3].node);
    list_push_front(&head, &item[0].node);
    list_insert_before(&item[3].node, &item[2].node);
    assert_order(&head, (int[]){0, 1, 2, 3}, 4);
    list_for_each_safe(pos, &head)
    {
        if (list_entry(pos, struct item, node)->value % 2 == 0) {
            list_remove(pos);
            list_remove(pos);
        }
    }
    assert_order(&head, (int[]){1, 3}, 2);
    assert_true(list_is_empty(&item[0].node));
    assert_ptr_equal(list_pop_front(&head), &item[1].node);
    assert_ptr_equal(list_pop_front(&head), &item[3].node);
    assert_null(list_pop_front(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_set_crosses_words_and_ends),
        cmocka_unit_test(find_clear_ignores_bits_beyond_the_end),
        cmocka_unit_test(ranges_match_single_bits),
        cmocka_unit_test(test_and_set_reports_the_former_value),
        cmocka_unit_test(list_keeps_order_and_survives_removal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
