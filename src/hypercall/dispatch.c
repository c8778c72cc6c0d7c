/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the registers of a vCPU to a handler and back. The path of an unknown
 * number is the yardstick of all hypercalls, so there is no loop and no call
 * before the table lookup.
 *
 * Threat surface: every register. 32-bit callers get the upper halves of their
 * registers ignored, not trusted.
 */
#include "ravelin/hypercall.h"

#include "handlers.h"
#include "hypercall_poison.h"
#include "ravelin/monitor.h"
#include "ravelin/monitor_access.h"
#include "ravelin/vmexit.h"

/* Operation masks with a meaning beyond their bits. */
#define ONE_OP 0u
#define IN_STRUCT 0u

struct hypercall_op {
    hypercall_fn fn; /* NULL: no such operation */
    uint8_t perm;    /* enum hypercall_perm */
    uint8_t need;    /* ROLE_* bits the caller must have */
};

struct hypercall_entry {
    const struct hypercall_op *op;
    uint16_t op_count; /* 0: no such hypercall */
    uint8_t arg_count;
    uint32_t op_mask;
};

#define PERM_NEED(perm)                        \
    ((perm) == PERM_CONTROL    ? ROLE_CONTROL  \
     : (perm) == PERM_HARDWARE ? ROLE_HARDWARE \
                               : 0)
#define OP_ROW(call, name, number, perm) \
    [number] = {call##_##name, perm, PERM_NEED(perm)},

static const struct hypercall_op ops_memory_op[] = {
#define SUBOP_memory_op(name, number, perm, ...) \
    OP_ROW(memory_op, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_set_timer_op[] = {
#define SUBOP_set_timer_op(name, number, perm, ...) \
    OP_ROW(set_timer_op, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_xen_version[] = {
#define SUBOP_xen_version(name, number, perm, ...) \
    OP_ROW(xen_version, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_console_io[] = {
#define SUBOP_console_io(name, number, perm, ...) \
    OP_ROW(console_io, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_vm_assist[] = {
#define SUBOP_vm_assist(name, number, perm, ...) \
    OP_ROW(vm_assist, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_vcpu_op[] = {
#define SUBOP_vcpu_op(name, number, perm, ...) \
    OP_ROW(vcpu_op, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_sched_op[] = {
#define SUBOP_sched_op(name, number, perm, ...) \
    OP_ROW(sched_op, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_event_channel_op[] = {
#define SUBOP_event_channel_op(name, number, perm, ...) \
    OP_ROW(event_channel_op, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_hvm_op[] = {
#define SUBOP_hvm_op(name, number, perm, ...) OP_ROW(hvm_op, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_v4v_op[] = {
#define SUBOP_v4v_op(name, number, perm, ...) OP_ROW(v4v_op, name, number, perm)
#include "table.def"
};
static const struct hypercall_op ops_monitor_op[] = {
#define SUBOP_monitor_op(name, number, perm, ...) \
    OP_ROW(monitor_op, name, number, perm)
#include "table.def"
};
/* Their operation is in guest memory: domctl.c and sysctl.c look it up. */
static const struct hypercall_op ops_sysctl[] = {
    {sysctl_call, PERM_CONTROL, ROLE_CONTROL},
};
static const struct hypercall_op ops_domctl[] = {
    {domctl_call, PERM_CONTROL, 0}, /* some are for monitors, too */
};

static const struct hypercall_entry table[] = {
#define HYPERCALL(name, number, args, mask, text) \
    [number] = {ops_##name, ARRAY_SIZE(ops_##name), args, mask},
#include "table.def"
};

/* Argument registers by caller: the Xen calling convention. */
static const uint8_t args_64[5] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8};
static const uint8_t args_32[5] = {REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI};

static void args_load(const struct vcpu_regs *r, struct hypercall_args *a)
{
    if (!a->is_32bit) {
        a->arg[0] = r->gpr[REG_RDI];
        a->arg[1] = r->gpr[REG_RSI];
        a->arg[2] = r->gpr[REG_RDX];
        a->arg[3] = r->gpr[REG_R10];
        a->arg[4] = r->gpr[REG_R8];
    } else {
        a->arg[0] = (uint32_t)r->gpr[REG_RBX];
        a->arg[1] = (uint32_t)r->gpr[REG_RCX];
        a->arg[2] = (uint32_t)r->gpr[REG_RDX];
        a->arg[3] = (uint32_t)r->gpr[REG_RSI];
        a->arg[4] = (uint32_t)r->gpr[REG_RDI];
    }
}

/* Progress of a call that is to be entered again. */
static void args_store(struct vcpu_regs *r, const struct hypercall_args *a,
                       unsigned count)
{
    const uint8_t *reg = a->is_32bit ? args_32 : args_64;

    for (unsigned i = 0; i < count; i++) {
        r->gpr[reg[i]] = a->is_32bit ? (uint32_t)a->arg[i] : a->arg[i];
    }
}

static const struct hypercall_op *op_find(const struct hypercall_entry *e,
                                          uint64_t arg)
{
    uint32_t n = (uint32_t)arg & e->op_mask;

    if (n >= e->op_count || e->op[n].fn == NULL) {
        return NULL;
    }
    return &e->op[n];
}

/* A 32-bit caller in real mode has no user/kernel border to stand behind. */
static bool caller_is_kernel(const struct vcpu *v, const struct vmexit *exit)
{
    if (exit->cpl != 0) {
        return false;
    }
    return exit->code_bits == 64 ||
           (hv->creg_get(v, CREG_CR0) & 1u /* PE */) != 0;
}

/* The registers are as the call is to be entered again when the monitor is told
 * why it was stopped. */
static rv_noinline long call_watched(struct vcpu *v, struct hypercall_args *a,
                                     const struct hypercall_op *op,
                                     unsigned arg_count)
{
    long rc;

    monitor_call_begin(v);
    rc = op->fn(v, a);
    if (rc == -RV_ERESTART) {
        args_store(&v->regs, a, arg_count);
    }
    if (!monitor_call_end(v)) {
        return rc;
    }
    args_load(&v->regs, a);
    return -RV_ERESTART;
}

static long call(struct vcpu *v, struct hypercall_args *a, uint64_t number)
{
    const struct hypercall_entry *e = &table[number];
    const struct hypercall_op *op;
    long rc;

    args_load(&v->regs, a);
    op = op_find(e, a->arg[0]);
    if (op == NULL) {
        return -RV_ENOSYS;
    }
    if ((v->domain->roles & op->need) != op->need) {
        return -RV_EPERM;
    }
    a->perm = op->perm;
    rc = likely(monitor_of(v->domain) == NULL)
             ? op->fn(v, a)
             : call_watched(v, a, op, e->arg_count);
    if (unlikely(rc == -RV_ERESTART)) {
        args_store(&v->regs, a, e->arg_count);
    } else {
        hypercall_poison(&v->regs, a->is_32bit ? args_32 : args_64,
                         e->arg_count, a->is_32bit);
    }
    return rc;
}

void hypercall_dispatch(struct vcpu *v, const struct vmexit *exit)
{
    struct hypercall_args a;
    uint64_t number = v->regs.gpr[REG_RAX];
    long rc;

    a.is_32bit = exit->code_bits != 64;
    if (a.is_32bit) {
        number = (uint32_t)number;
    }
    if (unlikely(!caller_is_kernel(v, exit))) {
        rc = -RV_EPERM;
    } else if (number >= ARRAY_SIZE(table) || table[number].op_count == 0) {
        rc = -RV_ENOSYS;
    } else {
        rc = call(v, &a, number);
        if (rc == -RV_ERESTART) {
            return;
        }
    }
    v->regs.gpr[REG_RAX] = a.is_32bit ? (uint32_t)rc : (uint64_t)rc;
    vcpu_insn_skip(v, exit);
}
