/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One slice of emulated real mode: state in, what is due delivered, a bounded
 * number of instructions, state out. A slice ends early when control registers
 * or MSRs change, so that nothing derived from them can be stale.
 *
 * Threat surface: everything is the guest's. Memory is reached through
 * guest_copy, devices and registers through the same functions as from exits.
 */
#include "ravelin/emulate_real.h"

#include "arch/host.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/cr.h"
#include "ravelin/device_exit.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/monitor.h"
#include "ravelin/msr_policy.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/trail.h"
#include "ravelin/vmexit.h"

#include "emulate.h"

/* Instructions per slice: what an interrupt of the machine may have to wait. */
#define SLICE 1024u
#define REP_LIMIT 128u
/* Instructions that a slice is made longer by to end outside of a shadow. */
#define SHADOW_LIMIT 8u
/* Instructions after CR0.PE was set until segments must be those of protected
 * mode; whoever takes longer leaves it to the processor to judge. */
#define TRANSITION_LIMIT 64u
#define CR0_PE 1u
#define VECTOR_NMI 2u
#define MSR_EFER 0xc0000080u

#define EMULATION_ORDER 3u

struct emulation {
    struct emul_cache cache;
    struct emul emul;
    uint64_t budget;    /* of the slice that is running */
    uint64_t end_ns;    /* of the slice; see emulate_io_is_late() */
    bool cr_is_written; /* the slice's last instruction; for listeners */
    uint8_t cr;
    uint64_t cr_old;
    _Alignas(64) uint8_t entries[];
};

int emulation_create(struct vcpu *v)
{
    struct emulation *r = pages_alloc(EMULATION_ORDER);
    size_t room = (PAGE_SIZE << EMULATION_ORDER) - sizeof(*r);

    if (r == NULL) {
        return -RV_ENOMEM;
    }
    v->emulation = r;
    return emul_cache_init(&r->cache, r->entries, room, false);
}

void emulation_destroy(struct vcpu *v)
{
    if (v->emulation != NULL) {
        pages_free(v->emulation, EMULATION_ORDER);
        v->emulation = NULL;
    }
}

/* ---- Callbacks ---- */

/* The instruction that asked for this is the slice's last. */
static void slice_end(struct vcpu *v)
{
    v->emulation->budget = 1;
}

static int op_fetch(struct emul *e, uint64_t lin, uint8_t *buf, unsigned *n)
{
    unsigned room = (unsigned)(PAGE_SIZE - (lin & ~PAGE_MASK));
    struct guest_fault fault;

    *n = rv_min(*n, room);
    if (guest_linear_read(e->priv, buf, gva(lin), *n, ACCESS_EXEC,
                          (e->access & EMUL_ACCESS_USER) != 0, &fault) == 0) {
        return EMUL_OK;
    }
    return fault.is_page_fault ? emul_raise_pf(e, lin, fault.error)
                               : EMUL_UNHANDLED;
}

static int op_code_gpa(struct emul *e, uint64_t lin, uint64_t *out)
{
    struct guest_fault fault;
    gpa_t at;

    if (guest_translate(e->priv, gva(lin), ACCESS_EXEC,
                        (e->access & EMUL_ACCESS_USER) != 0, &at, &fault)) {
        return fault.is_page_fault ? emul_raise_pf(e, lin, fault.error)
                                   : EMUL_UNHANDLED;
    }
    *out = at.v;
    return EMUL_OK;
}

static int op_cmpxchg(struct emul *e, uint64_t lin, unsigned size,
                      unsigned access rv_unused, uint64_t old, uint64_t value)
{
    int rc = guest_linear_cmpxchg(e->priv, gva(lin), size, old, value);

    if (rc == -RV_EFAULT) {
        /* A device, or two pages: nobody else can tell the difference. */
        return emulate_op_write(e, lin, size, access, value);
    }
    return rc == 0 ? EMUL_OK : EMUL_RESTART;
}

static int op_io(struct emul *e, uint16_t port, unsigned size, bool in,
                 uint32_t *value)
{
    struct vcpu *v = e->priv;

    device_port(v, port, size, in, value);
    e->irq_pending = vcpu_irq_is_pending(v);
    e->is_late = emulate_io_is_late(&v->emulation->end_ns);
    if (e->is_late || read_once(v->attention)) {
        slice_end(v); /* attention: a reset, the end of the domain, ... */
    }
    return EMUL_OK;
}

static int op_io_block(struct emul *e, uint16_t port, unsigned size, bool in,
                       uint64_t lin, unsigned access, uint32_t *count)
{
    int rc = emulate_op_io_block(e, port, size, in, lin, access, count);

    e->irq_pending = vcpu_irq_is_pending(e->priv);
    return rc;
}

static uint64_t cr_value(const struct vcpu *v, unsigned cr)
{
    return cr == 0   ? v->paging.cr0
           : cr == 3 ? v->paging.cr3
           : cr == 4 ? v->paging.cr4
                     : 0;
}

static int op_cr_write(struct emul *e, unsigned cr, uint64_t value)
{
    struct vcpu *v = e->priv;
    struct emulation *r = v->emulation;

    slice_end(v);
    r->cr_old = cr_value(v, cr);
    if (cr_write(v, cr, value)) {
        return emul_raise(e, 13, 0);
    }
    r->cr = (uint8_t)cr;
    r->cr_is_written = cr != 8;
    return EMUL_OK;
}

static int op_dr_write(struct emul *e, unsigned dr rv_unused,
                       uint64_t value rv_unused)
{
    slice_end(e->priv);
    return EMUL_OK;
}

static int op_msr_read(struct emul *e, uint32_t index, uint64_t *value)
{
    return msr_policy_read(e->priv, index, value) ? emul_raise(e, 13, 0)
                                                  : EMUL_OK;
}

static int op_msr_write(struct emul *e, uint32_t index, uint64_t value)
{
    slice_end(e->priv);
    if (msr_policy_write(e->priv, index, value)) {
        return emul_raise(e, 13, 0);
    }
    if (index == MSR_EFER) {
        e->cpu.efer = hv->creg_get(e->priv, CREG_EFER);
    }
    return EMUL_OK;
}

static int op_cpuid(struct emul *e, uint32_t regs[4])
{
    cpuid_policy_get(e->priv, regs[0], regs[2], regs);
    return EMUL_OK;
}

static int op_invlpg(struct emul *e, uint64_t lin rv_unused)
{
    walk_cache_flush(e->priv);
    return EMUL_OK;
}

static const struct emul_ops real_ops = {
    .read = emulate_op_read,
    .write = emulate_op_write,
    .cmpxchg = op_cmpxchg,
    .probe = emulate_op_probe,
    .fetch = op_fetch,
    .code_gpa = op_code_gpa,
    .io = op_io,
    .io_block = op_io_block,
    .cr_write = op_cr_write,
    .dr_write = op_dr_write,
    .msr_read = op_msr_read,
    .msr_write = op_msr_write,
    .cpuid = op_cpuid,
    .invlpg = op_invlpg,
    .fpu = emulate_op_fpu,
};

/* ---- State ---- */

static const enum vcpu_creg dr_of[8] = {
    CREG_DR0,   CREG_DR1,   CREG_DR2, CREG_DR3,
    CREG_COUNT, CREG_COUNT, CREG_DR6, CREG_DR7,
};

static void slice_load(struct vcpu *v, struct emul *e)
{
    emul_init(e, &real_ops, v, &v->emulation->cache);
    e->rep_limit = REP_LIMIT;
    emulate_state_load(&e->cpu, v);
    for (unsigned i = 0; i < 4; i++) {
        e->cpu.dr[i] = hv->creg_get(v, dr_of[i]);
    }
    e->cpu.shadow = hv->shadow_get(v) ? EMUL_SHADOW_STI : 0;
    emul_sync(e);
}

static void creg_store(struct vcpu *v, enum vcpu_creg r, uint64_t value)
{
    if (hv->creg_get(v, r) != value) {
        hv->creg_set(v, r, value);
    }
}

/* CR0, CR3, CR4 and EFER were loaded when they were written. */
static void slice_store(struct vcpu *v, const struct emul_cpu *cpu,
                        const struct emul_cpu *before)
{
    emulate_state_store(v, cpu, before);
    creg_store(v, CREG_CR2, cpu->cr2);
    for (unsigned i = 0; i < ARRAY_SIZE(dr_of); i++) {
        if (dr_of[i] != CREG_COUNT) {
            creg_store(v, dr_of[i], cpu->dr[i]);
        }
    }
}

/* ---- Events ---- */

static enum emul_result event_deliver(struct emul *e,
                                      const struct vcpu_event *ev)
{
    const struct emul_event event = {
        .vector = ev->vector,
        .type = ev->type,
        .has_error = ev->has_error,
        .error = ev->error,
        .cr2 = ev->cr2,
    };

    return emul_deliver(e, &event);
}

/* What was queued for the processor, then what policy and others want. */
static enum emul_result due_deliver(struct vcpu *v, struct emul *e)
{
    enum emul_result result = EMUL_OK;
    struct vcpu_event ev;

    if (hv->event_take(v, &ev)) {
        result = event_deliver(e, &ev);
    }
    if (result == EMUL_OK && v->pending.valid) {
        v->pending.valid = false;
        result = event_deliver(e, &v->pending);
    }
    if (result == EMUL_OK && v->nmi_pending && hv->nmi_is_open(v)) {
        const struct vcpu_event nmi = {.vector = VECTOR_NMI, .type = EVENT_NMI};

        v->nmi_pending = false;
        result = event_deliver(e, &nmi);
    }
    return result;
}

static enum emul_result irq_deliver(struct vcpu *v, struct emul *e)
{
    int vector = vcpu_irq_accept(v);
    const struct vcpu_event ev = {.vector = (uint8_t)vector,
                                  .type = EVENT_EXTINT};

    return vector < 0 ? EMUL_OK : event_deliver(e, &ev);
}

/* ---- A slice ---- */

static enum emul_result instructions_run(struct vcpu *v, struct emul *e)
{
    enum emul_result result;

    do {
        e->irq_pending = vcpu_irq_is_pending(v);
        result = emul_run(e, &v->emulation->budget);
        if (result == EMUL_IRQ_OPEN) {
            /* A handler may begin open, with its request still there. */
            v->emulation->budget--;
            result = irq_deliver(v, e);
        } else if (result == EMUL_UNHANDLED) {
            result = emulate_fpu_image(e);
        }
    } while (result == EMUL_OK && v->emulation->budget != 0);
    return result;
}

static bool is_between_modes(const struct emul *e)
{
    return (e->cpu.cr0 & CR0_PE) != 0 && !emulate_is_settled(&e->cpu);
}

static enum emul_result slice_run(struct vcpu *v, struct emul *e)
{
    enum emul_result result = due_deliver(v, e);

    v->emulation->budget = SLICE;
    v->emulation->end_ns = 0;
    v->emulation->cr_is_written = false;
    if (result == EMUL_OK) {
        result = instructions_run(v, e);
    }
    for (unsigned i = 0;
         i < TRANSITION_LIMIT && result == EMUL_OK && is_between_modes(e);
         i++) {
        v->emulation->budget = 1;
        result = instructions_run(v, e);
    }
    /* The processor would not let an interrupt in here either. */
    for (unsigned i = 0;
         i < SHADOW_LIMIT && result == EMUL_OK && e->cpu.shadow != 0; i++) {
        v->emulation->budget = 1;
        result = instructions_run(v, e);
    }
    return result;
}

static void unhandled_end(struct vcpu *v, const struct emul *e)
{
    uint64_t lin = (uint32_t)(e->cpu.seg[EMUL_CS].base + e->cpu.rip);
    struct guest_fault fault;
    uint8_t b[4] = {0};

    if (guest_linear_read(v, b, gva(lin), sizeof(b), ACCESS_EXEC, false,
                          &fault)) {
        domain_crash(v->domain, v, "instruction fetch at linear %lx: no memory",
                     lin);
        return;
    }
    domain_crash(v->domain, v,
                 "the emulator does not run %02x %02x %02x %02x in real mode",
                 b[0], b[1], b[2], b[3]);
}

static void slice_settle(struct vcpu *v, const struct emul *e,
                         enum emul_result result)
{
    switch (result) {
    case EMUL_HALT:
        vcpu_halt(v);
        break;
    case EMUL_UNHANDLED:
        unhandled_end(v, e);
        break;
    case EMUL_SHUTDOWN:
        domain_crash(v->domain, v,
                     "triple fault (an exception while delivering #DF)");
        break;
    default:
        break;
    }
}

void emulate_real_run(struct vcpu *v)
{
    struct emul *e = &v->emulation->emul;
    struct emul_cpu before;
    enum emul_result result;

    trail_note(v, TRAIL_EMULATED);
    vcpu_tpr_pull(v);
    slice_load(v, e);
    before = e->cpu;
    result = slice_run(v, e);
    slice_store(v, &e->cpu, &before);
    slice_settle(v, e, result);
    if (v->emulation->cr_is_written && unlikely(monitor_of(v->domain))) {
        monitor_cr_written(v, v->emulation->cr, v->emulation->cr_old,
                           cr_value(v, v->emulation->cr));
    }
    arch_irq_poll();
}
