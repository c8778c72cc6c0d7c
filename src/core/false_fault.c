/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which shutdown of a guest is the emulator's own mistake. The state of a guest
 * is undefined after a shutdown on a real processor, so this looks for the
 * emulator's signature first; TCG leaves registers as they were at the fetch.
 * Ref: AMD APM Vol 2, 15.14.3 "Shutdown Intercept".
 */

#include "ravelin/false_fault.h"
#include "arch/host.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/log.h"
#include "ravelin/string.h"
#include "ravelin/vmexit.h"

#define LEAF_EMULATOR 0x40000000u
#define VECTOR_PF 14u
#define PF_PRESENT 1u

static bool runs_on_tcg(void)
{
    uint32_t out[4];
    char signature[12];

    arch_cpuid(LEAF_EMULATOR, 0, out);
    memcpy(signature, &out[1], sizeof(signature));
    return memcmp(signature, "TCGTCGTCGTCG", sizeof(signature)) == 0;
}

/* Not for ever: a guest may be racing against its own tables. */
static bool place_is_worn_out(struct vcpu *v)
{
    if (v->false_fault_rip != v->regs.rip) {
        v->false_fault_rip = v->regs.rip;
        v->false_fault_count = 0;
    }
    return ++v->false_fault_count > FALSE_FAULT_MAX;
}

static bool fetch_is_mapped(struct vcpu *v)
{
    struct guest_fault fault;
    uint64_t base;
    gpa_t ignored;

    (void)vcpu_code_mode(v, &base);
    return guest_translate(v, gva(base + v->regs.rip), ACCESS_EXEC,
                           hv->cpl_get(v) == 3, &ignored, &fault) == 0;
}

bool triple_fault_is_false(struct vcpu *v)
{
    struct vcpu_event ev;

    if (!runs_on_tcg() || !hv->event_take(v, &ev)) {
        return false;
    }
    if (ev.vector != VECTOR_PF || ev.type != EVENT_EXCEPTION ||
        (ev.error & PF_PRESENT) || !fetch_is_mapped(v) ||
        place_is_worn_out(v)) {
        hv->event_inject(v, &ev);
        return false;
    }
    log_warn("%s: entry of vcpu %u repeated at rip %016lx: the emulator ran it "
             "without nested paging",
             v->domain->name, v->id, v->regs.rip);
    return true;
}
