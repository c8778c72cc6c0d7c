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
#define EFER_LMA (1UL << 10)
/* Page fault error code. */
#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_USER 4u
#define PF_FETCH 16u
#define GATE_PRESENT 0x80u
#define GATE_ACCESS_BYTE 5u

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

/* Can the guest's own tables lead the processor to this gate? */
static bool gate_is_present(struct vcpu *v, unsigned vector)
{
    unsigned size = v->paging.efer & EFER_LMA ? 16 : 8;
    struct vcpu_segment idt;
    struct guest_fault fault;
    uint8_t access;
    gva_t at;

    hv->segment_get(v, SEG_IDTR, &idt);
    at = gva(idt.base + vector * size + GATE_ACCESS_BYTE);
    return idt.limit >= vector * size + size - 1 &&
           guest_linear_read(v, &access, at, 1, ACCESS_READ, false, &fault) ==
               0 &&
           (access & GATE_PRESENT) != 0;
}

static bool is_missing_page(const struct vcpu_event *ev)
{
    return ev->vector == VECTOR_PF && ev->type == EVENT_EXCEPTION &&
           !(ev->error & PF_PRESENT);
}

static void repetition_log(const struct vcpu *v)
{
    log_warn("%s: entry of vcpu %u repeated at rip %016lx: the emulator ran it "
             "without nested paging",
             v->domain->name, v->id, v->regs.rip);
}

bool triple_fault_is_false(struct vcpu *v)
{
    struct vcpu_event ev;
    bool is_fetch, is_false;

    if (!runs_on_tcg() || !hv->event_take(v, &ev)) {
        return false;
    }
    is_fetch = is_missing_page(&ev);
    is_false = fetch_is_mapped(v) &&
               (is_fetch || gate_is_present(v, ev.vector)) &&
               !place_is_worn_out(v);
    if (!is_false || !is_fetch) {
        hv->event_inject(v, &ev);
    }
    if (is_false) {
        repetition_log(v);
    }
    return is_false;
}

bool delivery_fault_is_false(struct vcpu *v, uint32_t error, gva_t at)
{
    uint8_t access = error & PF_FETCH   ? ACCESS_EXEC
                     : error & PF_WRITE ? ACCESS_WRITE
                                        : ACCESS_READ;
    struct guest_fault fault;
    gpa_t ignored;

    if ((error & PF_PRESENT) || !runs_on_tcg() ||
        guest_translate(v, at, access, (error & PF_USER) != 0, &ignored,
                        &fault) != 0 ||
        place_is_worn_out(v)) {
        return false;
    }
    repetition_log(v);
    return true;
}
