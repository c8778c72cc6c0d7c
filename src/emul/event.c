/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events through the interrupt vector table of real mode and the IDT of
 * protected mode, the instructions that raise them, and the rules for faults
 * during delivery.
 * Threat surface: IVT, IDT, TSS and stacks are guest memory. A guest that
 * faults for ever ends in shutdown, not in a loop here.
 * Ref: AMD APM Vol 2, 8.6 and 8.7; 8.2.9 "#DF-Double-Fault Exception".
 */
#include "desc.h"

struct delivery {
    const struct emul_event *event;
    uint64_t next; /* return address */
};

static bool is_software(const struct emul_event *ev)
{
    return ev->type == EMUL_EVENT_SOFT_INT || ev->type == EMUL_EVENT_SOFT_EXC;
}

/* Error code that names an IDT entry. */
static int raise_idt(struct emul *e, uint8_t vector, uint8_t index)
{
    return emul_raise(e, vector, index * 8u + 2 + e->external);
}

static int deliver_real(struct emul *e, const struct delivery *dl)
{
    const struct emul_seg *idt = &e->cpu.seg[EMUL_IDTR];
    uint32_t at = dl->event->vector * 4u;
    uint64_t sp = stk_get(e), target;

    if (at + 3 > idt->limit) {
        return raise_idt(e, VEC_GP, dl->event->vector);
    }
    int rc = sys_read(e, idt->base + at, 4, &target);
    if (rc == EMUL_OK) {
        rc = stk_push(e, &sp, 2, e->cpu.rflags);
    }
    if (rc == EMUL_OK) {
        rc = stk_push(e, &sp, 2, e->cpu.seg[EMUL_CS].sel);
    }
    if (rc == EMUL_OK) {
        rc = stk_push(e, &sp, 2, dl->next);
    }
    if (rc == EMUL_OK) {
        rc = branch_to(e, target & 0xffff, 2);
    }
    if (rc) {
        return rc;
    }
    stk_set(e, sp);
    sreg_load_real(e, EMUL_CS, (uint16_t)(target >> 16));
    rflags_write(e, 0, FL_IF | FL_TF | FL_AC | FL_RF);
    return EMUL_OK;
}

static int push_all(struct emul *e, unsigned size, const uint64_t *v,
                    unsigned count)
{
    uint64_t sp = stk_get(e);

    for (unsigned n = 0; n < count; n++) {
        int rc = stk_push(e, &sp, size, v[n]);
        if (rc) {
            return rc;
        }
    }
    stk_set(e, sp);
    return EMUL_OK;
}

/* A fault is to be resumed without hitting its breakpoint again. */
static uint64_t flags_image(const struct emul *e, const struct emul_event *ev)
{
    bool fault = ev->type == EMUL_EVENT_EXCEPTION && ev->vector != VEC_DB;

    return e->cpu.rflags | (fault ? FL_RF : 0);
}

/* Everything the handler finds on its stack, then the new stack itself. */
static int frame_push(struct emul *e, const struct delivery *dl,
                      const struct desc *code, unsigned size)
{
    static const uint8_t vm86_order[] = {EMUL_GS, EMUL_FS, EMUL_DS, EMUL_ES};
    unsigned cpl = desc_is_conforming(code) ? e->cpu.cpl : desc_dpl(code);
    uint64_t v[10], new_sp;
    unsigned n = 0;
    uint16_t ss;
    bool from_vm86 = e->is_vm86;
    int rc = EMUL_OK;

    if (from_vm86) {
        for (; n < 4; n++) {
            v[n] = e->cpu.seg[vm86_order[n]].sel;
        }
    }
    if (cpl < e->cpu.cpl) {
        v[n++] = e->cpu.seg[EMUL_SS].sel;
        v[n++] = e->cpu.reg[EMUL_RSP];
    }
    v[n++] = flags_image(e, dl->event);
    v[n++] = e->cpu.seg[EMUL_CS].sel;
    v[n++] = dl->next;
    if (dl->event->has_error) {
        v[n++] = dl->event->error;
    }
    if (cpl < e->cpu.cpl) {
        rc = tss_stack(e, cpl, &ss, &new_sp);
        if (rc == EMUL_OK) {
            e->cpu.rflags &= ~(uint64_t)FL_VM;
            rc = stack_switch(e, ss, new_sp, cpl, VEC_TS);
        }
    }
    if (rc == EMUL_OK) {
        rc = push_all(e, size, v, n);
    }
    if (rc == EMUL_OK && from_vm86) {
        for (n = 0; n < 4; n++) {
            e->cpu.seg[vm86_order[n]] = (struct emul_seg){.sel = 0};
        }
    }
    return rc;
}

static int deliver_gate(struct emul *e, const struct delivery *dl,
                        const struct desc *gate)
{
    bool wide = desc_type(gate) & DT_32BIT;
    uint16_t sel = (uint16_t)(gate->lo >> 16);
    uint64_t off = (gate->lo & 0xffff) | (wide ? gate->hi & 0xffff0000 : 0);
    struct desc d;

    if (sel_is_null(sel)) {
        return raise_sel(e, VEC_GP, 0);
    }
    int rc = desc_read(e, sel, VEC_GP, &d);
    if (rc) {
        return rc;
    }
    if (!desc_is_code(&d) || desc_dpl(&d) > e->cpu.cpl ||
        (e->is_vm86 && (desc_is_conforming(&d) || desc_dpl(&d) != 0))) {
        return raise_sel(e, VEC_GP, sel);
    }
    if (!desc_is_present(&d)) {
        return raise_sel(e, VEC_NP, sel);
    }
    rc = frame_push(e, dl, &d, wide ? 4 : 2);
    if (rc == EMUL_OK) {
        rc = cs_load(e, &d, sel, e->cpu.cpl, off);
    }
    if (rc == EMUL_OK) {
        bool masks = !(desc_type(gate) & 1);
        rflags_write(e, 0, FL_TF | FL_NT | FL_RF | FL_VM | (masks ? FL_IF : 0));
    }
    return rc;
}

/* A task gate: the error code goes onto the new task's stack. */
static int deliver_task(struct emul *e, const struct delivery *dl,
                        const struct desc *gate)
{
    int rc = task_gate(e, gate, TASK_INT, dl->next);

    if (rc == EMUL_OK && dl->event->has_error) {
        uint64_t error = dl->event->error;
        bool wide = e->cpu.seg[EMUL_TR].attr & DT_32BIT;
        rc = push_all(e, wide ? 4 : 2, &error, 1);
    }
    return rc;
}

static int deliver_protected(struct emul *e, const struct delivery *dl)
{
    const struct emul_event *ev = dl->event;
    const struct emul_seg *idt = &e->cpu.seg[EMUL_IDTR];
    uint32_t at = ev->vector * 8u;
    struct desc gate = {.lin = idt->base + at};
    uint64_t raw;

    if (at + 7 > idt->limit) {
        return raise_idt(e, VEC_GP, ev->vector);
    }
    int rc = sys_read(e, gate.lin, 8, &raw);
    if (rc) {
        return rc;
    }
    gate.lo = (uint32_t)raw;
    gate.hi = (uint32_t)(raw >> 32);
    unsigned type = desc_type(&gate);
    bool known = type == DT_TASK_GATE || type == DT_INT16 ||
                 type == DT_TRAP16 || type == DT_INT32 || type == DT_TRAP32;
    if (!desc_is_system(&gate) || !known ||
        (is_software(ev) && desc_dpl(&gate) < e->cpu.cpl)) {
        return raise_idt(e, VEC_GP, ev->vector);
    }
    if (!desc_is_present(&gate)) {
        return raise_idt(e, VEC_NP, ev->vector);
    }
    return type == DT_TASK_GATE ? deliver_task(e, dl, &gate)
                                : deliver_gate(e, dl, &gate);
}

static int dispatch_any(struct emul *e, void *arg)
{
    const struct delivery *dl = arg;

    return e->is_real ? deliver_real(e, dl) : deliver_protected(e, dl);
}

int event_dispatch(struct emul *e, const struct emul_event *event,
                   uint64_t next)
{
    struct delivery dl = {.event = event, .next = next};

    if (e->cpu.efer & EFER_LMA) {
        return EMUL_UNHANDLED;
    }
    e->external = !is_software(event);
    int rc = run_or_restore(e, dispatch_any, &dl);
    e->external = false;
    return rc;
}

static bool is_contributory(const struct emul_event *ev)
{
    return ev->type == EMUL_EVENT_EXCEPTION &&
           (ev->vector == VEC_DE ||
            (ev->vector >= VEC_TS && ev->vector <= VEC_GP));
}

/* Whether `second`, raised while `first` was delivered, makes a #DF. */
static bool is_double_fault(const struct emul_event *first,
                            const struct emul_event *second)
{
    bool first_pf =
        first->type == EMUL_EVENT_EXCEPTION && first->vector == VEC_PF;

    return (is_contributory(first) && is_contributory(second)) ||
           (first_pf && (is_contributory(second) || second->vector == VEC_PF));
}

/* #DF meets a fault: shutdown. Anything else gets its turn or becomes #DF. */
static bool next_event(struct emul *e, struct emul_event *current)
{
    struct emul_event raised = e->event;

    if (current->type == EMUL_EVENT_EXCEPTION && current->vector == VEC_DF) {
        return false;
    }
    if (is_double_fault(current, &raised)) {
        emul_raise(e, VEC_DF, 0);
        *current = e->event;
    } else {
        *current = raised;
    }
    return true;
}

enum emul_result emul_deliver(struct emul *e, const struct emul_event *event)
{
    struct emul_event current = *event;
    uint8_t shadow = e->cpu.shadow;

    /* Benign faults cannot repeat for ever: each round ends in one that
     * contributes, but a bound makes that independent of the argument. */
    for (unsigned round = 0; round < 8; round++) {
        if (current.type == EMUL_EVENT_EXCEPTION && current.vector == VEC_PF) {
            e->cpu.cr2 = current.cr2;
        }
        e->cpu.shadow = 0;
        int rc = event_dispatch(e, &current, e->cpu.rip);
        if (rc == EMUL_OK) {
            e->cpu.rip = e->cpu.reg[EMUL_REG_NEXT];
            return EMUL_OK;
        }
        if (rc != EMUL_FAULT) {
            e->cpu.shadow = shadow;
            return (enum emul_result)rc;
        }
        if (!next_event(e, &current)) {
            return EMUL_SHUTDOWN;
        }
    }
    return EMUL_SHUTDOWN;
}

static int software_event(struct emul *e, uint8_t vector,
                          enum emul_event_type type)
{
    struct emul_event ev = {.vector = vector, .type = (uint8_t)type};

    return event_dispatch(e, &ev, e->cpu.reg[EMUL_REG_NEXT]);
}

int exec_int3(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    return software_event(e, VEC_BP, EMUL_EVENT_SOFT_EXC);
}

int exec_into(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    return e->cpu.rflags & FL_OF
               ? software_event(e, VEC_OF, EMUL_EVENT_SOFT_EXC)
               : EMUL_OK;
}

/* A trap, but without the privilege check of INT n. */
int exec_int1(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    return software_event(e, VEC_DB, EMUL_EVENT_PRIV_SOFT_EXC);
}

int exec_int_n(struct emul *e, const struct emul_insn *i)
{
    if (e->is_vm86 && iopl_of(e) < 3) {
        return raise_gp0(e);
    }
    return software_event(e, (uint8_t)i->imm, EMUL_EVENT_SOFT_INT);
}
