/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page from which a monitor has taken the right to write: nothing that its
 * domain can ask the hypervisor for writes it.
 */
#include "v4v_fixture.h"

#include "public/memory.h"
#include "public/vcpu.h"
#include "ravelin/msr_policy.h"
#include "ravelin/p2m.h"

#define WATCHED_GFN ((VT_RING >> PAGE_SHIFT) + 1)
#define WATCHED (WATCHED_GFN << PAGE_SHIFT)
#define MSR_HYPERCALL_PAGE 0x40000000u

static struct domain *guest;
static uint8_t before[PAGE_SIZE];

static void protect(struct domain *d, uint8_t rights)
{
    struct p2m_locked p2m = p2m_lock(&d->p2m);

    assert_int_equal(p2m_access_set(p2m, gfn(WATCHED_GFN), rights), 0);
    p2m_unlock(&p2m);
}

static int setup(void **state)
{
    (void)state;
    vt_machine_create(1);
    guest = vt_domain_plain(5);
    fixture_phys_get(guest, before, WATCHED, sizeof(before));
    protect(guest, ACCESS_READ | ACCESS_EXEC);
    return 0;
}

static void unchanged_check(void)
{
    uint8_t after[PAGE_SIZE];

    fixture_phys_get(guest, after, WATCHED, sizeof(after));
    assert_memory_equal(before, after, sizeof(after));
}

static void ring_with_a_watched_page_is_refused(void **state)
{
    static const uint8_t rights[] = {0, ACCESS_READ, ACCESS_WRITE,
                                     ACCESS_READ | ACCESS_EXEC,
                                     ACCESS_WRITE | ACCESS_EXEC};
    struct vt_ring r = {guest, VT_RING, 1, 5, 2 * PAGE_SIZE - 64, false};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rights); i++) {
        protect(guest, rights[i]);
        assert_int_equal(vt_register(&r), -RV_EINVAL);
        assert_int_equal(vt_send(guest, 2, 5, 1, 7, 8000), -RV_ECONNREFUSED);
        unchanged_check();
    }
    protect(guest, ACCESS_READ | ACCESS_WRITE);
    assert_int_equal(vt_register(&r), 0);
    /* What was pinned before it was restricted stays usable. */
    protect(guest, ACCESS_READ);
    assert_int_equal(vt_send(guest, 2, 5, 1, 7, 8000), 8000);
}

static long info_register(void)
{
    const struct vcpu_register_vcpu_info r = {.mfn = WATCHED_GFN, .offset = 64};

    fixture_phys_put(guest, VT_DATA, &r, sizeof(r));
    return (long)fixture_hypercall(guest->vcpu[0], __HYPERVISOR_vcpu_op,
                                   VCPUOP_register_vcpu_info, 0, VT_DATA, 0, 0);
}

static void vcpu_info_on_a_watched_page_is_refused(void **state)
{
    (void)state;
    assert_int_equal(info_register(), -RV_EINVAL);
    unchanged_check();
    protect(guest, ACCESS_ALL);
    assert_int_equal(info_register(), 0);
}

static void hypercall_page_on_a_watched_page_is_refused(void **state)
{
    struct vcpu *v = guest->vcpu[0];
    struct p2m_locked p2m;

    (void)state;
    assert_int_not_equal(msr_policy_write(v, MSR_HYPERCALL_PAGE, WATCHED), 0);
    unchanged_check();
    /* Also if new pages would have no more rights. */
    p2m = p2m_lock(&guest->p2m);
    assert_int_equal(p2m_access_default_set(p2m, ACCESS_READ | ACCESS_EXEC), 0);
    p2m_unlock(&p2m);
    assert_int_not_equal(msr_policy_write(v, MSR_HYPERCALL_PAGE, WATCHED), 0);
    unchanged_check();
    protect(guest, ACCESS_ALL);
    assert_int_equal(msr_policy_write(v, MSR_HYPERCALL_PAGE, WATCHED), 0);
}

/* A second mapping of one's own page would have rights of its own. */
static void own_memory_is_not_foreign(void **state)
{
    const uint64_t idx = WATCHED_GFN;
    const uint64_t at = 0x1000;
    struct xen_add_to_physmap_batch r = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn_foreign,
        .size = 1,
        .idxs = {VT_DATA + 128},
        .gpfns = {VT_DATA + 136},
        .errs = {VT_DATA + 144},
    };
    struct domain *control =
        vt_domain(&(struct vt_setup){.id = 3, .roles = ROLE_CONTROL});
    const domid_t names[] = {DOMID_SELF, control->id};

    (void)state;
    protect(control, ACCESS_READ | ACCESS_EXEC);
    fixture_phys_put(control, VT_DATA + 128, &idx, sizeof(idx));
    fixture_phys_put(control, VT_DATA + 136, &at, sizeof(at));
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        r.u.foreign_domid = names[i];
        fixture_phys_put(control, VT_DATA, &r, sizeof(r));
        assert_int_equal((long)fixture_hypercall(
                             control->vcpu[0], __HYPERVISOR_memory_op,
                             XENMEM_add_to_physmap_batch, VT_DATA, 0, 0, 0),
                         -RV_EINVAL);
        assert_int_equal(p2m_lookup(&control->p2m, gfn(at)).type, P2M_NONE);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, vt_teardown)
    const struct CMUnitTest tests[] = {
        T(ring_with_a_watched_page_is_refused),
        T(vcpu_info_on_a_watched_page_is_refused),
        T(hypercall_page_on_a_watched_page_is_refused),
        T(own_memory_is_not_foreign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
