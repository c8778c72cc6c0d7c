/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual machine control block of AMD SVM, as the manual lays it out, and
 * the numbers that go with it. Only files of this directory include it.
 * Ref: AMD APM Vol 2 Appendix B "VMCB Layout", Appendix C "SVM Intercept Exit
 *      Codes".
 */
#pragma once

#include "ravelin/types.h"

struct vmcb_segment {
    uint16_t selector;
    uint16_t attr;
    uint32_t limit;
    uint64_t base;
};

struct vmcb {
    /* Control area. */
    uint16_t cr_read;     /* 0x000 */
    uint16_t cr_write;    /* 0x002 */
    uint16_t dr_read;     /* 0x004 */
    uint16_t dr_write;    /* 0x006 */
    uint32_t exceptions;  /* 0x008 */
    uint32_t intercepts1; /* 0x00c */
    uint32_t intercepts2; /* 0x010 */
    uint32_t intercepts3; /* 0x014 */
    uint8_t res018[0x3c - 0x18];
    uint16_t pause_threshold; /* 0x03c */
    uint16_t pause_count;     /* 0x03e */
    uint64_t iopm_pa;         /* 0x040 */
    uint64_t msrpm_pa;        /* 0x048 */
    uint64_t tsc_offset;      /* 0x050 */
    uint32_t asid;            /* 0x058 */
    uint8_t tlb_control;      /* 0x05c */
    uint8_t res05d[3];
    uint64_t vintr;       /* 0x060 */
    uint64_t int_state;   /* 0x068 */
    uint64_t exitcode;    /* 0x070 */
    uint64_t exitinfo1;   /* 0x078 */
    uint64_t exitinfo2;   /* 0x080 */
    uint64_t exitintinfo; /* 0x088 */
    uint64_t np_control;  /* 0x090 */
    uint64_t avic_bar;    /* 0x098 */
    uint64_t ghcb;        /* 0x0a0 */
    uint64_t event_inj;   /* 0x0a8 */
    uint64_t n_cr3;       /* 0x0b0 */
    uint64_t lbr_control; /* 0x0b8 */
    uint32_t clean;       /* 0x0c0 */
    uint32_t res0c4;
    uint64_t nrip;    /* 0x0c8 */
    uint8_t insn_len; /* 0x0d0 */
    uint8_t insn[15]; /* 0x0d1 */
    uint8_t res0e0[0x400 - 0xe0];

    /* State save area. */
    struct vmcb_segment es;   /* 0x400 */
    struct vmcb_segment cs;   /* 0x410 */
    struct vmcb_segment ss;   /* 0x420 */
    struct vmcb_segment ds;   /* 0x430 */
    struct vmcb_segment fs;   /* 0x440 */
    struct vmcb_segment gs;   /* 0x450 */
    struct vmcb_segment gdtr; /* 0x460 */
    struct vmcb_segment ldtr; /* 0x470 */
    struct vmcb_segment idtr; /* 0x480 */
    struct vmcb_segment tr;   /* 0x490 */
    uint8_t res4a0[0x4cb - 0x4a0];
    uint8_t cpl; /* 0x4cb */
    uint32_t res4cc;
    uint64_t efer; /* 0x4d0 */
    uint8_t res4d8[0x548 - 0x4d8];
    uint64_t cr4;    /* 0x548 */
    uint64_t cr3;    /* 0x550 */
    uint64_t cr0;    /* 0x558 */
    uint64_t dr7;    /* 0x560 */
    uint64_t dr6;    /* 0x568 */
    uint64_t rflags; /* 0x570 */
    uint64_t rip;    /* 0x578 */
    uint8_t res580[0x5d8 - 0x580];
    uint64_t rsp; /* 0x5d8 */
    uint8_t res5e0[0x5f8 - 0x5e0];
    uint64_t rax;            /* 0x5f8 */
    uint64_t star;           /* 0x600 */
    uint64_t lstar;          /* 0x608 */
    uint64_t cstar;          /* 0x610 */
    uint64_t sfmask;         /* 0x618 */
    uint64_t kernel_gs_base; /* 0x620 */
    uint64_t sysenter_cs;    /* 0x628 */
    uint64_t sysenter_esp;   /* 0x630 */
    uint64_t sysenter_eip;   /* 0x638 */
    uint64_t cr2;            /* 0x640 */
    uint8_t res648[0x668 - 0x648];
    uint64_t g_pat;    /* 0x668 */
    uint64_t dbgctl;   /* 0x670 */
    uint64_t br_from;  /* 0x678 */
    uint64_t br_to;    /* 0x680 */
    uint64_t exc_from; /* 0x688 */
    uint64_t exc_to;   /* 0x690 */
    uint8_t res698[0x1000 - 0x698];
};

static_assert(sizeof(struct vmcb) == 4096, "APM Vol 2 Appendix B: one page");
static_assert(offsetof(struct vmcb, iopm_pa) == 0x040, "APM Table B-1");
static_assert(offsetof(struct vmcb, event_inj) == 0x0a8, "APM Table B-1");
static_assert(offsetof(struct vmcb, insn) == 0x0d1, "APM Table B-1");
static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "APM Table B-2");
static_assert(offsetof(struct vmcb, cr4) == 0x548, "APM Table B-2");
static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "APM Table B-2");
static_assert(offsetof(struct vmcb, rax) == 0x5f8, "APM Table B-2");
static_assert(offsetof(struct vmcb, g_pat) == 0x668, "APM Table B-2");

/* intercepts1 (offset 00Ch). */
#define SVM_I1_INTR (1u << 0)
#define SVM_I1_NMI (1u << 1)
#define SVM_I1_SMI (1u << 2)
#define SVM_I1_INIT (1u << 3)
#define SVM_I1_VINTR (1u << 4)
#define SVM_I1_RDPMC (1u << 15)
#define SVM_I1_PUSHF (1u << 16)
#define SVM_I1_CPUID (1u << 18)
#define SVM_I1_RSM (1u << 19)
#define SVM_I1_IRET (1u << 20)
#define SVM_I1_INTN (1u << 21)
#define SVM_I1_INVD (1u << 22)
#define SVM_I1_PAUSE (1u << 23)
#define SVM_I1_HLT (1u << 24)
#define SVM_I1_INVLPGA (1u << 26)
#define SVM_I1_IOIO (1u << 27)
#define SVM_I1_MSR (1u << 28)
#define SVM_I1_TASK_SWITCH (1u << 29)
#define SVM_I1_FERR (1u << 30)
#define SVM_I1_SHUTDOWN (1u << 31)

/* intercepts2 (offset 010h). */
#define SVM_I2_VMRUN (1u << 0)
#define SVM_I2_VMMCALL (1u << 1)
#define SVM_I2_VMLOAD (1u << 2)
#define SVM_I2_VMSAVE (1u << 3)
#define SVM_I2_STGI (1u << 4)
#define SVM_I2_CLGI (1u << 5)
#define SVM_I2_SKINIT (1u << 6)
#define SVM_I2_WBINVD (1u << 9)
#define SVM_I2_MONITOR (1u << 10)
#define SVM_I2_MWAIT (1u << 11)
#define SVM_I2_MWAIT_ARMED (1u << 12)
#define SVM_I2_XSETBV (1u << 13)

/* vintr (offset 060h). */
#define SVM_VINTR_TPR 0xfUL
#define SVM_VINTR_IRQ (1UL << 8)
#define SVM_VINTR_IGN_TPR (1UL << 20)
#define SVM_VINTR_MASKING (1UL << 24)

#define SVM_INT_SHADOW 1UL
#define SVM_NP_ENABLE 1UL

#define SVM_TLB_NOTHING 0u
#define SVM_TLB_FLUSH_ALL 1u

/* event_inj, exitintinfo. */
#define SVM_EVENT_VECTOR 0xffUL
#define SVM_EVENT_TYPE_SHIFT 8
#define SVM_EVENT_HAS_ERROR (1UL << 11)
#define SVM_EVENT_VALID (1UL << 31)

/* Exit codes that are not simple offsets into the tables. */
#define SVM_EXIT_CR0_READ 0x00u
#define SVM_EXIT_CR0_WRITE 0x10u
#define SVM_EXIT_DR0_READ 0x20u
#define SVM_EXIT_DR0_WRITE 0x30u
#define SVM_EXIT_EXCEPTION 0x40u
#define SVM_EXIT_INTR 0x60u
#define SVM_EXIT_NMI 0x61u
#define SVM_EXIT_SMI 0x62u
#define SVM_EXIT_INIT 0x63u
#define SVM_EXIT_VINTR 0x64u
#define SVM_EXIT_RDPMC 0x6fu
#define SVM_EXIT_PUSHF 0x70u
#define SVM_EXIT_CPUID 0x72u
#define SVM_EXIT_RSM 0x73u
#define SVM_EXIT_IRET 0x74u
#define SVM_EXIT_SWINT 0x75u
#define SVM_EXIT_INVD 0x76u
#define SVM_EXIT_PAUSE 0x77u
#define SVM_EXIT_HLT 0x78u
#define SVM_EXIT_INVLPG 0x79u
#define SVM_EXIT_INVLPGA 0x7au
#define SVM_EXIT_IOIO 0x7bu
#define SVM_EXIT_MSR 0x7cu
#define SVM_EXIT_TASK_SWITCH 0x7du
#define SVM_EXIT_FERR 0x7eu
#define SVM_EXIT_SHUTDOWN 0x7fu
#define SVM_EXIT_VMRUN 0x80u
#define SVM_EXIT_VMMCALL 0x81u
#define SVM_EXIT_VMLOAD 0x82u
#define SVM_EXIT_VMSAVE 0x83u
#define SVM_EXIT_STGI 0x84u
#define SVM_EXIT_CLGI 0x85u
#define SVM_EXIT_SKINIT 0x86u
#define SVM_EXIT_WBINVD 0x89u
#define SVM_EXIT_MONITOR 0x8au
#define SVM_EXIT_MWAIT 0x8bu
#define SVM_EXIT_MWAIT_ARMED 0x8cu
#define SVM_EXIT_XSETBV 0x8du
#define SVM_EXIT_NPF 0x400u
/* Only the low 32 bits are compared: some implementations (QEMU TCG) write
 * the code as 32 bits, so -1 arrives zero-extended. */
#define SVM_EXIT_INVALID 0xffffffffu

/* exitinfo1 of #NPF. */
#define SVM_NPF_PRESENT (1UL << 0)
#define SVM_NPF_WRITE (1UL << 1)
#define SVM_NPF_EXEC (1UL << 4)
#define SVM_NPF_TABLE_WALK (1UL << 33)

/* exitinfo1 of IOIO. */
#define SVM_IO_IN (1UL << 0)
#define SVM_IO_STRING (1UL << 2)
#define SVM_IO_REP (1UL << 3)
#define SVM_IO_SIZE_SHIFT 4
#define SVM_IO_ASIZE_SHIFT 7
#define SVM_IO_SEG_SHIFT 10
#define SVM_IO_PORT_SHIFT 16

/* exitinfo1 of CR and DR accesses with decode assists. */
#define SVM_CR_MOV (1UL << 63)
