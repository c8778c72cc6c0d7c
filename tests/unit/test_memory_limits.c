/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of the machine a domain can hold by giving back and taking, or by
 * scattering what it has; and that watching it does not depend on that.
 */
#include "v4v_fixture.h"

#include "arch_inline.h"
#include "public/memory.h"
#include "ravelin/frame_pool.h"
#include "ravelin/p2m.h"
#include "ravelin/quiesce.h"

#define FAR_GFN 0x100000u
#define ROOM 512u
#define LIST_LENGTH 64u
/* Pages that are on their way, of the call that is served last. */
#define SLACK 128u

static struct domain *guest;

static int setup(void **state)
{
    (void)state;
    vt_machine_create(2);
    guest = vt_domain_plain(5);
    guest->max_pages = guest->page_count + ROOM;
    fixture_quiesce();
    return 0;
}

static long memory_op(struct domain *d, uint64_t op, const void *arg, size_t n)
{
    fixture_phys_put(d, VT_DATA, arg, n);
    return (long)fixture_hypercall(d->vcpu[0], __HYPERVISOR_memory_op, op,
                                   VT_DATA, 0, 0, 0);
}

/* A call that vt_step() makes, with the argument that is at VT_DATA. */
static void call_begin(uint64_t op)
{
    struct vcpu_regs *regs = &guest->vcpu[0]->regs;

    regs->gpr[REG_RAX] = __HYPERVISOR_memory_op;
    regs->gpr[REG_RDI] = op;
    regs->gpr[REG_RSI] = VT_DATA;
}

/* 2 MiB at `g`. */
static void resize(struct domain *d, uint64_t op, uint64_t g)
{
    const struct xen_memory_reservation r = {
        .extent_start = {VT_DATA + 64},
        .nr_extents = 1,
        .extent_order = 9,
        .domid = DOMID_SELF,
    };

    fixture_phys_put(d, VT_DATA + 64, &g, sizeof(g));
    assert_int_equal(memory_op(d, op, &r, sizeof(r)), 1);
}

static void giving_and_taking_stays_in_the_limit(void **state)
{
    uint64_t before = frame_free_count();
    uint64_t least = before;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        resize(guest, XENMEM_populate_physmap, FAR_GFN);
        resize(guest, XENMEM_decrease_reservation, FAR_GFN);
        least = rv_min(least, frame_free_count());
    }
    assert_true(before - least <= ROOM + DOMAIN_LEAVING_MAX + SLACK);
    fixture_quiesce();
    assert_int_equal(frame_free_count(), before);
    assert_int_equal(guest->leaving_count, 0);
}

/* While another CPU holds everything up. */
static void what_leaves_is_waited_for_by_who_gave_it(void **state)
{
    struct domain *other = vt_domain_plain(6);
    long rc;

    (void)state;
    other->max_pages = other->page_count + ROOM;
    guest->max_pages = guest->page_count + 3 * ROOM;
    for (uint64_t i = 0; i < 3; i++) {
        resize(guest, XENMEM_populate_physmap, FAR_GFN + i * ROOM);
    }
    fixture_cpu_become(1);
    fixture_cpu_become(0);
    for (uint64_t i = 0; i < 3; i++) {
        resize(guest, XENMEM_decrease_reservation, FAR_GFN + i * ROOM);
    }
    assert_true(guest->leaving_count > DOMAIN_LEAVING_MAX);
    resize(other, XENMEM_populate_physmap, FAR_GFN);
    /* The call has to be continued. */
    call_begin(XENMEM_populate_physmap);
    assert_false(vt_step(guest->vcpu[0], &rc));
    assert_false(vt_step(guest->vcpu[0], &rc));
    assert_int_equal(guest->page_count, guest->max_pages - 3 * ROOM);
    fixture_quiesce();
    resize(guest, XENMEM_populate_physmap, FAR_GFN);
}

static uint64_t place_of(uint64_t i)
{
    return (i % 2 + 1) << 27;
}

/* A page that is put here and there, while another CPU holds everything up:
 * each move makes three tables and leaves three empty. */
static void batch_begin(void)
{
    const struct xen_add_to_physmap_batch r = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn,
        .size = LIST_LENGTH,
        .idxs = {VT_DATA + 0x1000},
        .gpfns = {VT_DATA + 0x2000},
        .errs = {VT_DATA + 0x3000},
    };

    fixture_phys_put(guest, VT_DATA, &r, sizeof(r));
    call_begin(XENMEM_add_to_physmap_batch);
}

static void tables_given_back_stay_in_the_limit(void **state)
{
    uint64_t before = frame_free_count();
    unsigned ended = 0;
    long rc;

    (void)state;
    for (uint64_t i = 0; i < LIST_LENGTH; i++) {
        uint64_t from = place_of(i);
        uint64_t to = place_of(i + 1);

        fixture_phys_put(guest, VT_DATA + 0x1000 + i * 8, &from, 8);
        fixture_phys_put(guest, VT_DATA + 0x2000 + i * 8, &to, 8);
    }
    assert_int_equal(p2m_populate(guest, gfn(place_of(0)), 0), 0);
    fixture_cpu_become(1);
    fixture_cpu_become(0);
    batch_begin();
    for (unsigned i = 0; i < 400; i++) {
        if (vt_step(guest->vcpu[0], &rc)) {
            assert_int_equal(rc, 0);
            ended++;
            batch_begin();
        }
        assert_true(before - frame_free_count() <=
                    DOMAIN_LEAVING_MAX + 2 * SLACK);
    }
    assert_true(ended > 0);
    fixture_quiesce();
    assert_int_equal(guest->leaving_count, 0);
}

/* ---- Tables for a monitor ---------------------------------------------- */

/* Moves pages so far apart that each takes a table of its own. */
static void tables_use_up(void)
{
    struct xen_add_to_physmap r = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn,
    };
    unsigned moved = 0;
    long rc;

    do {
        r.idx = 0x200 + moved;
        r.gpfn = FAR_GFN + moved * 512u;
        rc = memory_op(guest, XENMEM_add_to_physmap, &r, sizeof(r));
        moved += rc == 0;
        assert_true(moved < ROOM);
    } while (rc == 0);
    assert_int_equal(rc, -RV_ENOMEM);
}

static void watching_works_whatever_the_domain_has_mapped(void **state)
{
    struct p2m_locked p2m;
    uint8_t mode;
    gfn_t next;

    (void)state;
    assert_int_equal(p2m_populate(guest, gfn(8192), 9), 0);
    assert_int_equal(p2m_lookup(&guest->p2m, gfn(8192)).level, 2);
    tables_use_up();
    p2m = p2m_lock(&guest->p2m);
    assert_int_equal(
        p2m_access_range_set(p2m, gfn(8192 + 16), 4, ACCESS_READ, &next), 0);
    p2m_unlock(&p2m);
    assert_int_equal(p2m_access_get(&guest->p2m, gfn(8192 + 16), &mode), 0);
    assert_int_equal(mode, ACCESS_READ);
    assert_int_equal(p2m_lookup(&guest->p2m, gfn(8192)).access, ACCESS_ALL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, vt_teardown)
    const struct CMUnitTest tests[] = {
        T(giving_and_taking_stays_in_the_limit),
        T(what_leaves_is_waited_for_by_who_gave_it),
        T(tables_given_back_stay_in_the_limit),
        T(watching_works_whatever_the_domain_has_mapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
