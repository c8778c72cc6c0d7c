/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One step of a guest that its guest cannot see. An instruction runs with the
 * trap flag set behind the guest's back and everything intercepted that would
 * show the flag or leave its reach; the delivery of an event runs through a map
 * in which nothing can be executed, so the first fetch of the handler ends it.
 * In both cases the vCPU has a private view of its memory with the permitted
 * pages open, so that other vCPUs get past nothing.
 *
 * Legal moves: NONE -> INSN | DELIVERY (permit), INSN -> NONE (trap, exception,
 * or RIP moved by an exit handler), DELIVERY -> NONE (fetch), all -> NONE
 * (cancel). step_begin() and step_end() perform them.
 *
 * Threat surface: the guest chooses the instruction and may replace it between
 * any two of our looks. The trap flag at the start of an instruction traps
 * after it whatever it is, but for those that exit here instead: software
 * interrupts, exceptions, SYSCALL and SYSRET (EFER.SCE is hidden), PUSHF, task
 * switches.
 * Ref: AMD APM Vol 2, 13.1.4 "Single Stepping", 15.12 "Exception Intercepts".
 */

#include "ravelin/debug_attach.h"
#include "ravelin/errno.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/monitor_access.h"
#include "ravelin/vmexit.h"

#include "access_internal.h"
#include "monitor_internal.h"

#define VECTOR_DB 1u
#define VECTOR_UD 6u
#define VECTOR_PF 14u
#define EFER_SCE 1UL
#define FALSE_FAULTS_MAX 4u
#define UNDEFINED_MAX 16u
/* Page fault error code. */
#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_USER 4u
#define PF_FETCH 16u
#define DR6_HITS 0xfUL
#define DR7_ENABLES 0xffUL
#define DR6_BS (1UL << 14)
#define DR6_CAUSES (DR6_HITS | DR6_BS)

static struct monitor_step *step_of(const struct vcpu *v)
{
    struct monitor_vcpu *w = monitor_vcpu(v);

    return w ? &w->step : NULL;
}

static void view_load(struct vcpu *v, const struct monitor_step *s)
{
    hv->npt_root_set(v, p2m_view_root(s->view, s->kind == STEP_INSN));
}

static void step_begin(struct vcpu *v, struct monitor_step *s)
{
    s->is_done = false;
    s->has_openings = false;
    s->false_count = 0;
    s->undefined_count = 0;
    /* An event that waits for delivery comes before the next instruction, and
     * the access was its own. */
    s->kind = hv->event_is_queued(v) ? STEP_DELIVERY : STEP_INSN;
    s->rip = v->regs.rip;
    s->is_armed = false;
    v->stepping = true;
    v->attention = true;
}

static void step_end(struct vcpu *v, struct monitor_step *s)
{
    s->kind = STEP_NONE;
    if (s->view) {
        p2m_view_close(s->view);
        hv->npt_root_set(v, v->domain->p2m.root);
    }
    v->stepping = false;
    v->attention = true; /* for events that had to wait */
}

void monitor_step_cancel(struct vcpu *v)
{
    struct monitor_step *s = step_of(v);

    if (s && s->kind != STEP_NONE) {
        step_end(v, s);
    }
}

/* ---- Permission -------------------------------------------------------- */

static int view_open(struct vcpu *v, struct monitor_step *s, gpa_t at,
                     uint8_t access)
{
    int rc;

    if (!s->view) {
        s->view = p2m_view_create(&v->domain->p2m);
    }
    if (!s->view) {
        return -RV_ENOMEM;
    }
    rc = p2m_view_renew(s->view, false);
    return rc ? rc : p2m_view_open(s->view, gpa_to_gfn(at), access);
}

/* Without memory for a view there is no step: the access comes again. */
void monitor_step_permit(struct vcpu *v, gpa_t at, uint8_t access)
{
    struct monitor *m;
    struct monitor_step *s;

    /* Rights that hardware has not got exist without a monitor, too. */
    if (monitor_get(v->domain, &m)) {
        return;
    }
    s = step_of(v);
    if (s->kind == STEP_NONE) {
        step_begin(v, s);
    }
    if (view_open(v, s, at, access)) {
        step_end(v, s);
        return;
    }
    s->has_openings = true;
    view_load(v, s);
}

bool monitor_step_permits(const struct vcpu *v, gfn_t g, uint8_t access)
{
    const struct monitor_step *s = step_of(v);

    return s && s->kind != STEP_NONE && s->view &&
           p2m_view_is_open(s->view, g, access);
}

bool monitor_step_is_full(const struct vcpu *v)
{
    const struct monitor_step *s = step_of(v);

    return s && s->kind != STEP_NONE && s->view && p2m_view_is_full(s->view);
}

void monitor_step_refresh(struct vcpu *v)
{
    struct monitor_step *s = step_of(v);

    if (!s || s->kind == STEP_NONE || !s->view) {
        return;
    }
    if (p2m_view_renew(s->view, true)) {
        step_end(v, s);
        return;
    }
    view_load(v, s);
}

/* An instruction that keeps interrupts off the next one: that one follows as a
 * step of its own, with nothing open, so that none comes in between. */
static bool insn_emulate(struct vcpu *v)
{
    if (!step_insn_emulate(v)) {
        return false;
    }
    monitor_step_settle(v);
    if (!v->stepping && !v->pending.valid && hv->shadow_get(v)) {
        step_begin(v, step_of(v));
    }
    return true;
}

void monitor_access_answer(struct vcpu *v, const struct monitor_event *ev,
                           uint32_t flags)
{
    if (!(flags & (RAVELIN_ANSWER_STEP | RAVELIN_ANSWER_EMULATE))) {
        return;
    }
    monitor_step_permit(v, gpa(ev->value), ev->access);
    /* The emulator knows nothing of the guest's breakpoints. */
    if ((flags & RAVELIN_ANSWER_EMULATE) && v->stepping &&
        step_of(v)->kind == STEP_INSN &&
        !(hv->creg_get(v, CREG_DR7) & DR7_ENABLES)) {
        (void)insn_emulate(v);
    }
}

/* ---- Steps that somebody wants to see ---------------------------------- */

static bool step_is_wanted(const struct vcpu *v)
{
    return monitor_listens(v->domain, RAVELIN_REASON_STEP) ||
           debug_wants_step(v);
}

void monitor_step_attend(struct vcpu *v)
{
    struct monitor_step *s = step_of(v);

    s->is_told = step_is_wanted(v);
    if (s->is_told && s->kind == STEP_NONE) {
        step_begin(v, s);
    }
}

/* An event is about to be delivered between two instructions: its delivery is
 * part of the step that begins with the handler. */
static bool delivery_begin(struct vcpu *v, struct monitor_step *s)
{
    if (!s->view) {
        s->view = p2m_view_create(&v->domain->p2m);
    }
    if (!s->view || p2m_view_renew(s->view, false)) {
        step_end(v, s);
        return false;
    }
    s->kind = STEP_DELIVERY;
    view_load(v, s);
    return true;
}

static void step_tell(struct vcpu *v)
{
    uint64_t base;
    enum emul_mode mode = vcpu_code_mode(v, &base);
    uint64_t at = base + v->regs.rip;
    struct monitor_event ev = {
        .reason = RAVELIN_REASON_STEP,
        .gla = mode == EMUL_MODE_64_AMD ? at : (uint32_t)at,
        .gla_valid = true,
    };

    if (monitor_listens(v->domain, RAVELIN_REASON_STEP)) {
        enum monitor_outcome ignored rv_unused = monitor_event(v, &ev);
    }
    debug_stepped(v);
}

/* ---- Before the entry -------------------------------------------------- */

bool monitor_step_holds(struct vcpu *v)
{
    struct monitor_step *s = step_of(v);

    if (s->is_told && !s->has_openings) {
        s->rip = v->regs.rip;
        v->attention = true;
        return false; /* delivery_begin() will take care */
    }
    /* An exception takes the place of the instruction. */
    if (v->pending.valid) {
        step_end(v, s);
        return false;
    }
    v->attention = true;
    return true;
}

static bool view_is_ready(struct vcpu *v, struct monitor_step *s)
{
    if (!s->view || p2m_view_generation(s->view) ==
                        load_acquire(&v->domain->p2m.generation)) {
        return true;
    }
    if (p2m_view_renew(s->view, false)) {
        step_end(v, s);
        return false;
    }
    view_load(v, s);
    return true;
}

bool monitor_step_prepare(struct vcpu *v)
{
    struct monitor_step *s = step_of(v);
    struct emul_insn insn;

    if (!view_is_ready(v, s)) {
        return false;
    }
    if (s->kind == STEP_INSN && hv->event_is_queued(v) &&
        !delivery_begin(v, s)) {
        return false;
    }
    if (s->kind == STEP_DELIVERY) {
        return true;
    }
    if (v->regs.rip != s->rip) {
        step_end(v, s);
        return false;
    }
    s->loads_flags = false;
    if (vcpu_insn_peek(v, &insn) == 0) {
        s->loads_flags = step_insn_loads_flags(&insn);
        if (step_insn_is_special(&insn) && insn_emulate(v)) {
            return false;
        }
    }
    return true;
}

static void flags_hide(struct vcpu *v, struct monitor_step *s)
{
    uint64_t efer = hv->creg_get(v, CREG_EFER);

    s->guest_tf = (v->regs.rflags & RFLAGS_TF) != 0;
    v->regs.rflags |= RFLAGS_TF;
    s->dr6 = hv->creg_get(v, CREG_DR6);
    hv->creg_set(v, CREG_DR6, s->dr6 & ~DR6_CAUSES);
    s->has_sce = (efer & EFER_SCE) != 0;
    if (s->has_sce) {
        hv->creg_set(v, CREG_EFER, efer & ~EFER_SCE);
    }
}

bool monitor_step_arm(struct vcpu *v)
{
    struct monitor_step *s = step_of(v);
    struct vcpu_intercepts in = v->intercepts;

    if (s->view && p2m_view_generation(s->view) != v->tlb_seen) {
        return false;
    }
    if (s->kind == STEP_INSN) {
        flags_hide(v, s);
        in.stepping = true;
        in.irq_window = false;
        hv->intercepts_set(v, &in);
        s->is_armed = true;
    }
    return true;
}

/* ---- After the exit ---------------------------------------------------- */

static void flags_show(struct vcpu *v, const struct monitor_step *s,
                       bool is_loaded)
{
    if (!is_loaded && !s->guest_tf) {
        v->regs.rflags &= ~RFLAGS_TF;
    }
    if (s->has_sce) {
        hv->creg_set(v, CREG_EFER, hv->creg_get(v, CREG_EFER) | EFER_SCE);
    }
}

/*
 * Ours, or (also) the guest's: a data breakpoint may have been hit, or it steps
 * itself. An instruction breakpoint comes before the instruction and shows no
 * step. Returns whether the guest gets a #DB.
 */
static bool trap_settle(struct vcpu *v, struct monitor_step *s)
{
    uint64_t dr6 = hv->creg_get(v, CREG_DR6);
    uint64_t hits = dr6 & DR6_HITS;
    bool is_before = hits != 0 && !(dr6 & DR6_BS) && v->regs.rip == s->rip;
    bool is_guests = !is_before && s->guest_tf;

    flags_show(v, s, !is_before && s->loads_flags);
    hv->creg_set(v, CREG_DR6, s->dr6 | hits | (is_guests ? DR6_BS : 0));
    s->is_done = !is_before;
    step_end(v, s);
    return hits != 0 || is_guests;
}

/*
 * A page fault for want of an entry that is there. No processor remembers that
 * there is none, but QEMU's TCG is known to look in the wrong place now and
 * then (docs/decisions/0002): tried again, a few times.
 */
static bool page_fault_is_false(struct vcpu *v, struct monitor_step *s,
                                const struct vmexit *exit)
{
    uint32_t error = exit->u.exception.error;
    uint8_t access = error & PF_FETCH   ? ACCESS_EXEC
                     : error & PF_WRITE ? ACCESS_WRITE
                                        : ACCESS_READ;
    struct guest_fault fault;
    gpa_t at;

    return exit->u.exception.vector == VECTOR_PF && !(error & PF_PRESENT) &&
           s->false_count++ < FALSE_FAULTS_MAX &&
           guest_translate(v, gva(exit->u.exception.cr2), access,
                           (error & PF_USER) != 0, &at, &fault) == 0;
}

/*
 * SYSCALL and SYSRET fault because we hid them. What stands at RIP now may not
 * be what faulted, if another vCPU writes there: it gets its chance, several
 * times, because an instruction that this processor has not looks the same.
 */
static void undefined_settle(struct vcpu *v, struct monitor_step *s,
                             struct vmexit *exit)
{
    switch (step_insn_syscall(v)) {
    case STEP_SYSCALL_DONE:
        exit->reason = VMEXIT_NONE;
        s->is_done = true;
        step_end(v, s);
        break;
    case STEP_SYSCALL_OTHER:
        if (s->undefined_count++ < UNDEFINED_MAX) {
            exit->reason = VMEXIT_NONE;
        }
        break;
    default:
        break;
    }
}

/* The guest's own exception, as it would have come without us. */
static void exception_settle(struct vcpu *v, struct monitor_step *s,
                             struct vmexit *exit)
{
    flags_show(v, s, false);
    hv->creg_set(v, CREG_DR6, s->dr6);
    if (page_fault_is_false(v, s, exit)) {
        exit->reason = VMEXIT_NONE;
        return;
    }
    if (exit->u.exception.vector == VECTOR_UD && s->has_sce) {
        undefined_settle(v, s, exit);
    }
}

static void insn_disarm(struct vcpu *v, struct monitor_step *s,
                        struct vmexit *exit)
{
    s->is_armed = false;
    hv->intercepts_set(v, &v->intercepts);
    if (exit->reason == VMEXIT_EXCEPTION &&
        exit->u.exception.vector == VECTOR_DB) {
        if (!trap_settle(v, s)) {
            exit->reason = VMEXIT_NONE;
        }
        return;
    }
    if (exit->reason == VMEXIT_EXCEPTION) {
        exception_settle(v, s, exit);
        return;
    }
    flags_show(v, s, false);
    hv->creg_set(v, CREG_DR6, s->dr6);
    if (exit->reason == VMEXIT_PUSHF) {
        exit->reason = VMEXIT_NONE; /* done by prepare at the next turn */
    }
}

void monitor_step_disarm(struct vcpu *v, struct vmexit *exit)
{
    struct monitor_step *s = step_of(v);

    if (s->kind == STEP_INSN) {
        insn_disarm(v, s, exit);
    } else if (exit->reason == VMEXIT_MEMORY && !exit->u.memory.delivering &&
               exit->u.memory.access == ACCESS_EXEC) {
        exit->reason = VMEXIT_NONE; /* the handler's first fetch */
        step_end(v, s);
    }
}

void monitor_step_settle(struct vcpu *v)
{
    struct monitor_step *s = step_of(v);

    if (s->kind == STEP_INSN &&
        (v->regs.rip != s->rip || v->pending.valid || v->halted)) {
        s->is_done = v->regs.rip != s->rip;
        step_end(v, s);
    }
    if (s->is_done) {
        s->is_done = false;
        s->insn_count++;
        if (s->is_told) {
            step_tell(v);
        }
    }
    if (s->is_told && s->kind == STEP_NONE) {
        monitor_step_attend(v);
    }
}

/* ---- Life -------------------------------------------------------------- */

void monitor_step_free(struct monitor_step *s)
{
    if (s->view) {
        p2m_view_destroy(s->view);
        s->view = NULL;
    }
}
