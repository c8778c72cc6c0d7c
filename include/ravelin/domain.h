/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains and vCPUs: the objects everything else hangs from, with their life
 * cycles. A domain is looked up without a lock and stays valid until the
 * caller's next quiescent point (ravelin/quiesce.h); domain_get/put extends
 * that. Roles are bits of a domain: no code anywhere compares a domain id with
 * a constant to decide a privilege.
 */
#pragma once

#include "arch/backend.h"
#include "ravelin/cpu.h"
#include "ravelin/lock.h"
#include "ravelin/manifest.h"
#include "ravelin/p2m.h"
#include "ravelin/quiesce.h"
#include "ravelin/timer.h"
#include "ravelin/trail.h"
#include "ravelin/types.h"
#include "ravelin/work.h"

#define DOMID_FIRST_RESERVED 0x7ff0u
#define DOMID_SELF 0x7ff0u
#define DOMID_INVALID 0x7ff4u
#define VCPU_COUNT_MAX 32

struct domain;
struct vcpu;
struct evtchn_table;
struct vlapic;
struct vioapic;
struct cpuid_policy;
struct walk_cache;
struct insn_cache;
struct v4v_domain;
struct v4v_send;
struct monitor;
struct debug_session;
struct vconsole;
struct memory_map;
struct legacy_platform;
struct emulation;
struct sched_unit;

/*
 * Legal moves: BUILDING -> RUNNING (unpaused by its creator)
 *              BUILDING | RUNNING -> SHUTDOWN (sched_op, crash)
 *              SHUTDOWN -> RUNNING (domain_resume() after suspend; no call of
 *                                   the ABI leads there)
 *              BUILDING | RUNNING | SHUTDOWN -> DYING (destroy)
 *              DYING -> DEAD (all memory returned)
 * One function performs them (core/domain_state.c) and refuses others.
 */
enum domain_state {
    DOMAIN_BUILDING,
    DOMAIN_RUNNING,
    DOMAIN_SHUTDOWN,
    DOMAIN_DYING,
    DOMAIN_DEAD,
    DOMAIN_STATE_COUNT
};

/* Xen's SHUTDOWN_* codes. */
enum shutdown_code {
    SHUTDOWN_POWEROFF = 0,
    SHUTDOWN_REBOOT = 1,
    SHUTDOWN_SUSPEND = 2,
    SHUTDOWN_CRASH = 3,
    SHUTDOWN_WATCHDOG = 4,
    SHUTDOWN_SOFT_RESET = 5,
    SHUTDOWN_MAX = 5,
};

/* Ends its domain unless it is wound up again in time. */
struct watchdog {
    struct timer timer;
    struct domain *domain;
    bool is_used; /* protected by domain->lock */
};
#define DOMAIN_WATCHDOG_COUNT 2u

/*
 * A weight is a domain's: while several of its vCPUs want a CPU, each of them
 * gets its part of the share.
 */
struct sched_share {
    struct spinlock lock; /* rank SCHED_SHARE; protects what follows */
    uint32_t active;      /* vCPUs that run or wait for a CPU */
    uint64_t vcpu_ns;     /* `active` integrated over time up to since_ns */
    uint64_t since_ns;
};

struct domain {
    domid_t id;
    char name[MANIFEST_NAME_MAX];
    uint8_t uuid[16];
    uint32_t ssidref;         /* kept for the control domain, no meaning here */
    uint32_t roles;           /* ROLE_* of manifest.h */
    uint64_t monitor_targets; /* manifest_bit of each domain it may watch */
    uint64_t manifest_bit;    /* 0: created at run time */

    struct spinlock lock;    /* rank DOMAIN: state, settings, life cycle */
    enum domain_state state; /* written under lock */
    enum shutdown_code shutdown_code; /* valid in SHUTDOWN and after */
    bool shutdown_code_is_set;        /* protected by lock; valid before, too */
    bool crash_reported;              /* atomic; one dump per domain */
    uint32_t crash_policy;            /* enum manifest_on_crash */
    uint32_t weight;                  /* scheduling weight; protected by lock */
    struct sched_share share;
    uint32_t refcount;    /* atomic; domain_get/put */
    uint32_t pause_count; /* protected by lock; counts controllers' pauses */
    struct domain *next;  /* list by ascending id; table lock to write */
    struct domain *hash_next; /* likewise */

    struct p2m p2m;
    uint64_t max_pages;     /* protected by lock; read without */
    uint64_t page_count;    /* atomic; domain_pages_charge/uncharge */
    uint64_t leaving_count; /* atomic; given back, and not free yet */

    unsigned vcpu_count; /* fixed at creation */
    struct vcpu *vcpu[VCPU_COUNT_MAX];

    struct evtchn_table *evtchn;
    uint32_t evtchn_port_max; /* highest port it may allocate */
    uint32_t poller_count;    /* atomic; vCPUs in SCHEDOP_poll */
    struct cpuid_policy *cpuid;
    struct vconsole *console;
    struct vioapic *vioapic;        /* NULL unless the platform has one */
    struct memory_map *memory_map;  /* protected by lock */
    struct legacy_platform *legacy; /* NULL: no firmware; fixed when built */
    bool emulates_real; /* real mode is run by the emulator; likewise */
    struct v4v_domain *v4v;
    struct monitor *monitor;     /* set once; NULL: nobody ever watched it */
    struct debug_session *debug; /* atomic; NULL: no debugger */

    uint64_t hvm_param[64];    /* protected by lock; see hypercall/hvm_op.c */
    uint8_t callback_vector;   /* 0: none */
    bool is_32bit_abi;         /* latched with the hypercall page / callback */
    bool runstate_update_flag; /* VMASST_TYPE_runstate_update_flag */

    void *shared_info; /* host pointer, one reference held */
    mfn_t shared_info_mfn;
    gfn_t shared_info_gfn;      /* last place; protected by the p2m's lock */
    uint32_t wallclock_version; /* protected by lock */

    struct watchdog watchdog[DOMAIN_WATCHDOG_COUNT];
    uint64_t tsc_offset;   /* same for all vCPUs */
    uint64_t boot_time_ns; /* arch_time_ns() at creation */

    const struct manifest_domain *manifest; /* NULL: created at run time */
    void *arch;                             /* backend's per-domain state */

    uint32_t reap_requested; /* atomic; domain_reap() works once */
    uint32_t destroy_busy;   /* atomic; who set it may step */
    uint8_t destroy_stage;   /* protected by destroy_busy */
    struct work_item reaper; /* destroys without a controller */
    struct quiesce_item free_item;
};

/* Why a vCPU is not running; it runs when none is set. */
#define VCPU_DOWN (1u << 0)    /* not brought up, or taken down */
#define VCPU_BLOCKED (1u << 1) /* waits for an event (HLT, block, poll) */
#define VCPU_PAUSED (1u << 2)  /* pause count above zero */
#define VCPU_POLLING (1u << 3) /* BLOCKED by SCHEDOP_poll */
#define VCPU_DEAD (1u << 4)    /* domain shut down or dying */
#define VCPU_WATCHED (1u << 5) /* waits for its monitor's answer */

struct vcpu {
    struct vcpu_regs regs; /* first: entry code uses offset 0 */

    /* CR0, CR3, CR4, EFER while out of guest mode; kept by the backend,
     * because every access to guest memory needs them. */
    struct vcpu_paging paging;

    struct domain *domain;
    uint32_t id;
    uint32_t flags;       /* atomic, VCPU_* */
    uint32_t pause_count; /* atomic */
    struct cpu *cpu;      /* where it runs, ran or will run; changes only
                             under the run queue locks while !running */
    bool running;         /* atomic: its state is in a CPU's registers */

    struct sched_unit *sched;

    void *arch;  /* backend state: VMCB or VMCS and friends */
    void *xsave; /* vector state area */

    /* Event to deliver at the next entry, queued by policy. */
    struct vcpu_event pending;
    bool attention; /* atomic; something may be due: see vmentry_prepare() */
    bool watch_due; /* atomic; monitor_attend() is wanted before entry */
    bool stepping;  /* one step at a time: see ravelin/monitor_access.h */
    struct vcpu_event displaced; /* interrupt that had to give way */
    struct vcpu_intercepts intercepts;
    uint64_t exception_rip; /* watch for #DB and #AC that never end */
    uint64_t exception_rsp;
    uint32_t exception_count;
    bool halted;         /* in HLT: runs on only when an event is due */
    bool is_initialised; /* has a first state: builder, SIPI, VCPUOP_initialise;
                            written under domain->lock or by its own CPU */
    bool nmi_pending;
    bool init_pending; /* INIT received: waits for SIPI */
    uint8_t sipi_vector;

    struct vlapic *vlapic;
    uint32_t apic_id; /* fixed when built */
    struct walk_cache *walk;
    struct insn_cache *insn;
    struct emulation *emulation; /* NULL unless the domain emulates */
    struct v4v_send *v4v_send;   /* snapshot of its sends; NULL: none yet */
    uint64_t tlb_seen; /* p2m generation this vCPU last entered with */

    /* Guest-visible per-vCPU areas, as pinned host pointers. */
    void *vcpu_info;
    mfn_t vcpu_info_mfn;
    gva_t runstate_gva;
    gva_t time_gva;
    uint8_t upcall_vector; /* per-vCPU vector; 0 = none */
    int32_t poll_port;     /* what SCHEDOP_poll waits for; -1: several */

    struct timer singleshot;
    struct timer periodic;
    struct timer poll_timer;
    uint64_t periodic_ns;

    uint32_t runstate; /* Xen RUNSTATE_*; these under the run queue lock */
    uint64_t runstate_since_ns;
    uint64_t runstate_ns[4];

    uint16_t virq_to_port[24]; /* written under the event lock; 0: unbound */
    uint32_t cpuid_result[4];  /* scratch of the CPUID exit */
    uint64_t exit_count[VMEXIT_COUNT];
    struct trail trail;
};

/* What domain_create() needs to know. */
struct domain_config {
    const char *name;         /* NULL: "domN" */
    domid_t id;               /* DOMID_INVALID: the lowest free one from 1 */
    uint32_t roles;           /* ROLE_* */
    uint64_t monitor_targets; /* manifest_bit of those it may watch */
    uint64_t manifest_bit;    /* its own; 0: none */
    uint8_t uuid[16];
    uint32_t ssidref;
    uint32_t vcpu_count;      /* 1 .. VCPU_COUNT_MAX */
    uint64_t max_pages;       /* frames it may own */
    uint64_t gfn_limit;       /* 0: the most a backend maps, 2^36 frames */
    uint32_t weight;          /* 1 .. 65535; 0: SCHED_WEIGHT_DEFAULT */
    uint64_t affinity;        /* mask of CPU ids; 0: all */
    uint32_t evtchn_port_max; /* highest event port; 0: the ABI's limit */
    uint32_t crash_policy;    /* enum manifest_on_crash */
    const struct manifest_domain *manifest; /* NULL: run-time domain */
};

static inline bool is_hardware_domain(const struct domain *d)
{
    return (d->roles & ROLE_HARDWARE) != 0;
}
static inline bool is_control_domain(const struct domain *d)
{
    return (d->roles & ROLE_CONTROL) != 0;
}

/* ---- Life cycle ------------------------------------------------------- */

/**
 * Creates a domain with all its vCPUs, in state BUILDING, paused once, every
 * vCPU down, no memory. Either everything exists afterwards or nothing does.
 * @return 0; -EINVAL bad configuration; -EEXIST id in use; -ENOSPC no id left;
 *         -ENOMEM; -ERESTART the id's former owner is just being released:
 *         pass a quiescent point and call again.
 */
int rv_must_check domain_create(const struct domain_config *cfg,
                                struct domain **out);

/**
 * Ends a domain's execution and keeps its memory: all vCPUs stop for good (or
 * until domain_resume), control domains get VIRQ_DOM_EXC. The first code wins.
 * The end of the hardware domain, except suspend, ends the machine; so does,
 * if the manifest wishes it, the end of the last running domain. Any CPU, no
 * lock of rank DOMAIN or higher held; may be on behalf of the current vCPU.
 */
void domain_shutdown(struct domain *d, enum shutdown_code code);
/** Any later domain_shutdown() but for a crash gets this code. */
void domain_shutdown_code_set(struct domain *d, enum shutdown_code code);
/**
 * Starts (id 0), winds up again (timeout above 0) or gives back a watchdog.
 * @param timeout_s  seconds until the domain ends with SHUTDOWN_WATCHDOG.
 * @return id 1..2 of the one started, 0; -EINVAL no such one is in use, or
 *         id and timeout are 0; -ENOSPC all are in use.
 */
int rv_must_check domain_watchdog_set(struct domain *d, uint32_t id,
                                      uint32_t timeout_s);
/** After a crash: domain_shutdown(CRASH), then what the crash policy says. */
void domain_crash_apply(struct domain *d);
/** SHUTDOWN after suspend -> RUNNING. 0; -EINVAL in any other situation. */
int rv_must_check domain_resume(struct domain *d);

/**
 * Destroys a domain: one bounded step. Several callers may help each other. A
 * domain cannot destroy itself: its vCPU would stop before the end.
 * @return 0 when all memory has been returned (frames others still map come
 *         back when they let go; the domain stays visible as dying until
 *         then); -ERESTART: call again after a quiescent point.
 */
int rv_must_check domain_destroy(struct domain *d);
/** Destroys in the background, from the CPU loop. */
void domain_reap(struct domain *d);

/** What happens when no domain is running any more; evaluated from now on and
 * also at once. Call it after all domains of the manifest were started. */
void domain_last_end_set(enum manifest_last_end policy);

/** True from the first domain_destroy() or reap on. */
static inline bool domain_is_dying(const struct domain *d)
{
    return read_once(d->state) >= DOMAIN_DYING;
}

/* ---- Lookup and references -------------------------------------------- */

/** The domain with this id, also a dying one; NULL if there is none. Valid
 * until this CPU's next quiescent point. Lock-free. */
struct domain *domain_lookup(domid_t id);
/** The domain with the smallest id >= `first`; NULL if there is none. */
struct domain *domain_lookup_from(unsigned first);
/** Successor in ascending order of ids; `d` valid by quiescence. */
static inline struct domain *domain_next(const struct domain *d)
{
    return load_acquire(&d->next);
}
#define domain_for_each(d) \
    for (struct domain *d = domain_lookup_from(0); d; d = domain_next(d))
/** Domains that exist, dying ones included. */
unsigned domain_count(void);

/** Keeps `d` beyond the next quiescent point; false if it is already going. */
bool rv_must_check domain_get(struct domain *d);
/** Drops a reference; under any lock. */
void domain_put(struct domain *d);

/**
 * Accounts frames to a domain; the first keeps the domain in existence, so
 * that an id cannot be used again while somebody still maps its frames.
 * @return 0; -E2BIG above max_pages; -EINVAL the domain is dead.
 */
int rv_must_check domain_pages_charge(struct domain *d, uint64_t count);
void domain_pages_uncharge(struct domain *d, uint64_t count);

/* A frame that was given back can be used again only after quiescence. With
 * more of them than this a domain has to wait before it gets anything new, or
 * one that gives and takes would hold far more than its limit. */
#define DOMAIN_LEAVING_MAX 1024u
/** Counts a frame, or a table of its map, that `d` does not have any more but
 * nobody else can have yet; keeps the domain in existence. `d` is valid. */
void domain_page_leaves(struct domain *d);
/** It is free. */
void domain_page_left(struct domain *d);
/** Must `d` wait before it gets new frames? */
static inline bool domain_pages_must_leave(const struct domain *d)
{
    return read_once(d->leaving_count) > DOMAIN_LEAVING_MAX;
}

/** vCPU `id` of `d`; NULL if there is none. */
static inline struct vcpu *domain_vcpu(const struct domain *d, uint32_t id)
{
    return id < d->vcpu_count ? d->vcpu[id] : NULL;
}

/* ---- vCPUs ------------------------------------------------------------ */

/** Brings a vCPU up: clears VCPU_DOWN. 0; -EINVAL it is up already. */
int rv_must_check vcpu_up(struct vcpu *v);
/** Takes it down; with the last one the domain shuts down (poweroff). */
void vcpu_down(struct vcpu *v);
static inline bool vcpu_is_up(const struct vcpu *v)
{
    return (read_once(v->flags) & VCPU_DOWN) == 0;
}
