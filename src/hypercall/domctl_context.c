/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl gethvmcontext and sethvmcontext: the processor state of a paused
 * domain. Served are the records HEADER, CPU and END; an event that waits to be
 * delivered is not part of them.
 *
 * Threat surface: the buffer of sethvmcontext. It is read once, as a whole;
 * every record is checked before the first is loaded.
 */
#include "domctl.h"
#include "ravelin/frame_pool.h"
#include "ravelin/hvm_context.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"

#define BUFFER_ORDER 4u /* pages: enough for every record of 32 vCPUs */
#define BUFFER_SIZE (PAGE_SIZE << BUFFER_ORDER)
#define MXCSR_OFFSET 24u
#define MXCSR_ALLOWED 0xffffu
#define XSAVE_HEADER 512u /* offset of XSTATE_BV */
#define XSTATE_LEGACY 3u  /* x87, SSE */

static_assert(VCPU_COUNT_MAX * (sizeof(struct hvm_save_descriptor) +
                                sizeof(struct hvm_hw_cpu)) +
                      256 <
                  BUFFER_SIZE,
              "sethvmcontext's buffer takes a whole domain");

static bool all_settled(const struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        if (!vcpu_is_settled(d->vcpu[i])) {
            return false;
        }
    }
    return true;
}

/* Adds a pause of our own to the caller's, so that nobody can start the domain
 * before rest_end(). 0; -EINVAL the caller has not paused it; -ERESTART paused,
 * but not at rest yet. */
static int rest_begin(struct domain *d)
{
    bool paused;

    spin_lock(&d->lock);
    paused = d->pause_count != 0;
    spin_unlock(&d->lock);
    if (!paused) {
        return -RV_EINVAL;
    }
    domain_pause_sync(d);
    if (all_settled(d)) {
        return 0;
    }
    (void)domain_unpause(d);
    return -RV_ERESTART;
}

static void rest_end(struct domain *d)
{
    (void)domain_unpause(d);
}

/* ---- Reading ---------------------------------------------------------- */

static void record_fill(const struct vcpu *v, struct hvm_hw_cpu *rec)
{
    struct vcpu_state state;

    vcpu_state_read(v, &state);
    vcpu_state_to_record(&state, rec);
    if (v->xsave != NULL) {
        memcpy(rec->fpu_regs, v->xsave, sizeof(rec->fpu_regs));
        rec->flags = XEN_X86_FPU_INITIALISED;
    }
}

struct writer {
    struct vcpu *v;
    struct guest_ref at;
    uint32_t size;
};

static int record_out(struct writer *w, uint16_t type, uint16_t instance,
                      const void *record, uint32_t length)
{
    struct hvm_save_descriptor desc = {type, instance, length};

    if (guest_copy_out(w->v, guest_ref_add(w->at, w->size), &desc,
                       sizeof(desc)) != 0) {
        return -RV_EFAULT;
    }
    w->size += (uint32_t)sizeof(desc);
    if (length != 0 && guest_copy_out(w->v, guest_ref_add(w->at, w->size),
                                      record, length) != 0) {
        return -RV_EFAULT;
    }
    w->size += length;
    return 0;
}

static bool has_state(const struct vcpu *v)
{
    return vcpu_is_up(v) || read_once(v->is_initialised);
}

static uint32_t context_size(const struct domain *d)
{
    size_t desc = sizeof(struct hvm_save_descriptor);
    size_t size = desc + sizeof(struct hvm_save_header) + desc;

    for (unsigned i = 0; i < d->vcpu_count; i++) {
        if (has_state(d->vcpu[i])) {
            size += desc + sizeof(struct hvm_hw_cpu);
        }
    }
    return (uint32_t)size;
}

static int context_out(struct writer *w, const struct domain *d)
{
    struct hvm_save_header header = {HVM_FILE_MAGIC, HVM_FILE_VERSION, 0, 0, 0};
    struct hvm_hw_cpu rec;
    int rc = record_out(w, HVM_SAVE_CODE_HEADER, 0, &header, sizeof(header));

    for (unsigned i = 0; rc == 0 && i < d->vcpu_count; i++) {
        if (has_state(d->vcpu[i])) {
            record_fill(d->vcpu[i], &rec);
            rc = record_out(w, HVM_SAVE_CODE_CPU, (uint16_t)i, &rec,
                            sizeof(rec));
        }
    }
    return rc != 0 ? rc : record_out(w, HVM_SAVE_CODE_END, 0, NULL, 0);
}

static int invoke_get(struct vcpu *v, struct domain *d,
                      struct xen_domctl_hvmcontext *req)
{
    struct writer w = {v, guest_ref(req->buffer.gva), 0};
    int rc;

    if (req->buffer.gva == 0) {
        req->size = context_size(d);
        return CTL_REPLY;
    }
    if (req->size < context_size(d)) {
        return -RV_ENOSPC;
    }
    rc = context_out(&w, d);
    req->size = w.size;
    return rc != 0 ? rc : CTL_REPLY;
}

int domctl_gethvmcontext(struct vcpu *v, struct domain *d,
                         struct xen_domctl *ctl)
{
    int rc = rest_begin(d);

    if (rc != 0) {
        return rc;
    }
    rc = invoke_get(v, d, &ctl->u.hvmcontext);
    rest_end(d);
    return rc;
}

static int invoke_get_partial(struct vcpu *v, const struct domain *d,
                              struct xen_domctl_hvmcontext_partial *req)
{
    struct vcpu *target = vcpu_find(d, req->instance);
    struct hvm_hw_cpu rec;

    if (req->type != HVM_SAVE_CODE_CPU || target == NULL ||
        !has_state(target)) {
        return -RV_ENOENT;
    }
    if (req->buffer.gva != 0) {
        if (req->bufsz < sizeof(rec)) {
            return -RV_ENOSPC;
        }
        record_fill(target, &rec);
        if (guest_copy_out(v, guest_ref(req->buffer.gva), &rec, sizeof(rec)) !=
            0) {
            return -RV_EFAULT;
        }
    }
    req->bufsz = sizeof(rec);
    return CTL_REPLY;
}

int domctl_gethvmcontext_partial(struct vcpu *v, struct domain *d,
                                 struct xen_domctl *ctl)
{
    int rc = rest_begin(d);

    if (rc != 0) {
        return rc;
    }
    rc = invoke_get_partial(v, d, &ctl->u.hvmcontext_partial);
    rest_end(d);
    return rc;
}

/* ---- Loading ---------------------------------------------------------- */

/* Called for each CPU record of a buffer. */
typedef int (*record_fn)(struct domain *d, struct vcpu *v,
                         const struct hvm_hw_cpu *rec);

static int record_check(struct domain *d, struct vcpu *v rv_unused,
                        const struct hvm_hw_cpu *rec)
{
    struct vcpu_state state;

    if (rec->pending_event != 0) {
        return -RV_EINVAL;
    }
    vcpu_state_from_record(&state, rec);
    return vcpu_state_check(d, &state);
}

/* What XRSTOR would refuse is cleared: MXCSR's reserved bits. */
static void fpu_load(struct vcpu *v, const struct hvm_hw_cpu *rec)
{
    uint8_t *area = v->xsave;
    uint64_t components;
    uint32_t mxcsr;

    if (area == NULL || (rec->flags & XEN_X86_FPU_INITIALISED) == 0) {
        return;
    }
    memcpy(area, rec->fpu_regs, sizeof(rec->fpu_regs));
    memcpy(&mxcsr, area + MXCSR_OFFSET, sizeof(mxcsr));
    mxcsr &= MXCSR_ALLOWED;
    memcpy(area + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
    memcpy(&components, area + XSAVE_HEADER, sizeof(components));
    components |= XSTATE_LEGACY;
    memcpy(area + XSAVE_HEADER, &components, sizeof(components));
}

static int record_load(struct domain *d rv_unused, struct vcpu *v,
                       const struct hvm_hw_cpu *rec)
{
    struct vcpu_state state;

    vcpu_state_from_record(&state, rec);
    vcpu_state_load(v, &state);
    fpu_load(v, rec);
    write_once(v->is_initialised, true);
    return vcpu_is_up(v) ? 0 : vcpu_up(v);
}

static int header_check(const uint8_t *record, uint32_t length)
{
    struct hvm_save_header h;

    if (length != sizeof(h)) {
        return -RV_EINVAL;
    }
    memcpy(&h, record, sizeof(h));
    return h.magic == HVM_FILE_MAGIC && h.version == HVM_FILE_VERSION
               ? 0
               : -RV_EINVAL;
}

static int record_visit(struct domain *d,
                        const struct hvm_save_descriptor *desc,
                        const uint8_t *record, record_fn fn)
{
    struct vcpu *v = vcpu_find(d, desc->instance);
    struct hvm_hw_cpu rec;

    if (desc->typecode == HVM_SAVE_CODE_HEADER) {
        return header_check(record, desc->length);
    }
    if (desc->typecode != HVM_SAVE_CODE_CPU || v == NULL ||
        desc->length != sizeof(rec)) {
        return -RV_EINVAL;
    }
    memcpy(&rec, record, sizeof(rec));
    return fn(d, v, &rec);
}

/* Walks a snapshot up to its END record; BUFFER_SIZE bounds the steps. */
static int records_walk(struct domain *d, const uint8_t *buf, uint32_t size,
                        record_fn fn)
{
    uint32_t at = 0;

    for (;;) {
        struct hvm_save_descriptor desc;
        int rc;

        if (size - at < sizeof(desc)) {
            return -RV_EINVAL;
        }
        memcpy(&desc, buf + at, sizeof(desc));
        at += (uint32_t)sizeof(desc);
        if (desc.typecode == HVM_SAVE_CODE_END) {
            return desc.length == 0 ? 0 : -RV_EINVAL;
        }
        if (desc.length > size - at) {
            return -RV_EINVAL;
        }
        rc = record_visit(d, &desc, buf + at, fn);
        if (rc != 0) {
            return rc;
        }
        at += desc.length;
    }
}

static int invoke_set(struct vcpu *v, struct domain *d,
                      const struct xen_domctl_hvmcontext *req)
{
    uint8_t *buf = pages_alloc(BUFFER_ORDER);
    int rc;

    if (buf == NULL) {
        return -RV_ENOMEM;
    }
    rc = guest_copy_in(v, buf, guest_ref(req->buffer.gva), req->size);
    if (rc == 0) {
        rc = records_walk(d, buf, req->size, record_check);
    }
    if (rc == 0) {
        rc = records_walk(d, buf, req->size, record_load);
    }
    pages_free(buf, BUFFER_ORDER);
    return rc;
}

int domctl_sethvmcontext(struct vcpu *v, struct domain *d,
                         struct xen_domctl *ctl)
{
    int rc;

    if (ctl->u.hvmcontext.size > BUFFER_SIZE) {
        return -RV_EINVAL;
    }
    rc = rest_begin(d);
    if (rc != 0) {
        return rc;
    }
    rc = invoke_set(v, d, &ctl->u.hvmcontext);
    rest_end(d);
    return rc;
}
