/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another CPU does between two steps of ours. The test stands in front of
 * the functions that take or release what both want, and lets the other CPU go
 * first exactly there.
 */
#include "v4v_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "arch_inline.h"
#include "public/hvm/params.h"
#include "public/mem_event.h"
#include "public/memory.h"
#include "public/vcpu.h"
#include "ravelin/frame_pool.h"
#include "ravelin/hypercall.h"
#include "ravelin/monitor.h"
#include "ravelin/monitor_control.h"
#include "ravelin/p2m.h"
#include "ravelin/sched.h"
#include "ravelin/vmexit.h"

#define PAGE_GFN ((VT_RING >> PAGE_SHIFT) + 1)
#define OTHER_ARG (VT_DATA + 256)

struct p2m_locked __real_p2m_lock(struct p2m *p2m);
void __real_p2m_unlock(struct p2m_locked *held);
void __real_vcpu_flags_clear(struct vcpu *v, uint32_t flags);
struct p2m_locked __wrap_p2m_lock(struct p2m *p2m);
void __wrap_p2m_unlock(struct p2m_locked *held);
void __wrap_vcpu_flags_clear(struct vcpu *v, uint32_t flags);

static struct domain *guest;

/* What happens at the next of these calls for the guest; NULL: nothing. */
static void (*before_lock)(void);
static void (*after_unlock)(void);
static void (*before_clear)(void);

/* Takes it out first: it may come back here. */
static void once(void (**what)(void))
{
    void (*fn)(void) = *what;

    *what = NULL;
    if (fn) {
        fn();
    }
}

struct p2m_locked __wrap_p2m_lock(struct p2m *p2m)
{
    if (guest && p2m == &guest->p2m) {
        once(&before_lock);
    }
    return __real_p2m_lock(p2m);
}

void __wrap_p2m_unlock(struct p2m_locked *held)
{
    bool ours = guest && held->p2m == &guest->p2m;

    __real_p2m_unlock(held);
    if (ours) {
        once(&after_unlock);
    }
}

void __wrap_vcpu_flags_clear(struct vcpu *v, uint32_t flags)
{
    if (v->domain == guest) {
        once(&before_clear);
    }
    __real_vcpu_flags_clear(v, flags);
}

static int setup(void **state)
{
    (void)state;
    vt_machine_create(2);
    vt_detector_on = false; /* a call in the middle of another one */
    guest = vt_domain_plain(5);
    return 0;
}

static int teardown(void **state)
{
    guest = NULL;
    before_lock = after_unlock = before_clear = NULL;
    vt_detector_on = true;
    return vt_teardown(state);
}

static long call(struct vcpu *v, uint64_t nr, uint64_t a0, uint64_t a1,
                 uint64_t a2)
{
    const struct vmexit exit = {
        .reason = VMEXIT_HYPERCALL, .insn_len = 3, .code_bits = 64};

    v->regs.gpr[REG_RAX] = nr;
    v->regs.gpr[REG_RDI] = a0;
    v->regs.gpr[REG_RSI] = a1;
    v->regs.gpr[REG_RDX] = a2;
    hypercall_dispatch(v, &exit);
    return (long)v->regs.gpr[REG_RAX];
}

/* ---- Moving a page ------------------------------------------------------ */

static long move(struct vcpu *v, uint64_t arg, uint64_t from, uint64_t to)
{
    const struct xen_add_to_physmap r = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn,
        .idx = from,
        .gpfn = to,
    };

    fixture_phys_put(v->domain, arg, &r, sizeof(r));
    return call(v, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, arg, 0);
}

static void other_moves_it(void)
{
    assert_int_equal(move(guest->vcpu[1], OTHER_ARG, 0x200, 0x501), 0);
}

static void move_of_a_page_that_another_vcpu_moves_leaves_one_page(void **state)
{
    mfn_t m = p2m_lookup(&guest->p2m, gfn(0x200)).mfn;
    uint32_t refs = frame_ref_count(m);

    (void)state;
    before_lock = other_moves_it;
    assert_int_equal(move(guest->vcpu[0], VT_DATA, 0x200, 0x500), -RV_ENOENT);
    fixture_quiesce();
    assert_int_equal(p2m_lookup(&guest->p2m, gfn(0x500)).type, P2M_NONE);
    assert_int_equal(p2m_lookup(&guest->p2m, gfn(0x501)).mfn.v, m.v);
    assert_int_equal(frame_ref_count(m), refs);
}

/* ---- Pinning a page that becomes a monitor's ring ----------------------- */

static struct domain *listener;
static struct monitor *monitor;
static int attached;

static void monitor_attaches(void)
{
    const struct monitor_attach_request how = {
        .listener = listener,
        .format = &monitor_format_mem_event,
        .slot_size = sizeof(struct mem_event_st),
        .slots = MEM_EVENT_RING_SIZE,
        .page_count = 1,
    };

    fixture_cpu_become(1);
    attached = monitor_attach(monitor, &how);
    fixture_cpu_become(0);
}

static void monitor_prepare(void)
{
    attached = 1;
    listener = vt_domain(&(struct vt_setup){.id = 3, .roles = ROLE_CONTROL});
    guest->hvm_param[HVM_PARAM_MONITOR_RING_PFN] = PAGE_GFN;
    assert_int_equal(monitor_get(guest, &monitor), 0);
}

static long ring_register(void)
{
    struct vt_ring r = {guest, VT_RING, 1, 5, 2 * PAGE_SIZE - 64, false};

    return vt_register(&r);
}

static long info_register(void)
{
    const struct vcpu_register_vcpu_info r = {.mfn = PAGE_GFN};

    fixture_phys_put(guest, VT_DATA, &r, sizeof(r));
    return call(guest->vcpu[0], __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info,
                0, VT_DATA);
}

/* Either the monitor has the page or the hypervisor writes it for the guest,
 * never both. */
static void ring_page_that_a_monitor_takes_is_not_pinned(void **state)
{
    (void)state;
    monitor_prepare();
    before_lock = monitor_attaches;
    assert_int_equal(ring_register(), -RV_EINVAL);
    assert_int_equal(attached, 0);
}

static void ring_page_that_has_just_been_pinned_is_not_taken(void **state)
{
    (void)state;
    monitor_prepare();
    after_unlock = monitor_attaches;
    assert_int_equal(ring_register(), 0);
    assert_int_equal(attached, -RV_EBUSY);
    assert_int_equal(p2m_lookup(&guest->p2m, gfn(PAGE_GFN)).type, P2M_RAM);
}

static void vcpu_info_page_that_a_monitor_takes_is_not_used(void **state)
{
    (void)state;
    monitor_prepare();
    before_lock = monitor_attaches;
    assert_int_equal(info_register(), -RV_EINVAL);
    assert_int_equal(attached, 0);
    assert_true(mfn_is_invalid(guest->vcpu[0]->vcpu_info_mfn));
}

static void vcpu_info_page_that_has_just_been_used_is_not_taken(void **state)
{
    (void)state;
    monitor_prepare();
    after_unlock = monitor_attaches;
    assert_int_equal(info_register(), 0);
    assert_int_equal(attached, -RV_EBUSY);
}

/* ---- Resuming a domain -------------------------------------------------- */

#define WAIT_NS 100000000L

static pthread_t other_cpu;
static sem_t other_done;

static void *shutdown_thread(void *arg)
{
    (void)arg;
    fixture_cpu_become(1);
    domain_shutdown(guest, SHUTDOWN_POWEROFF);
    sem_post(&other_done);
    return NULL;
}

/* If nothing holds the other CPU up it is done before this returns. */
static void other_shuts_it_down(void)
{
    struct timespec t;

    assert_int_equal(pthread_create(&other_cpu, NULL, shutdown_thread, NULL),
                     0);
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &t), 0);
    t.tv_nsec += WAIT_NS;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    sem_timedwait(&other_done, &t);
}

static void resume_with_a_shutdown_meanwhile_runs_no_vcpu(void **state)
{
    (void)state;
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        guest->vcpu[i]->is_initialised = true;
        assert_int_equal(vcpu_up(guest->vcpu[i]), 0);
    }
    assert_int_equal(domain_unpause(guest), 0);
    domain_shutdown(guest, SHUTDOWN_SUSPEND);
    assert_int_equal(sem_init(&other_done, 0, 0), 0);
    before_clear = other_shuts_it_down;
    assert_int_equal(domain_resume(guest), 0);
    assert_int_equal(pthread_join(other_cpu, NULL), 0);
    assert_int_equal(guest->state, DOMAIN_SHUTDOWN);
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        assert_true((guest->vcpu[i]->flags & VCPU_DEAD) != 0);
    }
    fixture_cpu_become(0);
    assert_null(sched_pick());
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(move_of_a_page_that_another_vcpu_moves_leaves_one_page),
        T(ring_page_that_a_monitor_takes_is_not_pinned),
        T(ring_page_that_has_just_been_pinned_is_not_taken),
        T(vcpu_info_page_that_a_monitor_takes_is_not_used),
        T(vcpu_info_page_that_has_just_been_used_is_not_taken),
        T(resume_with_a_shutdown_meanwhile_runs_no_vcpu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
