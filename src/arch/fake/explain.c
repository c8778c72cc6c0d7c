/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fake processor would be entered with, as far as it keeps such state,
 * judged by the rules of VMRUN.
 */

#include "ravelin/explain.h"
#include "fake.h"
#include "fake_internal.h"
#include "ravelin/domain.h"

#define EFER_SVME (1UL << 12)

static uint64_t event_encode(const struct vcpu_event *ev)
{
    return ev->valid ? ev->vector | (uint64_t)ev->type << 8 |
                           (uint64_t)ev->has_error << 11 | 1UL << 31 |
                           (uint64_t)ev->error << 32
                     : 0;
}

void fake_explain(const struct vcpu *v, struct explain_snapshot *s)
{
    const struct fake_vcpu *fv = fake_vcpu(v);

    explain_snapshot_init(s, &explain_svm);
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        explain_segment_set(s, (enum seg_index)i, fv->seg[i].selector,
                            fv->seg[i].attr, fv->seg[i].limit, fv->seg[i].base);
    }
    explain_value_set(s, XF_CR0, fv->creg[CREG_CR0]);
    explain_value_set(s, XF_CR3, fv->creg[CREG_CR3]);
    explain_value_set(s, XF_CR4, fv->creg[CREG_CR4]);
    explain_value_set(s, XF_DR6, fv->creg[CREG_DR6]);
    explain_value_set(s, XF_DR7, fv->creg[CREG_DR7]);
    explain_value_set(s, XF_EFER, fv->creg[CREG_EFER] | EFER_SVME);
    explain_value_set(s, XF_EVENT_INJ, event_encode(&fv->event));
}
