/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parameters of HVM domains. One row says who may read and write a parameter,
 * which values it takes and what a new value does. A parameter without a row
 * does not exist.
 *
 * Threat surface: index and value, from the domain itself or from a control
 * domain. What would weaken a domain's supervision can only be set from
 * outside.
 */
#include "public/hvm/params.h"

#include "public/hvm/hvm_op.h"

#include "handlers.h"
#include "ravelin/evtchn.h"
#include "ravelin/monitor_control.h"
#include "ravelin/time_info.h"
#include "ravelin/vconsole.h"

enum param_flag {
    SELF_GET = 1 << 0,  /* the domain may read its own */
    SELF_SET = 1 << 1,  /* and write it */
    OTHER_GET = 1 << 2, /* a control domain may */
    OTHER_SET = 1 << 3,
    ONCE = 1 << 4,  /* from 0 to something, never again */
    WATCH = 1 << 5, /* a domain's watch: for who may watch it, not itself */
};
#define ALL_GET (SELF_GET | OTHER_GET)
#define ALL_SET (SELF_SET | OTHER_SET)

struct param {
    uint8_t flags;
    /* May this value be stored? */
    bool (*is_valid)(uint64_t value);
    /* Makes it so; `d` is locked. */
    int (*apply)(struct domain *d, uint64_t value);
};

#define CALLBACK_TYPE_SHIFT 56
#define VECTOR_MIN 16u
#define TSS_SIZE_MIN 104u

static bool callback_is_vector(uint64_t value)
{
    return value >> CALLBACK_TYPE_SHIFT == HVM_PARAM_CALLBACK_TYPE_VECTOR;
}

/* A GSI or PCI line is accepted as well: guests that take their upcalls
 * through the local APIC name one as a sign that they are Xen-aware. There is
 * no such line to raise. */
static bool callback_is_valid(uint64_t value)
{
    uint64_t vector = value & 0xff;

    if (!callback_is_vector(value)) {
        return value >> CALLBACK_TYPE_SHIFT < HVM_PARAM_CALLBACK_TYPE_VECTOR;
    }
    return (value & ~HVM_PARAM_CALLBACK_IRQ_TYPE_MASK) == vector &&
           vector >= VECTOR_MIN;
}

static int callback_apply(struct domain *d, uint64_t value)
{
    evtchn_callback_vector_set(d,
                               callback_is_vector(value) ? (uint8_t)value : 0);
    return 0;
}

static bool address32_is_valid(uint64_t value)
{
    return value >> 32 == 0;
}

static bool page32_is_valid(uint64_t value)
{
    return value >> 32 == 0 && value % PAGE_SIZE == 0;
}

/* Address in the low, size in the high half. */
static bool tss_is_valid(uint64_t value)
{
    uint64_t size = value >> 32;
    uint64_t address = value & 0xffffffffu;

    return value == 0 || (size >= TSS_SIZE_MIN && address + size <= 1ULL << 32);
}

/* Only S0, working: there is no sleep to go to. */
static bool s_state_is_valid(uint64_t value)
{
    return value == 0;
}

static int console_apply(struct domain *d, uint64_t value)
{
    return vconsole_ring_attach(d, gfn(value));
}

static const struct param params[HVM_NR_PARAMS] = {
    [HVM_PARAM_CALLBACK_IRQ] = {ALL_GET | ALL_SET, callback_is_valid,
                                callback_apply},
    [HVM_PARAM_STORE_PFN] = {ALL_GET | OTHER_SET | ONCE, NULL, NULL},
    [HVM_PARAM_STORE_EVTCHN] = {ALL_GET | OTHER_SET | ONCE, NULL, NULL},
    [HVM_PARAM_IDENT_PT] = {ALL_GET | OTHER_SET, page32_is_valid, NULL},
    [HVM_PARAM_ACPI_S_STATE] = {ALL_GET | ALL_SET, s_state_is_valid, NULL},
    [HVM_PARAM_VM86_TSS] = {ALL_GET | ALL_SET, address32_is_valid, NULL},
    [HVM_PARAM_VM86_TSS_SIZED] = {ALL_GET | ALL_SET, tss_is_valid, NULL},
    [HVM_PARAM_CONSOLE_PFN] = {ALL_GET | OTHER_SET | ONCE, NULL, console_apply},
    [HVM_PARAM_CONSOLE_EVTCHN] = {ALL_GET, NULL, NULL},
    [HVM_PARAM_VM_GENERATION_ID_ADDR] = {ALL_GET | ALL_SET, NULL, NULL},
    [HVM_PARAM_MEMORY_EVENT_CR0] = {WATCH, NULL, NULL},
    [HVM_PARAM_MEMORY_EVENT_CR3] = {WATCH, NULL, NULL},
    [HVM_PARAM_MEMORY_EVENT_CR4] = {WATCH, NULL, NULL},
    [HVM_PARAM_MEMORY_EVENT_INT3] = {WATCH, NULL, NULL},
    [HVM_PARAM_MEMORY_EVENT_SINGLE_STEP] = {WATCH, NULL, NULL},
    [HVM_PARAM_MEMORY_EVENT_MSR] = {WATCH, NULL, NULL},
    [HVM_PARAM_MONITOR_RING_PFN] = {WATCH | OTHER_GET | OTHER_SET, NULL, NULL},
};

/* The reason that a parameter switches; 0: it is no such switch. */
static unsigned reason_of(uint32_t index)
{
    switch (index) {
    case HVM_PARAM_MEMORY_EVENT_CR0:
        return RAVELIN_REASON_CR0;
    case HVM_PARAM_MEMORY_EVENT_CR3:
        return RAVELIN_REASON_CR3;
    case HVM_PARAM_MEMORY_EVENT_CR4:
        return RAVELIN_REASON_CR4;
    case HVM_PARAM_MEMORY_EVENT_INT3:
        return RAVELIN_REASON_INT3;
    case HVM_PARAM_MEMORY_EVENT_SINGLE_STEP:
        return RAVELIN_REASON_STEP;
    case HVM_PARAM_MEMORY_EVENT_MSR:
        return RAVELIN_REASON_MSR;
    default:
        return 0;
    }
}

static int decode_param(struct vcpu *v, struct hypercall_args *a,
                        struct xen_hvm_param *req, struct domain **d)
{
    bool is_known;
    int rc;

    if (arg_copy_in(v, a, 1, req, sizeof(*req)) != 0) {
        return -RV_EFAULT;
    }
    is_known = req->index < ARRAY_SIZE(params) && params[req->index].flags != 0;
    if (is_known && (params[req->index].flags & WATCH) != 0) {
        a->perm = PERM_MONITOR;
    }
    rc = target_find(v, a, req->domid, d);
    return rc != 0 ? rc : is_known ? 0 : -RV_EINVAL;
}

static int param_permit(const struct vcpu *v, const struct domain *d,
                        const struct param *p, uint8_t self, uint8_t other)
{
    uint8_t need = d == v->domain ? self : other;

    return (p->flags & need) != 0 ? 0 : -RV_EPERM;
}

/* What is not listened to has mode 0, whether or not anybody is attached. */
static uint64_t switch_get(struct domain *d, unsigned reason)
{
    struct monitor *m = monitor_of(d);

    return m ? monitor_mode_get(m, reason) : 0;
}

static int switch_set(struct domain *d, unsigned reason, uint64_t value)
{
    struct monitor *m = monitor_of(d);

    if (value >> 32 || !monitor_mode_is_valid(reason, (uint32_t)value)) {
        return -RV_EINVAL;
    }
    return m ? monitor_listen(m, reason, (uint32_t)value) : -RV_ENOENT;
}

long hvm_op_get_param(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_hvm_param req;
    struct domain *d;
    int rc = decode_param(v, a, &req, &d);

    if (rc != 0) {
        return rc;
    }
    if (reason_of(req.index) != 0) {
        req.value = switch_get(d, reason_of(req.index));
        return arg_copy_out(v, a, 1, &req, sizeof(req));
    }
    rc = param_permit(v, d, &params[req.index], SELF_GET, OTHER_GET);
    if (rc != 0) {
        return rc;
    }
    req.value = read_once(d->hvm_param[req.index]);
    return arg_copy_out(v, a, 1, &req, sizeof(req));
}

static int invoke_set(struct domain *d, const struct xen_hvm_param *req)
{
    const struct param *p = &params[req->index];
    int rc = 0;

    if (p->apply == console_apply) {
        return p->apply(d, req->value);
    }
    spin_lock(&d->lock);
    if ((p->flags & ONCE) != 0 && d->hvm_param[req->index] != 0) {
        rc = -RV_EEXIST;
    } else {
        write_once(d->hvm_param[req->index], req->value);
        if (p->apply != NULL) {
            rc = p->apply(d, req->value);
        }
    }
    spin_unlock(&d->lock);
    return rc;
}

long hvm_op_set_param(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_hvm_param req;
    struct domain *d;
    int rc = decode_param(v, a, &req, &d);

    if (rc != 0) {
        return rc;
    }
    if (reason_of(req.index) != 0) {
        return switch_set(d, reason_of(req.index), req.value);
    }
    rc = param_permit(v, d, &params[req.index], SELF_SET, OTHER_SET);
    if (rc != 0) {
        return rc;
    }
    if (params[req.index].is_valid != NULL &&
        !params[req.index].is_valid(req.value)) {
        return -RV_EINVAL;
    }
    rc = invoke_set(d, &req);
    if (rc == 0 && req.index == HVM_PARAM_CALLBACK_IRQ && d == v->domain) {
        domain_abi_latch(d, a->is_32bit);
    }
    return rc;
}
