/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A short memory of where a vCPU has been, in a ring per vCPU. Notes cost a
 * dozen instructions; everything that makes them readable is left to the dump.
 */

#include "ravelin/trail.h"
#include "ravelin/fmt.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/log.h"
#include "ravelin/vmexit.h"

#define BYTES_SHOWN 8u

void trail_note(struct vcpu *v, uint8_t kind)
{
    struct trail *t = &v->trail;
    struct trail_entry *last = &t->entry[(t->next - 1) % TRAIL_LENGTH];
    uint64_t base;

    (void)vcpu_code_mode(v, &base);
    if (t->count && last->kind == kind && last->rip == v->regs.rip &&
        last->linear == base + v->regs.rip) {
        last->repeats++;
        return;
    }
    t->entry[t->next % TRAIL_LENGTH] = (struct trail_entry){
        .rip = v->regs.rip,
        .linear = base + v->regs.rip,
        .kind = kind,
    };
    t->next++;
    t->count = rv_min(t->count + 1, TRAIL_LENGTH);
}

static void bytes_show(struct vcpu *v, uint64_t linear, char *text, size_t size)
{
    struct guest_fault fault;
    size_t used = 0;
    uint8_t byte;

    for (unsigned i = 0; i < BYTES_SHOWN; i++) {
        if (guest_linear_read(v, &byte, gva(linear + i), 1, ACCESS_READ, false,
                              &fault)) {
            break;
        }
        used += (size_t)fmt_snprintf(text + used, size - used, " %02x", byte);
    }
    text[used] = '\0';
}

void trail_dump(struct vcpu *v)
{
    const struct trail *t = &v->trail;
    char bytes[BYTES_SHOWN * 3 + 1];

    if (t->count == 0) {
        return;
    }
    log_error("last instructions seen, oldest first:");
    for (uint32_t i = t->next - t->count; i != t->next; i++) {
        const struct trail_entry *e = &t->entry[i % TRAIL_LENGTH];

        bytes_show(v, e->linear, bytes, sizeof(bytes));
        log_error("  rip %016lx %-12s x%u:%s", e->rip,
                  e->kind == TRAIL_EMULATED ? "emulated" : vmexit_name(e->kind),
                  e->repeats + 1, bytes);
    }
}
