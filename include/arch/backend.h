/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam between policy and processor: one struct of function pointers per
 * virtualisation technology. A backend turns hardware state into the neutral
 * snapshots below and back; nothing above this line reads a VMCB or a VMCS,
 * and no backend calls into policy. docs/architecture.md lists each entry with
 * its meaning on SVM and on VMX.
 *
 * Threat surface: everything in struct vmexit was chosen by a guest. Backends
 * fill it, core/vmexit.c distrusts it.
 */
#pragma once

#include "ravelin/types.h"

struct vcpu;
struct domain;
struct explain_snapshot;

/* General registers in hardware encoding order. */
enum reg_index {
    REG_RAX,
    REG_RCX,
    REG_RDX,
    REG_RBX,
    REG_RSP,
    REG_RBP,
    REG_RSI,
    REG_RDI,
    REG_R8,
    REG_R9,
    REG_R10,
    REG_R11,
    REG_R12,
    REG_R13,
    REG_R14,
    REG_R15,
    REG_COUNT
};

/*
 * The register file kept per vCPU. GPRs are always current while the vCPU is
 * out of guest mode; rip, rsp and rflags are loaded from and stored to the
 * hardware structure by vcpu_enter itself.
 */
struct vcpu_regs {
    uint64_t gpr[REG_COUNT];
    uint64_t rip;
    uint64_t rflags;
};

enum seg_index {
    SEG_ES,
    SEG_CS,
    SEG_SS,
    SEG_DS,
    SEG_FS,
    SEG_GS,
    SEG_LDTR,
    SEG_TR,
    SEG_GDTR,
    SEG_IDTR,
    SEG_COUNT
};

/* `attr`: bits 0-7 = descriptor byte 5 (type, S, DPL, P); bits 8-11 = AVL, L,
 * D/B, G (the layout of SVM; VMX converts). Not present = unusable. */
struct vcpu_segment {
    uint16_t selector;
    uint16_t attr;
    uint32_t limit;
    uint64_t base;
};

#define SEG_ATTR_TYPE 0x00fu
#define SEG_ATTR_S 0x010u
#define SEG_ATTR_DPL 0x060u
#define SEG_ATTR_P 0x080u
#define SEG_ATTR_AVL 0x100u
#define SEG_ATTR_L 0x200u
#define SEG_ATTR_DB 0x400u
#define SEG_ATTR_G 0x800u

/* Control state, MSRs that a backend keeps in hardware form. */
enum vcpu_creg {
    CREG_CR0,
    CREG_CR2,
    CREG_CR3,
    CREG_CR4,
    CREG_EFER,
    CREG_PAT,
    CREG_DR6,
    CREG_DR7,
    CREG_STAR,
    CREG_LSTAR,
    CREG_CSTAR,
    CREG_SFMASK,
    CREG_KERNEL_GS_BASE,
    CREG_SYSENTER_CS,
    CREG_SYSENTER_ESP,
    CREG_SYSENTER_EIP,
    CREG_TSC_AUX,
    CREG_XCR0,
    CREG_DR0,
    CREG_DR1,
    CREG_DR2,
    CREG_DR3,
    CREG_COUNT
};

/* What decides how the guest translates linear addresses. */
struct vcpu_paging {
    uint64_t cr0;
    uint64_t cr3;
    uint64_t cr4;
    uint64_t efer;
};

enum vmexit_reason {
    VMEXIT_UNKNOWN,   /* an exit the backend has no name for */
    VMEXIT_NONE,      /* nothing for policy to do (interrupt taken, NMI) */
    VMEXIT_HYPERCALL, /* VMMCALL / VMCALL */
    VMEXIT_CPUID,
    VMEXIT_MSR, /* u.msr */
    VMEXIT_IO,  /* u.io */
    VMEXIT_CR,  /* u.cr */
    VMEXIT_DR,  /* u.dr */
    VMEXIT_HLT,
    VMEXIT_PAUSE,
    VMEXIT_MEMORY,     /* nested page fault / EPT violation: u.memory */
    VMEXIT_EXCEPTION,  /* u.exception */
    VMEXIT_SOFT_INT,   /* INT n intercepted (INT3 where #BP cannot be) */
    VMEXIT_IRQ_WINDOW, /* the guest can take an interrupt now */
    VMEXIT_NMI_WINDOW,
    VMEXIT_TRIPLE_FAULT, /* shutdown */
    VMEXIT_XSETBV,
    VMEXIT_CACHE, /* INVD, WBINVD */
    VMEXIT_MWAIT, /* MONITOR, MWAIT: u.insn_id tells */
    VMEXIT_RDPMC,
    VMEXIT_VIRT_INSN, /* VMRUN, VMXON, ... : #UD */
    VMEXIT_INVLPG,
    VMEXIT_TASK_SWITCH, /* u.task_switch */
    VMEXIT_RSM,
    VMEXIT_PUSHF,   /* only while stepping */
    VMEXIT_INVALID, /* the processor refused the entry */
    VMEXIT_COUNT
};

#define ACCESS_READ 1u
#define ACCESS_WRITE 2u
#define ACCESS_EXEC 4u
#define ACCESS_ALL 7u

struct vmexit {
    enum vmexit_reason reason;
    uint8_t insn_len;  /* 0: the hardware did not say */
    uint8_t code_bits; /* width of the code that exited: 16, 32, 64 */
    uint8_t cpl;
    union {
        struct {
            uint32_t index;
            bool write;
        } msr;
        struct {
            uint16_t port;
            uint8_t size; /* 1, 2, 4 */
            bool in;
            bool string;
            bool rep;
            uint8_t addr_size; /* 2, 4, 8; 0 = unknown */
            uint8_t segment;   /* enum seg_index; SEG_COUNT = unknown */
        } io;
        struct {
            uint8_t cr;
            bool write;
            bool decoded; /* gpr is valid (decode assist, VMX) */
            uint8_t gpr;
            uint8_t kind; /* enum cr_access_kind */
        } cr;
        struct {
            uint8_t dr;
            bool write;
            bool decoded;
            uint8_t gpr;
        } dr;
        struct {
            gpa_t gpa;
            gva_t gla;
            bool gla_valid;
            uint8_t access;  /* ACCESS_* bits attempted */
            bool present;    /* the entry existed and rights were short */
            bool table_walk; /* the guest's own page-table access */
            bool delivering; /* while an event was being delivered */
        } memory;
        struct {
            uint8_t vector;
            bool has_error;
            uint32_t error;
            uint64_t cr2;
        } exception;
        struct {
            uint16_t selector;
            uint8_t source; /* 0 call, 1 iret, 2 jmp, 3 gate */
            bool has_error;
            uint32_t error;
        } task_switch;
    } u;
};

enum cr_access_kind { CR_ACCESS_MOV, CR_ACCESS_CLTS, CR_ACCESS_LMSW };

/* Event types as both vendors number them. */
enum event_type {
    EVENT_EXTINT = 0,
    EVENT_NMI = 2,
    EVENT_EXCEPTION = 3,
    EVENT_SOFT_INT = 4,
    EVENT_PRIV_SOFT_EXC = 5, /* VMX only: INT1 */
    EVENT_SOFT_EXC = 6,      /* INT3, INTO */
};

struct vcpu_event {
    bool valid;
    uint8_t vector;
    uint8_t type; /* enum event_type */
    bool has_error;
    uint32_t error;
    uint8_t insn_len; /* software events */
    uint64_t cr2;     /* #PF */
};

/* What to intercept beyond what a backend always needs. */
struct vcpu_intercepts {
    bool cr0_write;
    bool cr3_write;
    bool cr4_write;
    bool cr8_write; /* a latched interrupt waits for a lower priority */
    bool soft_int;
    bool dr_access;
    bool irq_window;
    bool nmi_window;
    bool pause;
    /* TF is ours: everything that would show it or leave its reach exits
     * (all exceptions, software interrupts, PUSHF, task switches). */
    bool stepping;
    uint32_t exceptions; /* bit per vector */
};

/* One nested-paging entry, neutral. */
struct npt_entry {
    mfn_t mfn;
    uint8_t access;    /* ACCESS_*; 0 = not present */
    bool leaf;         /* maps memory (as opposed to a lower table) */
    uint8_t memtype;   /* enum npt_memtype */
    uint16_t software; /* 10 bits kept for the p2m; src/mm/p2m_table.h */
};
enum npt_memtype { NPT_MEM_WB, NPT_MEM_UC };

struct hv_backend {
    const char *name;
    /* What a guest executes to call us, for the hypercall page. */
    uint8_t hypercall_insn[3];

    /** Can this CPU be used? 0 or -ENODEV with *why set to a reason. */
    int (*probe)(const char **why);
    /** Turns virtualisation on for this CPU. 0, -ENOMEM, -ENODEV. */
    int (*cpu_enable)(void);
    /** Turns it off (panic, power-off). */
    void (*cpu_disable)(void);

    /** Allocates and resets the hardware state of `v`. 0, -ENOMEM. */
    int (*vcpu_create)(struct vcpu *v);
    /** Frees it; `v` runs nowhere. */
    void (*vcpu_destroy)(struct vcpu *v);
    /** Puts `v` into the architectural reset or INIT state. */
    void (*vcpu_reset)(struct vcpu *v);

    /** `v` becomes this CPU's current vCPU: loads what exits do not switch
     * (vector state, XCR0, TSC_AUX, debug registers). */
    void (*vcpu_load)(struct vcpu *v);
    /** The opposite of vcpu_load. */
    void (*vcpu_save)(struct vcpu *v);
    /** Runs `v` (loaded here) until the next exit, described in *exit. */
    void (*vcpu_enter)(struct vcpu *v, struct vmexit *exit);

    /** Segment registers; the vCPU is not in guest mode. */
    void (*segment_get)(const struct vcpu *v, enum seg_index i,
                        struct vcpu_segment *out);
    void (*segment_set)(struct vcpu *v, enum seg_index i,
                        const struct vcpu_segment *in);
    /** Control registers and switched MSRs, as the guest sees them. */
    uint64_t (*creg_get)(const struct vcpu *v, enum vcpu_creg r);
    /** Values must be architecturally valid (core/cr.c checks first). Keeps
     * v->paging in step. */
    void (*creg_set)(struct vcpu *v, enum vcpu_creg r, uint64_t value);
    /** Width of the code it runs: 16, 32 or 64. */
    unsigned (*code_bits_get)(const struct vcpu *v);
    /** Current privilege level, 0..3. */
    unsigned (*cpl_get)(const struct vcpu *v);

    /** The state as the next entry hands it to the processor, or as the last
     * refused one did, for the rules of this vendor. */
    void (*explain)(const struct vcpu *v, struct explain_snapshot *out);

    /** Queues `ev` for delivery by the next entry. */
    void (*event_inject)(struct vcpu *v, const struct vcpu_event *ev);
    /** The event whose delivery the last exit interrupted, or that is queued;
     * taking it removes it. False if there is none. */
    bool (*event_take)(struct vcpu *v, struct vcpu_event *out);
    /** Is an event queued (or to be redelivered) already? */
    bool (*event_is_queued)(const struct vcpu *v);
    /** May an external interrupt be injected now (IF, shadows)? */
    bool (*irq_is_open)(const struct vcpu *v);
    /** May an NMI be injected now? */
    bool (*nmi_is_open)(const struct vcpu *v);
    /** Is the instruction at RIP in an STI or MOV SS shadow? */
    bool (*shadow_get)(const struct vcpu *v);
    /** After an emulated STI, MOV SS or POP SS. */
    void (*shadow_set)(struct vcpu *v);
    /** After an emulated instruction: drops the STI / MOV SS shadow. */
    void (*shadow_clear)(struct vcpu *v);
    /** Guest task priority as written through CR8 (0..15). */
    unsigned (*tpr_get)(const struct vcpu *v);
    void (*tpr_set)(struct vcpu *v, unsigned tpr);

    /** Makes the wanted set effective at the next entry. */
    void (*intercepts_set)(struct vcpu *v, const struct vcpu_intercepts *in);
    /** Does an exception intercept of #BP see INT3 here? If not, `soft_int`
     * does. Found out at boot by trying, not by the processor's name. */
    bool (*breakpoint_is_exception)(void);
    /** Lets the guest touch an MSR / port range without an exit, or not. */
    void (*msr_passthrough)(struct vcpu *v, uint32_t msr, bool read,
                            bool write);
    int (*io_passthrough)(struct domain *d, uint16_t first, uint16_t count,
                          bool allow);
    /** Frees what io_passthrough allocated for `d`. */
    void (*domain_destroy)(struct domain *d);

    /** guest TSC = host TSC + offset. */
    void (*tsc_offset_set)(struct vcpu *v, uint64_t offset);
    /** The next entry of `v` flushes its guest-physical translations. */
    void (*tlb_flush)(struct vcpu *v);
    /** The root of guest-physical translation, once p2m exists. */
    void (*npt_root_set)(struct vcpu *v, mfn_t root);

    /** Entry encoding of nested page tables, levels 1 (4K) to 4. */
    uint64_t (*npt_encode)(const struct npt_entry *e, unsigned level);
    void (*npt_decode)(uint64_t raw, unsigned level, struct npt_entry *e);
    /** Largest leaf level supported: 1, 2 (2M) or 3 (1G). */
    unsigned (*npt_leaf_level_max)(void);

    /** The last exit as the hardware described it, for dumps: exit code and
     * two information words. */
    void (*exit_raw_get)(const struct vcpu *v, uint64_t raw[3]);
    /** Instruction bytes the hardware supplied with the last exit; 0 = none. */
    unsigned (*insn_bytes)(const struct vcpu *v, uint8_t out[15]);

    /** Prints the hardware structure, for a crash dump. */
    void (*dump)(const struct vcpu *v);
};

/* Those built into this image, in order of preference (arch). */
extern const struct hv_backend *const hv_backends[];
extern const unsigned hv_backend_count;

/* The one chosen at boot; read-only afterwards. */
extern const struct hv_backend *hv;
