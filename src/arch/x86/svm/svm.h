/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the SVM backend share: the hardware state kept per vCPU,
 * per CPU and per domain, and the backend's internal functions.
 */
#pragma once

#include "arch/backend.h"
#include "ravelin/cpu.h"
#include "ravelin/domain.h"
#include "svm/vmcb.h"

#define DR7_ENABLES 0xffUL
#define DR7_RESET 0x400UL
#define EFER_LMA_BIT (1UL << 10)

struct svm_vcpu {
    struct vmcb *vmcb;
    uint64_t vmcb_pa;
    uint8_t *msrpm; /* NULL: the shared default bitmap */

    uint64_t asid_generation; /* 0: needs a new ASID */
    const struct cpu *asid_cpu;

    struct vcpu_intercepts wanted;
    bool nmi_masked;   /* an NMI was delivered, no IRET seen yet */
    uint64_t iret_rip; /* where that IRET starts, ~0 if not seen */

    /* A software interrupt or exception that was injected and may not be
     * delivered yet; see svm_event.c. */
    bool soft_is_queued;
    uint8_t soft_type;
    uint8_t soft_len;
    uint64_t soft_rip; /* of the instruction it stands for */

    bool lme_is_hidden; /* EFER.LME is set, but not in the VMCB */

    uint64_t dr[4];
    bool dr_loaded; /* DR0-3 hold the guest's values on this CPU */
    uint64_t xcr0;
    uint64_t tsc_aux;
};

struct svm_cpu {
    void *host_save;   /* VM_HSAVE_PA page */
    struct vmcb *host; /* VMSAVE image of the host */
    uint64_t host_pa;
    uint64_t generation; /* of ASIDs handed out on this CPU */
    uint32_t asid_next;
    uint32_t asid_count;
};

extern const struct hv_backend svm_backend;

static inline struct svm_vcpu *svm_vcpu(const struct vcpu *v)
{
    return v->arch;
}
static inline struct vmcb *svm_vmcb(const struct vcpu *v)
{
    return svm_vcpu(v)->vmcb;
}

static inline unsigned svm_code_bits(const struct vmcb *vmcb)
{
    if (likely((vmcb->cs.attr & SEG_ATTR_L) && (vmcb->efer & EFER_LMA_BIT))) {
        return 64;
    }
    return vmcb->cs.attr & SEG_ATTR_DB ? 32 : 16;
}

/* The snapshot that guest copies use. */
static inline void svm_paging_refresh(struct vcpu *v)
{
    const struct vmcb *vmcb = svm_vmcb(v);

    v->paging.cr0 = vmcb->cr0;
    v->paging.cr3 = vmcb->cr3;
    v->paging.cr4 = vmcb->cr4;
    v->paging.efer = vmcb->efer;
}

/* svm_cpu.c */
int svm_probe(const char **why);
int svm_cpu_enable(void);
void svm_cpu_disable(void);
extern struct svm_cpu svm_cpus[CPU_COUNT_MAX];
static inline struct svm_cpu *svm_this_cpu(void)
{
    return &svm_cpus[this_cpu()->id];
}
/** Gives `v` an ASID valid on this CPU, flushing when they run out. */
void svm_asid_assign(struct svm_vcpu *sv, struct svm_cpu *cpu);

/* svm_vcpu.c */
int svm_vcpu_create(struct vcpu *v);
void svm_vcpu_destroy(struct vcpu *v);
void svm_vcpu_reset(struct vcpu *v);
void svm_vcpu_load(struct vcpu *v);
void svm_vcpu_save(struct vcpu *v);
void svm_vcpu_enter(struct vcpu *v, struct vmexit *exit);
void svm_tlb_flush(struct vcpu *v);
void svm_npt_root_set(struct vcpu *v, mfn_t root);
void svm_tsc_offset_set(struct vcpu *v, uint64_t offset);

/* svm_switch.S: runs the guest whose VMCB is at `vmcb_pa`. */
void svm_switch(struct vcpu_regs *regs, uint64_t vmcb_pa, uint64_t host_pa);

/* svm_exit.c */
void svm_exit_decode(struct vcpu *v, struct vmexit *exit);
void svm_exit_raw_get(const struct vcpu *v, uint64_t raw[3]);
unsigned svm_insn_bytes(const struct vcpu *v, uint8_t out[15]);

/* svm_state.c */
void svm_segment_get(const struct vcpu *v, enum seg_index i,
                     struct vcpu_segment *out);
void svm_segment_set(struct vcpu *v, enum seg_index i,
                     const struct vcpu_segment *in);
uint64_t svm_creg_get(const struct vcpu *v, enum vcpu_creg r);
void svm_creg_set(struct vcpu *v, enum vcpu_creg r, uint64_t value);
unsigned svm_code_bits_get(const struct vcpu *v);
unsigned svm_cpl_get(const struct vcpu *v);
unsigned svm_tpr_get(const struct vcpu *v);
void svm_tpr_set(struct vcpu *v, unsigned tpr);

/* svm_debug.c */
/** Moves the guest's DR0-3 into the processor and opens the registers. */
void svm_debug_load(struct vcpu *v);
/** The opposite; nothing if they were not loaded. */
void svm_debug_save(struct vcpu *v);
/** The guest's DR7 without the breakpoints that would hit our own code, stack
 * or data on the way into the guest. DR0-3 are loaded. */
uint64_t svm_dr7_for_host(const struct svm_vcpu *sv, const struct svm_cpu *cpu);
/** After DR0-3 or DR7 were set: enabled breakpoints need their addresses in the
 * registers, and their writes intercepted. */
void svm_breakpoints_settle(struct vcpu *v);

/* svm_event.c */
void svm_event_inject(struct vcpu *v, const struct vcpu_event *ev);
bool svm_event_take(struct vcpu *v, struct vcpu_event *out);
bool svm_event_is_queued(const struct vcpu *v);
bool svm_irq_is_open(const struct vcpu *v);
bool svm_nmi_is_open(const struct vcpu *v);
bool svm_shadow_get(const struct vcpu *v);
void svm_shadow_clear(struct vcpu *v);
void svm_shadow_set(struct vcpu *v);
/** After an exit: queues again what the exit interrupted. */
void svm_event_requeue(struct vcpu *v);
void svm_intercepts_set(struct vcpu *v, const struct vcpu_intercepts *in);
void svm_intercepts_apply(const struct vcpu *v);

/* svm_soft.c */
/** `ev`, software, is in event_inj: makes the saved RIP right. */
void svm_soft_place(struct vcpu *v, const struct vcpu_event *ev);
/** May the event that an exit interrupted be queued as it was? */
bool svm_soft_requeue(struct vcpu *v, unsigned type, unsigned vector);
/** The queued event is taken back: completes *out, undoes the placing. */
void svm_soft_take(struct vcpu *v, struct vcpu_event *out);
/** Notices that nothing is queued any more. */
void svm_soft_settle(const struct vcpu *v);

/* svm_bitmap.c */
int svm_bitmaps_init(void);
uint64_t svm_msrpm_pa(const struct vcpu *v);
uint64_t svm_iopm_pa(const struct domain *d);
void svm_msr_passthrough(struct vcpu *v, uint32_t msr, bool read, bool write);
int svm_io_passthrough(struct domain *d, uint16_t first, uint16_t count,
                       bool allow);
void svm_domain_destroy(struct domain *d);

/* svm_selftest.c */
/** Tries what no feature bit tells. Once, on the boot CPU, after it was
 * enabled. 0; -ENOMEM. */
int rv_must_check svm_selftest(uint64_t host_area);
bool svm_breakpoint_is_exception(void);

/* svm_explain.c */
void svm_explain(const struct vcpu *v, struct explain_snapshot *s);

/* svm_dump.c */
void svm_dump(const struct vcpu *v);
