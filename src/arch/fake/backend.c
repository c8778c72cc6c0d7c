/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake virtualisation backend. It executes no guest code: vcpu_enter takes
 * the next exit from a queue or asks a function of the test. Rules that the
 * real backends rely on (load before enter, not twice) end the test.
 */

#include <stdio.h>
#include <stdlib.h>

#include "arch_inline.h"
#include "fake.h"
#include "fake_internal.h"
#include "ravelin/domain.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"

#define STATE_ORDER 2u

static void rule(bool ok, const char *text)
{
    if (!ok) {
        fprintf(stderr, "fake backend: %s\n", text);
        abort();
    }
}

static int probe(const char **why rv_unused)
{
    return 0;
}

static int cpu_enable(void)
{
    return 0;
}

static void cpu_disable(void)
{
}

static int vcpu_create(struct vcpu *v)
{
    v->arch = pages_alloc(STATE_ORDER);
    v->xsave = v->arch ? page_alloc() : NULL;
    if (!v->xsave) {
        if (v->arch) {
            pages_free(v->arch, STATE_ORDER);
            v->arch = NULL;
        }
        return -RV_ENOMEM;
    }
    fake_state_reset(v);
    return 0;
}

static void vcpu_destroy(struct vcpu *v)
{
    if (!v->arch) {
        return;
    }
    rule(!fake_vcpu(v)->loaded_on, "a loaded vCPU was destroyed");
    fake_msr_forget(v);
    page_free(v->xsave);
    pages_free(v->arch, STATE_ORDER);
    v->xsave = NULL;
    v->arch = NULL;
}

static void vcpu_load(struct vcpu *v)
{
    struct fake_vcpu *fv = fake_vcpu(v);

    rule(!fv->loaded_on, "a vCPU was loaded twice");
    fv->loaded_on = this_cpu();
    fv->load_count++;
}

static void vcpu_save(struct vcpu *v)
{
    struct fake_vcpu *fv = fake_vcpu(v);

    rule(fv->loaded_on == this_cpu(), "a vCPU was saved where it is not");
    fv->loaded_on = NULL;
    fv->save_count++;
}

static void event_deliver(struct fake_vcpu *fv)
{
    if (fv->event.valid) {
        fv->delivered = fv->event;
        fv->delivered_count++;
        fv->event.valid = false;
    }
}

static void vcpu_enter(struct vcpu *v, struct vmexit *exit)
{
    struct fake_vcpu *fv = fake_vcpu(v);

    rule(fv->loaded_on == this_cpu(), "a vCPU was entered without load");
    fv->enter_count++;
    fv->flush_wanted = false;
    event_deliver(fv);
    *exit = (struct vmexit){.reason = VMEXIT_HLT, .insn_len = 1};
    if (fv->run) {
        fv->run(v, exit);
    } else if (fv->exit_head != fv->exit_tail) {
        *exit = fv->exits[fv->exit_head++ % FAKE_EXITS_MAX];
    }
    fake_paging_refresh(v);
}

void fake_exit_queue(struct vcpu *v, const struct vmexit *exit)
{
    struct fake_vcpu *fv = fake_vcpu(v);

    rule(fv->exit_tail - fv->exit_head < FAKE_EXITS_MAX, "exit queue is full");
    fv->exits[fv->exit_tail++ % FAKE_EXITS_MAX] = *exit;
}

static void dump(const struct vcpu *v)
{
    fake_vcpu(v)->dump_count++;
}

const struct hv_backend fake_backend = {
    .name = "fake",
    .hypercall_insn = {0x0f, 0x01, 0xd9},
    .probe = probe,
    .cpu_enable = cpu_enable,
    .cpu_disable = cpu_disable,
    .vcpu_create = vcpu_create,
    .vcpu_destroy = vcpu_destroy,
    .vcpu_reset = fake_state_reset,
    .vcpu_load = vcpu_load,
    .vcpu_save = vcpu_save,
    .vcpu_enter = vcpu_enter,
    .segment_get = fake_segment_get,
    .segment_set = fake_segment_set,
    .creg_get = fake_creg_get,
    .code_bits_get = fake_code_bits_get,
    .exit_raw_get = fake_exit_raw_get,
    .creg_set = fake_creg_set,
    .cpl_get = fake_cpl_get,
    .explain = fake_explain,
    .event_inject = fake_event_inject,
    .event_take = fake_event_take,
    .event_is_queued = fake_event_is_queued,
    .irq_is_open = fake_irq_is_open,
    .nmi_is_open = fake_nmi_is_open,
    .shadow_get = fake_shadow_get,
    .shadow_set = fake_shadow_set,
    .shadow_clear = fake_shadow_clear,
    .tpr_get = fake_tpr_get,
    .tpr_set = fake_tpr_set,
    .intercepts_set = fake_intercepts_set,
    .breakpoint_is_exception = fake_breakpoint_is_exception,
    .msr_passthrough = fake_msr_passthrough,
    .io_passthrough = fake_io_passthrough,
    .domain_destroy = fake_bitmaps_destroy,
    .tsc_offset_set = fake_tsc_offset_set,
    .tlb_flush = fake_tlb_flush,
    .npt_root_set = fake_npt_root_set,
    .npt_encode = fake_npt_encode,
    .npt_decode = fake_npt_decode,
    .npt_leaf_level_max = fake_npt_leaf_level_max,
    .insn_bytes = fake_insn_bytes,
    .dump = dump,
};

const struct hv_backend *const hv_backends[] = {&fake_backend};
const unsigned hv_backend_count = 1;
