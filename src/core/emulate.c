/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs one guest instruction in the emulator: accesses to devices that the
 * short path of device_exit.c does not know, and string port I/O. Moves state
 * between the vCPU and the emulator and settles its outcome.
 *
 * Threat surface: the instruction and all its operands are the guest's; memory
 * is reached through guest_copy only.
 */

#include "arch/host.h"
#include "ravelin/device_exit.h"
#include "ravelin/emul.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/legacy.h"
#include "ravelin/monitor_access.h"
#include "ravelin/p2m.h"
#include "ravelin/string.h"
#include "ravelin/trail.h"
#include "ravelin/vmexit.h"

#include "emulate.h"

/* Iterations of a REP per exit; the instruction then continues after the next
 * entry, so that interrupts and other vCPUs get their turn. */
#define REP_LIMIT 128u
/* Bytes that string port instructions move at once. */
#define BLOCK_SIZE 512u
/* After so long the exit or slice ends with the access that is under way: one
 * of a device may cost as much as a transfer or a look at the screen. */
#define IO_NS 250000u

/* RAM that could not be accessed: a monitor's right forbids it. */
static bool page_is_ram(const struct vcpu *v, gpa_t at)
{
    return p2m_lookup(&v->domain->p2m, gpa_to_gfn(at)).type == P2M_RAM;
}

static int watched_read(struct emul *e, uint64_t lin, unsigned size,
                        uint8_t want, bool user, uint64_t *value)
{
    struct guest_fault fault;

    if (!monitor_access_emulated(e->priv, gva(lin), want, user) ||
        guest_free_read(e->priv, value, gva(lin), size, want, user, &fault)) {
        return EMUL_RETRY;
    }
    return EMUL_OK;
}

static int watched_write(struct emul *e, uint64_t lin, unsigned size, bool user,
                         uint64_t value)
{
    struct guest_fault fault;

    if (!monitor_access_emulated(e->priv, gva(lin), ACCESS_WRITE, user) ||
        guest_free_write(e->priv, gva(lin), &value, size, user, &fault)) {
        return EMUL_RETRY;
    }
    return EMUL_OK;
}

/* One access inside a page: RAM, a device, or the empty bus. */
static int part_read(struct emul *e, uint64_t lin, unsigned size, uint8_t want,
                     bool user, uint64_t *value)
{
    struct guest_fault fault;

    *value = 0;
    if (guest_linear_read(e->priv, value, gva(lin), size, want, user, &fault)) {
        if (fault.is_page_fault) {
            return emul_raise_pf(e, fault.gva.v, fault.error);
        }
        if (page_is_ram(e->priv, fault.gpa)) {
            return watched_read(e, lin, size, want, user, value);
        }
        device_mmio(e->priv, fault.gpa, size, false, value);
    }
    return EMUL_OK;
}

static int part_write(struct emul *e, uint64_t lin, unsigned size, bool user,
                      uint64_t value)
{
    struct guest_fault fault;

    if (guest_linear_write(e->priv, gva(lin), &value, size, user, &fault)) {
        if (fault.is_page_fault) {
            return emul_raise_pf(e, fault.gva.v, fault.error);
        }
        if (page_is_ram(e->priv, fault.gpa)) {
            return watched_write(e, lin, size, user, value);
        }
        device_mmio(e->priv, fault.gpa, size, true, &value);
    }
    return EMUL_OK;
}

/* Bytes of an access that lie in its first page. */
static unsigned first_part(uint64_t lin, unsigned size)
{
    unsigned room = (unsigned)(PAGE_SIZE - (lin & ~PAGE_MASK));

    return rv_min(room, size);
}

/* Would the guest's tables allow it? Both pages are asked before either is
 * touched. */
static int access_check(struct emul *e, uint64_t lin, unsigned size,
                        uint8_t want, bool user)
{
    unsigned first = first_part(lin, size);
    uint64_t at[2] = {lin, lin + first};
    struct guest_fault fault;
    gpa_t ignored;

    for (unsigned i = 0; i < (first < size ? 2u : 1u); i++) {
        if (guest_translate(e->priv, gva(at[i]), want, user, &ignored,
                            &fault) &&
            fault.is_page_fault) {
            return emul_raise_pf(e, fault.gva.v, fault.error);
        }
    }
    return EMUL_OK;
}

int emulate_op_read(struct emul *e, uint64_t lin, unsigned size,
                    unsigned access, uint64_t *value)
{
    uint8_t want = access & EMUL_ACCESS_WRITE ? ACCESS_WRITE : ACCESS_READ;
    bool user = (access & EMUL_ACCESS_USER) != 0;
    unsigned first = first_part(lin, size);
    uint64_t rest;
    int rc;

    if (first == size) {
        return part_read(e, lin, size, want, user, value);
    }
    rc = access_check(e, lin, size, want, user);
    for (unsigned i = 0; rc == EMUL_OK && i < size; i++) {
        rc = part_read(e, lin + i, 1, want, user, &rest);
        *value = (i ? *value : 0) | (rest & 0xff) << (i * 8);
    }
    return rc;
}

int emulate_op_write(struct emul *e, uint64_t lin, unsigned size,
                     unsigned access, uint64_t value)
{
    bool user = (access & EMUL_ACCESS_USER) != 0;
    int rc;

    if (first_part(lin, size) == size) {
        return part_write(e, lin, size, user, value);
    }
    rc = access_check(e, lin, size, ACCESS_WRITE, user);
    for (unsigned i = 0; rc == EMUL_OK && i < size; i++) {
        rc = part_write(e, lin + i, 1, user, (value >> (i * 8)) & 0xff);
    }
    return rc;
}

int emulate_op_probe(struct emul *e, uint64_t lin, unsigned size,
                     unsigned access)
{
    uint8_t want = access & EMUL_ACCESS_WRITE ? ACCESS_WRITE : ACCESS_READ;

    return access_check(e, lin, size, want, (access & EMUL_ACCESS_USER) != 0);
}

bool emulate_io_is_late(uint64_t *end_ns)
{
    uint64_t now = arch_time_ns();

    if (*end_ns == 0) {
        *end_ns = now + IO_NS;
    }
    return now >= *end_ns;
}

struct device_emul {
    struct emul emul;
    uint64_t end_ns; /* see emulate_io_is_late() */
};

static int op_io(struct emul *e, uint16_t port, unsigned size, bool in,
                 uint32_t *value)
{
    struct device_emul *d = container_of(e, struct device_emul, emul);

    device_port(e->priv, port, size, in, value);
    e->is_late = emulate_io_is_late(&d->end_ns);
    return EMUL_OK;
}

/* Only devices of a legacy platform move blocks. What is read from one is gone,
 * so memory is asked first whether it can be written; if another vCPU takes it
 * away meanwhile, the guest has lost those bytes to itself. */
int emulate_op_io_block(struct emul *e, uint16_t port, unsigned size, bool in,
                        uint64_t lin, unsigned access, uint32_t *count)
{
    uint8_t want = in ? ACCESS_WRITE : ACCESS_READ;
    bool user = (access & EMUL_ACCESS_USER) != 0;
    unsigned bytes = first_part(lin, *count * size);
    struct vcpu *v = e->priv;
    struct guest_fault fault;
    uint8_t buf[BLOCK_SIZE];
    size_t n = rv_min(bytes, BLOCK_SIZE) / size * size;

    *count = 0;
    if (v->domain->legacy == NULL || n == 0 ||
        guest_linear_read(v, buf, gva(lin), n, want, user, &fault)) {
        return EMUL_OK;
    }
    n = legacy_port_string(v, port, size, in, buf, n);
    if (in && n != 0 && guest_linear_write(v, gva(lin), buf, n, user, &fault)) {
        return EMUL_OK;
    }
    *count = (uint32_t)(n / size);
    return EMUL_OK;
}

static const struct emul_ops device_ops = {
    .read = emulate_op_read,
    .write = emulate_op_write,
    .io = op_io,
    .io_block = emulate_op_io_block,
};

static const uint8_t segment_of[EMUL_SEG_COUNT] = {
    [EMUL_ES] = SEG_ES,     [EMUL_CS] = SEG_CS, [EMUL_SS] = SEG_SS,
    [EMUL_DS] = SEG_DS,     [EMUL_FS] = SEG_FS, [EMUL_GS] = SEG_GS,
    [EMUL_LDTR] = SEG_LDTR, [EMUL_TR] = SEG_TR, [EMUL_GDTR] = SEG_GDTR,
    [EMUL_IDTR] = SEG_IDTR,
};

void emulate_state_load(struct emul_cpu *cpu, const struct vcpu *v)
{
    memcpy(cpu->reg, v->regs.gpr, sizeof(v->regs.gpr));
    cpu->rip = v->regs.rip;
    cpu->rflags = v->regs.rflags;
    for (unsigned i = 0; i < EMUL_SEG_COUNT; i++) {
        struct vcpu_segment s;

        hv->segment_get(v, (enum seg_index)segment_of[i], &s);
        cpu->seg[i] = (struct emul_seg){s.selector, s.attr, s.limit, s.base};
    }
    cpu->cr0 = hv->creg_get(v, CREG_CR0);
    cpu->cr2 = hv->creg_get(v, CREG_CR2);
    cpu->cr3 = hv->creg_get(v, CREG_CR3);
    cpu->cr4 = hv->creg_get(v, CREG_CR4);
    cpu->efer = hv->creg_get(v, CREG_EFER);
    cpu->dr[6] = hv->creg_get(v, CREG_DR6);
    cpu->dr[7] = hv->creg_get(v, CREG_DR7);
    cpu->cpl = (uint8_t)hv->cpl_get(v);
    cpu->shadow = 0;
}

void emulate_state_store(struct vcpu *v, const struct emul_cpu *cpu,
                         const struct emul_cpu *before)
{
    memcpy(v->regs.gpr, cpu->reg, sizeof(v->regs.gpr));
    v->regs.rip = cpu->rip;
    v->regs.rflags = cpu->rflags;
    for (unsigned i = 0; i < EMUL_SEG_COUNT; i++) {
        const struct emul_seg *s = &cpu->seg[i];
        struct vcpu_segment out = {s->sel, s->attr, s->limit, s->base};

        if (memcmp(s, &before->seg[i], sizeof(*s)) != 0) {
            hv->segment_set(v, (enum seg_index)segment_of[i], &out);
        }
    }
    if (cpu->shadow) {
        hv->shadow_set(v);
    } else {
        hv->shadow_clear(v);
    }
}

static void exception_forward(struct vcpu *v, const struct emul_event *ev,
                              uint64_t dr6)
{
    if (ev->vector == 1) {
        hv->creg_set(v, CREG_DR6, dr6);
    }
    if (ev->vector == 14) {
        vcpu_pf_inject(v, ev->error, gva(ev->cr2));
    } else {
        vcpu_exception_inject(v, ev->vector, ev->has_error, ev->error);
    }
}

enum emul_result vcpu_emulate_try(struct vcpu *v, const struct emul_insn *insn)
{
    struct device_emul d;
    struct emul *e = &d.emul;
    struct emul_cpu before;
    enum emul_result result;

    trail_note(v, TRAIL_EMULATED);
    d.end_ns = 0;
    emul_init(e, &device_ops, v, NULL);
    e->rep_limit = REP_LIMIT;
    emulate_state_load(&e->cpu, v);
    before = e->cpu;
    emul_sync(e);
    result = emul_exec(e, insn);
    switch (result) {
    case EMUL_OK:
        emulate_state_store(v, &e->cpu, &before);
        break;
    case EMUL_FAULT:
        emulate_state_store(v, &e->cpu, &before);
        exception_forward(v, &e->event, e->cpu.dr[6]);
        break;
    case EMUL_RETRY:
        /* The iterations of a REP up to here are done. */
        memcpy(v->regs.gpr, e->cpu.reg, sizeof(v->regs.gpr));
        break;
    default:
        break;
    }
    return result;
}

void vcpu_emulate(struct vcpu *v, const struct emul_insn *insn)
{
    enum emul_result result = vcpu_emulate_try(v, insn);

    if (result != EMUL_OK && result != EMUL_FAULT && result != EMUL_RETRY) {
        domain_crash(v->domain, v, "cannot emulate %s at rip %016lx",
                     emul_id_name(insn->id), v->regs.rip);
    }
}
