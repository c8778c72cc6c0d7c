/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domains, calls and error book-keeping of the hypercall tests.
 */
#include "hypercall_fixture.h"

#include <stdio.h>
#include <string.h>

#include "public/xen.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/sched.h"
#include "ravelin/vconsole.h"
#include "ravelin/work.h"

#include "platform_cpuid.h"

#define TABLES_AT 0x40000u
#define RAM_BYTES FIXTURE_MIB(64)
#define ERRNO_MAX 128

struct domain *hc_domain[HC_WHO_COUNT];
static uint64_t frames_at_setup; /* free, before there is a domain */

/* ---- Errors seen ------------------------------------------------------- */

struct op_row {
    const char *call;
    const char *op;
    unsigned call_number;
    unsigned number;
    const char *errors;
    bool seen[ERRNO_MAX];
};

#define CALL_memory_op 12
#define CALL_set_timer_op 15
#define CALL_xen_version 17
#define CALL_console_io 18
#define CALL_vm_assist 21
#define CALL_vcpu_op 24
#define CALL_sched_op 29
#define CALL_event_channel_op 32
#define CALL_hvm_op 34
#define CALL_v4v_op 39
#define CALL_sysctl 35
#define CALL_domctl 36
#define CALL_monitor_op 55

static struct op_row op_rows[] = {
#define SUBOP(call, name, number, perm, arg, errors, text) \
    {#call, #name, CALL_##call, number, errors, {false}},
#include "../../src/hypercall/table.def"
};

static const struct {
    const char *name;
    int value;
} errno_names[] = {
#define E(name)          \
    {                    \
#name, RV_##name \
    }
    E(EPERM),  E(ENOENT), E(ESRCH),    E(E2BIG),        E(ENOMEM),
    E(EACCES), E(EFAULT), E(EBUSY),    E(EEXIST),       E(EINVAL),
    E(ENOSPC), E(ENOSYS), E(ENODATA),  E(ETIME),        E(EOPNOTSUPP),
    E(ENODEV), E(EAGAIN), E(EMSGSIZE), E(ECONNREFUSED),
#undef E
};

void hc_error_note(uint64_t nr, uint64_t op, long rc)
{
    if (nr == CALL_set_timer_op) {
        op = 0;
    } else if (nr == CALL_memory_op) {
        op &= 63;
    } else if (nr == CALL_v4v_op) {
        op &= 0xff;
    }
    for (size_t i = 0; i < ARRAY_SIZE(op_rows); i++) {
        struct op_row *r = &op_rows[i];

        if (r->call_number == nr && r->number == op && rc < 0 &&
            rc > -ERRNO_MAX) {
            r->seen[-rc] = true;
        }
    }
}

static bool is_documented(const struct op_row *r, const char *name)
{
    const char *at = r->errors;
    size_t n = strlen(name);

    while ((at = strstr(at, name)) != NULL) {
        if ((at == r->errors || at[-1] == ' ') &&
            (at[n] == '\0' || at[n] == ' ')) {
            return true;
        }
        at += n;
    }
    return false;
}

static unsigned row_mismatch(const struct op_row *r)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < ARRAY_SIZE(errno_names); i++) {
        bool documented = is_documented(r, errno_names[i].name);
        bool seen = r->seen[errno_names[i].value];

        if (documented != seen) {
            print_error("%s %s: %s is %s\n", r->call, r->op,
                        errno_names[i].name,
                        seen ? "returned but not documented"
                             : "documented but was not provoked");
            wrong++;
        }
    }
    return wrong;
}

void hc_errors_all_provoked(const char *call)
{
    unsigned wrong = 0;
    unsigned rows = 0;

    for (size_t i = 0; i < ARRAY_SIZE(op_rows); i++) {
        if (strcmp(op_rows[i].call, call) == 0) {
            wrong += row_mismatch(&op_rows[i]);
            rows++;
        }
    }
    assert_true(rows > 0);
    assert_int_equal(wrong, 0);
}

/* ---- Machine ----------------------------------------------------------- */

static struct domain *domain_make(const char *name, domid_t id, uint32_t roles)
{
    struct domain_config cfg = {
        .name = name,
        .id = id,
        .roles = roles,
        .vcpu_count = 2,
        .max_pages = (HC_RAM_END >> PAGE_SHIFT) + 64,
        .crash_policy = MANIFEST_CRASH_PRESERVE,
    };
    struct fixture_tables t;
    struct domain *d;

    assert_int_equal(domain_create(&cfg, &d), 0);
    fixture_ram_map(d, HC_RAM_END >> PAGE_SHIFT);
    fixture_identity_map(&t, d->vcpu[0], TABLES_AT, FIXTURE_MIB(4));
    assert_int_equal(vconsole_create(d), 0);
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        vcpu_pause(d->vcpu[i]);
    }
    d->vcpu[0]->is_initialised = true;
    assert_int_equal(vcpu_up(d->vcpu[0]), 0);
    assert_int_equal(domain_unpause(d), 0);
    return d;
}

int hc_setup(void **state)
{
    (void)state;
    fixture_machine_create(1, RAM_BYTES);
    assert_int_equal(sched_cpu_init(cpu_by_id(0)), 0);
    platform_cpuid_use(CPUID_VENDOR_AMD);
    frames_at_setup = frame_free_count();
    hc_domain[HC_PLAIN] = domain_make("plain", 5, 0);
    hc_domain[HC_CONTROL] = domain_make("control", 3, ROLE_CONTROL);
    hc_domain[HC_HARDWARE] = domain_make("hardware", 4, ROLE_HARDWARE);
    return 0;
}

static void domain_end(struct domain *d)
{
    unsigned turns = 0;
    int rc;

    do {
        assert_true(turns++ < 10000);
        rc = domain_destroy(d);
        fixture_quiesce();
    } while (rc == -RV_ERESTART);
    assert_int_equal(rc, 0);
}

int hc_teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HC_WHO_COUNT; i++) {
        domain_end(hc_domain[i]);
    }
    while (work_is_pending()) {
        work_run();
        fixture_quiesce();
    }
    fixture_quiesce();
    assert_int_equal(domain_count(), 0);
    assert_int_equal(frame_free_count(), frames_at_setup);
    return 0;
}

struct vcpu *hc_vcpu(enum hc_who who, unsigned id)
{
    return hc_domain[who]->vcpu[id];
}

/* ---- Calls ------------------------------------------------------------- */

/* Only the vCPU that makes a call is ever runnable: the scheduler picks it. */
static void vcpu_on(struct vcpu *v)
{
    vcpu_unpause(v);
    assert_ptr_equal(sched_pick(), v);
}

static void vcpu_off(struct vcpu *v)
{
    vcpu_pause(v);
    assert_null(sched_pick());
}

long hc_call(enum hc_who who, bool is_32bit, uint64_t nr, uint64_t a0,
             uint64_t a1, uint64_t a2)
{
    struct vcpu *v = hc_vcpu(who, 0);
    uint32_t cmd = (uint32_t)a0;
    long rc;

    if (nr == CALL_domctl || nr == CALL_sysctl) {
        cmd = UINT32_MAX;
        if (a0 < HC_RAM_END) {
            hc_get(who, a0, &cmd, sizeof(cmd));
        }
    }
    vcpu_on(v);
    if (is_32bit) {
        rc = (int32_t)fixture_hypercall32(v, (uint32_t)nr, (uint32_t)a0,
                                          (uint32_t)a1, (uint32_t)a2, 0, 0);
    } else {
        rc = (long)fixture_hypercall(v, nr, a0, a1, a2, 0, 0);
    }
    vcpu_off(v);
    hc_error_note(nr, cmd, rc);
    return rc;
}

static long hc_any(enum hc_who who, bool is_32bit, uint64_t nr, uint64_t op,
                   void *arg, size_t n)
{
    bool in_struct = nr == CALL_domctl || nr == CALL_sysctl;
    long rc;

    hc_put(who, HC_ARG, arg, n);
    rc = in_struct ? hc_call(who, is_32bit, nr, HC_ARG, 0, 0)
                   : hc_call(who, is_32bit, nr, op, HC_ARG, 0);
    hc_get(who, HC_ARG, arg, n);
    return rc;
}

long hc(enum hc_who who, uint64_t nr, uint64_t op, void *arg, size_t n)
{
    return hc_any(who, false, nr, op, arg, n);
}

long hc32(enum hc_who who, uint64_t nr, uint64_t op, void *arg, size_t n)
{
    return hc_any(who, true, nr, op, arg, n);
}

long hc_vcpu_op(enum hc_who who, uint64_t op, uint64_t id, void *arg, size_t n)
{
    long rc;

    hc_put(who, HC_ARG, arg, n);
    rc = hc_call(who, false, __HYPERVISOR_vcpu_op, op, id, HC_ARG);
    hc_get(who, HC_ARG, arg, n);
    return rc;
}

void hc_put(enum hc_who who, uint64_t at, const void *data, size_t n)
{
    if (n != 0) {
        fixture_phys_put(hc_domain[who], at, data, n);
    }
}

void hc_get(enum hc_who who, uint64_t at, void *data, size_t n)
{
    if (n != 0) {
        fixture_phys_get(hc_domain[who], data, at, n);
    }
}

void hc_alloc_fail(void)
{
    frame_pool_fail_after(0);
}

void hc_alloc_heal(void)
{
    frame_pool_fail_after(-1);
}
