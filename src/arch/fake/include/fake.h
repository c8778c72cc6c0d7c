/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tests' side of the fake machine: sets it up, moves its clock, looks at
 * what the core asked of it, and turns it hostile. Hosted builds only.
 */
#pragma once

#include "arch/backend.h"
#include "ravelin/cpu.h"
#include "ravelin/types.h"

/* ---- RAM --------------------------------------------------------------- */

/** RAM of `bytes` at physical address 0, all zero; memory is committed as it is
 * touched. Ends the test process if there is none. */
void fake_ram_create(size_t bytes);
void fake_ram_destroy(void);
size_t fake_ram_size(void);
/** Memory outside RAM, filled with junk, for frame_pool_init(); goes away with
 * fake_ram_destroy(). Also arch_early_alloc(). */
void *fake_early_alloc(size_t bytes);

/* ---- Time, CPUs, power -------------------------------------------------- */

/** Clock at 0 and standing, counters at 0, hooks gone. */
void fake_machine_reset(void);
void fake_time_advance(uint64_t ns);
/** From now on each look at the clock moves it by `ns`. */
void fake_time_auto_advance(uint64_t ns);
#define FAKE_TSC_KHZ 3000000u
#define FAKE_WALLCLOCK_S 1700000000u

/** What `c` armed last, UINT64_MAX: nothing. */
uint64_t fake_timer_deadline(const struct cpu *c);
uint64_t fake_kick_count(const struct cpu *c);
uint64_t fake_idle_count(const struct cpu *c);
uint64_t fake_irq_poll_count(const struct cpu *c);
/** Called for each kick, on the kicking thread; NULL: only counted. */
extern void (*fake_kick_hook)(struct cpu *target);
/** Called by arch_cpu_idle(). */
extern void (*fake_idle_hook)(struct cpu *self);
/** Called by cpu_relax(), that is by whoever waits; NULL: yields. */
extern void (*fake_relax_hook)(void);

struct fake_power {
    unsigned poweroff_count;
    unsigned poweroff_code;
    unsigned reboot_count;
};
extern struct fake_power fake_power;

/* Width of physical addresses and largest nested leaf; set back by
 * fake_machine_reset(). */
extern unsigned fake_phys_bits;
extern unsigned fake_npt_leaf_level;

/**
 * Runs fn(ctx) and tells whether it ended in panic(); fake_panic_message has
 * the text. Locks it held stay held. Without this, panic() aborts the process.
 */
bool fake_panics(void (*fn)(void *ctx), void *ctx);
extern char fake_panic_message[256];

/* ---- Hostile guest memory ----------------------------------------------- */

/* What a byte of guest memory turns into once it has been read. */
enum fake_hostility {
    FAKE_FLIP, /* every bit inverted: the default */
    FAKE_ZERO,
    FAKE_ONES,
    FAKE_RANDOM,
};

struct fake_fetch_report {
    uint64_t violation_count; /* bytes read more than once */
    hpa_t first;              /* machine address of the first one */
    uint64_t read_count;      /* bytes read */
};

/**
 * From now on, on this thread, every byte that comes in through
 * arch_copy_from_guest() is counted and changed behind the reader's back. Ends
 * with fake_fetch_end(), which puts changed bytes back unless the core wrote
 * them meanwhile.
 */
void fake_fetch_begin(enum fake_hostility how);
void fake_fetch_end(struct fake_fetch_report *report);

/* ---- vCPUs --------------------------------------------------------------- */

#define FAKE_EXITS_MAX 64u

/* The fake's hardware state of one vCPU, v->arch. Tests read and write it; CR0,
 * CR3, CR4 and EFER only through hv->creg_set, or inside `run`. */
struct fake_vcpu {
    struct vcpu_segment seg[SEG_COUNT];
    uint64_t creg[CREG_COUNT];
    unsigned cpl;
    unsigned tpr;
    struct vcpu_event event;     /* to be delivered, or interrupted */
    uint64_t delivered_count;    /* events that an entry took away */
    struct vcpu_event delivered; /* the latest of them */
    bool irq_blocked;            /* by a shadow; RFLAGS.IF counts as well */
    bool nmi_blocked;
    struct vcpu_intercepts intercepts;
    uint64_t tsc_offset;
    uint64_t flush_count;
    bool flush_wanted; /* cleared by entry */
    mfn_t npt_root;
    uint64_t reset_count;
    uint64_t load_count;
    uint64_t save_count;
    uint64_t dump_count;
    const struct cpu *loaded_on; /* NULL: not loaded */
    uint8_t insn[15];
    uint8_t insn_len;
    /* What vcpu_enter does: the function if set, else the queued exits in
     * order, else VMEXIT_HLT. */
    void (*run)(struct vcpu *v, struct vmexit *exit);
    uint64_t enter_count;
    unsigned exit_head;
    unsigned exit_tail;
    struct vmexit exits[FAKE_EXITS_MAX];
};

static_assert(sizeof(struct fake_vcpu) <= 3 * PAGE_SIZE,
              "fake vCPUs are allocated with order 2");

extern const struct hv_backend fake_backend;

struct fake_vcpu *fake_vcpu(const struct vcpu *v);
/** Queues an exit for a later vcpu_enter. */
void fake_exit_queue(struct vcpu *v, const struct vmexit *exit);
/** May the guest touch it without an exit? */
bool fake_msr_is_open(const struct vcpu *v, uint32_t msr, bool write);
bool fake_io_is_open(const struct domain *d, uint16_t port);

/** CPUID says that this machine is QEMU's TCG, or (at first) not. */
void fake_play_tcg(bool on);
