/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rights on pages of a p2m, and private views of it.
 */
#include "access_fixture.h"

#include "access_state.h"
#include "ravelin/errno.h"
#include "ravelin/p2m.h"

#define PAGES 64u

static struct domain *d;

static int machine_setup(void **state)
{
    (void)state;
    fixture_machine_create(1, FIXTURE_MIB(24));
    d = fixture_domain_create(FIXTURE_DOMID, 1, PAGES, 2048);
    return 0;
}

static int machine_teardown(void **state)
{
    (void)state;
    fixture_domain_destroy(d);
    fixture_machine_destroy();
    return 0;
}

/* ---- Rights ------------------------------------------------------------ */

static void access_set_each_kind_is_read_back(void **state)
{
    (void)state;
    for (uint8_t mode = 0; mode <= ACCESS_ALL; mode++) {
        assert_int_equal(rights_set(d, 3, 1, mode), 0);
        assert_int_equal(rights_get(d, 3), mode);
        assert_int_equal(rights_get(d, 2), ACCESS_ALL);
        assert_int_equal(rights_get(d, 4), ACCESS_ALL);
    }
    assert_int_equal(rights_set(d, 3, 1, RX2RW), 0);
    assert_int_equal(rights_get(d, 3), RX2RW);
    assert_int_equal(p2m_lookup(&d->p2m, gfn(3)).access, RX);
}

static void access_set_bad_arguments_change_nothing(void **state)
{
    uint8_t mode;

    (void)state;
    assert_int_equal(rights_set(d, 3, 0, RW), -RV_EINVAL);
    assert_int_equal(rights_set(d, 3, 1, 16), -RV_EINVAL);
    assert_int_equal(rights_set(d, 3, 1, P2M_ACCESS_RX2RW), -RV_EINVAL);
    assert_int_equal(rights_set(d, 3, 1, RW | P2M_ACCESS_RX2RW), -RV_EINVAL);
    assert_int_equal(rights_set(d, d->p2m.gfn_limit, 1, RW), -RV_EINVAL);
    assert_int_equal(rights_set(d, d->p2m.gfn_limit - 1, 2, RW), -RV_EINVAL);
    assert_int_equal(rights_set(d, ~0UL, 1, RW), -RV_EINVAL);
    assert_int_equal(rights_set(d, 1, ~0UL, RW), -RV_EINVAL);
    assert_int_equal(rights_get(d, 3), ACCESS_ALL);
    assert_int_equal(p2m_access_get(&d->p2m, gfn(PAGES), &mode), -RV_ENOENT);
    assert_int_equal(p2m_access_get(&d->p2m, gfn(d->p2m.gfn_limit), &mode),
                     -RV_EINVAL);
}

/* A range that reaches over holes: RAM in it is done, the rest passed over. */
static void access_set_range_passes_holes_over(void **state)
{
    (void)state;
    assert_int_equal(rights_set(d, PAGES - 2, 1000, ACCESS_READ), 0);
    assert_int_equal(rights_get(d, PAGES - 1), ACCESS_READ);
    assert_int_equal(rights_get(d, PAGES - 2), ACCESS_READ);
    assert_int_equal(rights_get(d, PAGES - 3), ACCESS_ALL);
}

/* A superpage is split for a part of it, and not for the whole. */
static void access_set_superpage_splits_only_for_a_part(void **state)
{
    uint64_t tables;

    (void)state;
    assert_int_equal(p2m_populate(d, gfn(1024), 9), 0);
    tables = d->p2m.table_count;
    assert_int_equal(p2m_lookup(&d->p2m, gfn(1024)).level, 2);
    assert_int_equal(rights_set(d, 1024, 512, RX), 0);
    assert_int_equal(d->p2m.table_count, tables);
    assert_int_equal(p2m_lookup(&d->p2m, gfn(1030)).level, 2);
    assert_int_equal(rights_get(d, 1535), RX);
    assert_int_equal(rights_set(d, 1100, 1, ACCESS_READ), 0);
    assert_int_equal(d->p2m.table_count, tables + 1);
    assert_int_equal(p2m_lookup(&d->p2m, gfn(1030)).level, 1);
    assert_int_equal(rights_get(d, 1100), ACCESS_READ);
    assert_int_equal(rights_get(d, 1101), RX);
    assert_int_equal(rights_set(d, 1100, 1, ACCESS_ALL), 0);
    assert_int_equal(d->p2m.table_count, tables + 1);
}

static void access_default_holds_for_new_pages(void **state)
{
    struct p2m_locked p2m = p2m_lock(&d->p2m);

    (void)state;
    assert_int_equal(p2m_access_default_set(p2m, 0x10), -RV_EINVAL);
    assert_int_equal(p2m_access_default_set(p2m, RX2RW), 0);
    p2m_unlock(&p2m);
    assert_int_equal(p2m_populate(d, gfn(100), 0), 0);
    assert_int_equal(rights_get(d, 100), RX2RW);
    assert_int_equal(rights_get(d, 3), ACCESS_ALL);
    monitor_access_detach(d);
    assert_int_equal(p2m_populate(d, gfn(101), 0), 0);
    assert_int_equal(rights_get(d, 101), ACCESS_ALL);
    assert_true(p2m_access_is_held(&d->p2m, gfn(100)));
    assert_false(p2m_access_is_held(&d->p2m, gfn(101)));
    assert_false(p2m_access_is_held(&d->p2m, gfn(5000)));
}

/* ---- Views ------------------------------------------------------------- */

/* What the hardware would find at `g` from this root. */
static struct npt_entry hardware_find(mfn_t root, uint64_t g)
{
    const uint64_t *table = host_ptr(mfn_to_hpa(root));
    struct npt_entry e = {.access = ACCESS_ALL};
    uint8_t access = ACCESS_ALL;

    for (unsigned level = 4; level >= 1; level--) {
        uint64_t raw = table[(g >> (9 * (level - 1))) & 511];

        if (raw == 0) {
            return (struct npt_entry){.access = 0};
        }
        hv->npt_decode(raw, level, &e);
        access &= e.access;
        if (e.leaf || level == 1) {
            break;
        }
        table = host_ptr(mfn_to_hpa(e.mfn));
    }
    e.access = access;
    return e;
}

static void view_open_page_is_open_in_the_view_alone(void **state)
{
    struct p2m_view *w;

    (void)state;
    assert_int_equal(rights_set(d, 8, 2, 0), 0);
    w = p2m_view_create(&d->p2m);
    assert_non_null(w);
    assert_int_equal(p2m_view_open(w, gfn(8), ACCESS_WRITE), 0);
    assert_int_equal(hardware_find(p2m_view_root(w, true), 8).access, RW);
    assert_int_equal(hardware_find(p2m_view_root(w, false), 8).access, RW);
    assert_int_equal(hardware_find(p2m_view_root(w, true), 9).access, 0);
    assert_int_equal(hardware_find(p2m_view_root(w, true), 3).access,
                     ACCESS_ALL);
    assert_int_equal(hardware_find(p2m_view_root(w, false), 3).access, RW);
    assert_int_equal(hardware_find(d->p2m.root, 8).access, 0);
    assert_int_equal(hardware_find(p2m_view_root(w, true), 8).mfn.v,
                     p2m_lookup(&d->p2m, gfn(8)).mfn.v);
    assert_true(p2m_view_is_open(w, gfn(8), ACCESS_WRITE));
    assert_false(p2m_view_is_open(w, gfn(8), ACCESS_EXEC));
    assert_int_equal(p2m_view_open(w, gfn(8), ACCESS_EXEC), 0);
    assert_true(p2m_view_is_open(w, gfn(8), ACCESS_ALL & ~ACCESS_READ));
    p2m_view_close(w);
    assert_int_equal(hardware_find(p2m_view_root(w, true), 8).access, 0);
    assert_false(p2m_view_is_open(w, gfn(8), ACCESS_WRITE));
    p2m_view_destroy(w);
}

/* A view splits what the map has as one large page, and a second step in the
 * same page finds it as the first left it. */
static void view_opens_a_part_of_a_superpage(void **state)
{
    struct p2m_view *w;
    mfn_t first;

    (void)state;
    assert_int_equal(p2m_populate(d, gfn(1024), 9), 0);
    assert_int_equal(rights_set(d, 1024, 512, RX), 0);
    assert_int_equal(p2m_lookup(&d->p2m, gfn(1100)).level, 2);
    first = p2m_lookup(&d->p2m, gfn(1024)).mfn;
    w = p2m_view_create(&d->p2m);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(p2m_view_open(w, gfn(1100), ACCESS_WRITE), 0);
        assert_int_equal(hardware_find(p2m_view_root(w, true), 1100).access,
                         ACCESS_ALL);
        assert_int_equal(hardware_find(p2m_view_root(w, true), 1101).access,
                         RX);
        assert_true(hardware_find(p2m_view_root(w, true), 1535).mfn.v ==
                    first.v + 511);
        p2m_view_close(w);
        assert_int_equal(hardware_find(p2m_view_root(w, true), 1100).access,
                         RX);
        assert_true(hardware_find(p2m_view_root(w, true), 1100).mfn.v ==
                    first.v + 76);
    }
    assert_int_equal(p2m_lookup(&d->p2m, gfn(1100)).level, 2);
    p2m_view_destroy(w);
}

static void view_bounds_and_missing_pages_are_refused(void **state)
{
    struct p2m_view *w = p2m_view_create(&d->p2m);

    (void)state;
    assert_int_equal(p2m_view_open(w, gfn(5000), ACCESS_READ), -RV_ENOENT);
    p2m_view_close(w);
    for (unsigned i = 0; i < P2M_VIEW_OPENINGS; i++) {
        assert_int_equal(p2m_view_open(w, gfn(i), ACCESS_READ), 0);
    }
    assert_int_equal(p2m_view_open(w, gfn(P2M_VIEW_OPENINGS), ACCESS_READ),
                     -RV_E2BIG);
    assert_int_equal(p2m_view_open(w, gfn(0), ACCESS_WRITE), 0);
    p2m_view_destroy(w);
}

/* A page that is taken away is gone from the view once it is renewed, and the
 * generation tells that it must be. */
static void view_follows_the_map_by_generation(void **state)
{
    struct p2m_view *w;
    struct p2m_locked p2m;

    (void)state;
    assert_int_equal(rights_set(d, 8, 1, ACCESS_READ), 0);
    w = p2m_view_create(&d->p2m);
    assert_int_equal(p2m_view_open(w, gfn(8), ACCESS_WRITE), 0);
    assert_int_equal(p2m_view_generation(w), d->p2m.generation);
    p2m = p2m_lock(&d->p2m);
    assert_int_equal(p2m_unmap(p2m, gfn(9), 0), 0);
    p2m_unlock(&p2m);
    assert_int_not_equal(p2m_view_generation(w), d->p2m.generation);
    assert_int_equal(p2m_view_renew(w, false), 0);
    assert_int_equal(hardware_find(p2m_view_root(w, true), 9).access, 0);
    assert_int_equal(hardware_find(p2m_view_root(w, true), 8).access, RW);
    p2m = p2m_lock(&d->p2m);
    assert_int_equal(p2m_unmap(p2m, gfn(8), 0), 0);
    p2m_unlock(&p2m);
    assert_int_equal(p2m_view_renew(w, false), -RV_ENOENT);
    assert_false(p2m_view_is_open(w, gfn(8), ACCESS_WRITE));
    p2m_view_destroy(w);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(access_set_each_kind_is_read_back),
        TEST(access_set_bad_arguments_change_nothing),
        TEST(access_set_range_passes_holes_over),
        TEST(access_set_superpage_splits_only_for_a_part),
        TEST(access_default_holds_for_new_pages),
        TEST(view_open_page_is_open_in_the_view_alone),
        TEST(view_opens_a_part_of_a_superpage),
        TEST(view_bounds_and_missing_pages_are_refused),
        TEST(view_follows_the_map_by_generation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
