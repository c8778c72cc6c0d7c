/* SPDX-License-Identifier: MIT */
/*
 * libmonitor: watching another domain. One monitor_open() per watched domain
 * gives a ring of events in the caller's own memory; the caller says what it
 * wants to hear of, takes events, and answers those that hold a virtual CPU up.
 * Memory of the watched domain is read by guest-physical address or through
 * its own page tables. What is read there may be wrong on purpose: nothing
 * here trusts it.
 *
 * Calls are for one CPU at a time per monitor. Results are 0 or positive, or a
 * negative XEN_E* number; -EPERM: the caller is not named for the domain.
 */
#ifndef GUEST_LIBMONITOR_H
#define GUEST_LIBMONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include "public/mem_event.h"
#include "public/ravelin_monitor.h"

#define MONITOR_FOREVER (~0ull)
#define MONITOR_LEVELS_MAX 5

struct monitor {
    unsigned int domid;
    unsigned int port; /* event channel of the ring */
    uint32_t vcpu_count;
    uint32_t event_size;
    uint32_t event_count;      /* slots */
    uint32_t cons;             /* events taken */
    uint32_t wake_after;       /* events without a waiting virtual CPU before
                                  monitor_wait() is woken; 1 after opening */
    bool must_send;            /* an answer was given that nobody knows of */
    struct ravelin_ring *ring; /* NULL: closed */
    uint8_t *slots;
    uint32_t page_count;
    uint8_t *tables; /* copies of the guest's page tables, one per level */
};

/* ---- The ring ------------------------------------------------------------ */

/**
 * Attaches to a domain.
 *
 * @param slot_pages  pages of events, a power of two up to 64; a page has 64
 *                    events, or 8 with registers.
 * @param with_registers  every event brings all registers.
 */
long monitor_open(struct monitor *m, unsigned int domid,
                  unsigned int slot_pages, bool with_registers);

/** Ends all watching; waiting virtual CPUs go on. */
long monitor_close(struct monitor *m);

/** Whether events can still come: false once the domain is gone. */
bool monitor_is_on(const struct monitor *m);

/** Listens to RAVELIN_REASON_* with HVMPME_* from now on, or no longer. */
long monitor_listen(struct monitor *m, unsigned int reason, uint32_t mode);

/** Replaces a filter, RAVELIN_FILTER_*; no entries: everything passes. */
long monitor_filter(struct monitor *m, unsigned int kind,
                    const struct ravelin_range *ranges, uint32_t count);

/**
 * Takes the next event out of the ring.
 *
 * @param ev  the event; with registers if they were asked for, which
 *            RAVELIN_EVENT_REGS in its flags says.
 * @return false if there is none now.
 */
bool monitor_next(struct monitor *m, struct ravelin_event_full *ev);

/** Answers an event that has RAVELIN_EVENT_PAUSED; others need none. */
void monitor_answer(struct monitor *m, const struct ravelin_event *ev,
                    uint32_t flags);

/** Makes answers and free slots known. monitor_wait() does it, too. */
void monitor_flush(struct monitor *m);

/**
 * Waits until there are events, the domain is gone, or the time is over.
 *
 * @param deadline  system time in ns, or MONITOR_FOREVER.
 * @return whether there are events.
 */
bool monitor_wait(struct monitor *m, uint64_t deadline);

/** What the handler of monitor_loop() wants. */
enum monitor_verdict { MONITOR_GO_ON, MONITOR_STOP };

struct monitor_handler {
    /* Returns the answer, 0 to let the virtual CPU go on as it stands; ignored
     * if it does not wait. */
    uint32_t (*on_event)(void *ctx, const struct ravelin_event_full *ev);
    /* No event is left for now, at least every `idle_ns`; may be NULL. */
    enum monitor_verdict (*on_idle)(void *ctx);
    uint64_t idle_ns;
    void *ctx;
};

/**
 * Takes and answers events until on_idle() says stop or the domain is gone.
 * Events that were in the ring by then have been handled.
 */
void monitor_loop(struct monitor *m, const struct monitor_handler *h);

long monitor_status(struct monitor *m, struct ravelin_monitor_status *status);

/* ---- The watched domain -------------------------------------------------- */

/** Registers of a virtual CPU that waits for an answer. */
long monitor_registers_get(struct monitor *m, unsigned int vcpu,
                           struct ravelin_registers *regs);
long monitor_registers_set(struct monitor *m, unsigned int vcpu,
                           const struct ravelin_registers *regs);

/** An exception for a virtual CPU, delivered when it goes on. `error_code`
 * ~0: none. -EBUSY: one is outstanding. */
long monitor_inject(struct monitor *m, unsigned int vcpu, uint32_t vector,
                    uint32_t error_code, uint64_t cr2);

/* Rights of a frame: HVMMEM_access_* of the ABI. */
enum monitor_access {
    MONITOR_ACCESS_N,
    MONITOR_ACCESS_R,
    MONITOR_ACCESS_W,
    MONITOR_ACCESS_RW,
    MONITOR_ACCESS_X,
    MONITOR_ACCESS_RX,
    MONITOR_ACCESS_WX,
    MONITOR_ACCESS_RWX,
    MONITOR_ACCESS_RX2RW, /* RX; the first write makes it RW and is told */
    MONITOR_ACCESS_DEFAULT,
};

/** Rights (enum monitor_access) of `count` frames. */
long monitor_access_set(struct monitor *m, unsigned int access, uint64_t gfn,
                        uint32_t count);
long monitor_access_get(struct monitor *m, uint64_t gfn, unsigned int *access);

/** Guest-physical memory; any size, crossing pages. -EFAULT: no RAM there, and
 * then parts may have been copied. */
long monitor_read(struct monitor *m, uint64_t gpa, void *to, size_t size);
long monitor_write(struct monitor *m, uint64_t gpa, const void *from,
                   size_t size);

/* ---- Address spaces ------------------------------------------------------ */

/* Page tables of a guest as its registers name them. */
struct monitor_space {
    uint64_t root;       /* guest-physical address of the top table */
    unsigned int levels; /* 0: paging is off; 2, 3, 4 or 5 */
    bool has_large;      /* two levels: CR4.PSE */
    bool has_nx;         /* EFER.NXE */
};

#define MONITOR_PAGE_WRITE (1u << 0) /* by every level's entry */
#define MONITOR_PAGE_USER (1u << 1)
#define MONITOR_PAGE_EXEC (1u << 2)

struct monitor_page {
    uint64_t gpa;   /* of the address itself */
    uint64_t size;  /* of the page: 4 KiB up to 1 GiB */
    uint32_t flags; /* MONITOR_PAGE_* */
};

/** Address space of a virtual CPU with these registers. */
struct monitor_space monitor_space_of(const struct ravelin_registers *regs);

/** The same for another value of CR3. */
struct monitor_space monitor_space_at(const struct monitor_space *like,
                                      uint64_t cr3);

/**
 * Walks the guest's tables as its processor would. -ENOENT: not mapped;
 * -EFAULT: a table is not in RAM; -EINVAL: not canonical.
 */
long monitor_translate(struct monitor *m, const struct monitor_space *space,
                       uint64_t gva, struct monitor_page *page);

/** Memory by linear address; errors of monitor_translate(). */
long monitor_read_linear(struct monitor *m, const struct monitor_space *space,
                         uint64_t gva, void *to, size_t size);
long monitor_write_linear(struct monitor *m, const struct monitor_space *space,
                          uint64_t gva, const void *from, size_t size);

/**
 * Visits the mapped pages of [first, last] upwards (`up`) or downwards, until
 * `seen` returns false. `seen` may read memory, but not visit pages itself.
 * -E2BIG: more tables than any honest guest has in such a range.
 */
long monitor_pages(struct monitor *m, const struct monitor_space *space,
                   uint64_t first, uint64_t last, bool up,
                   bool (*seen)(void *ctx, uint64_t gva,
                                const struct monitor_page *page),
                   void *ctx);

/* ---- Linux, 64 bits ------------------------------------------------------ */

#define MONITOR_PROGRAM_MAX 96

enum monitor_program {
    MONITOR_PROGRAM_NONE,  /* no user memory, or none that looks like a stack */
    MONITOR_PROGRAM_START, /* being started: the words are those of execve() */
    MONITOR_PROGRAM_RUNS,
};

struct monitor_program_place {
    uint64_t entry; /* guest-physical address of the table entry that maps the
                       top of the stack; 0: none */
    uint64_t frame; /* what it maps */
};

/**
 * Which program an address space runs, by the words of its command line at the
 * top of its stack, where execve() puts them: the same in every version of
 * Linux, and under the program's own control, like what `ps` shows.
 *
 * @param text   the words with blanks between them, any bytes but NUL.
 * @param place  to ask monitor_program_is_same() later.
 */
enum monitor_program monitor_program_find(struct monitor *m,
                                          const struct monitor_space *space,
                                          char text[MONITOR_PROGRAM_MAX],
                                          struct monitor_program_place *place);

/** Whether the stack is still where it was: else the address space stands for
 * another program by now. One read of eight bytes. */
bool monitor_program_is_same(struct monitor *m,
                             const struct monitor_program_place *place);

/**
 * Sets rights of all frames of the kernel's code: pages of the image's area
 * that the kernel itself maps executable and read-only.
 *
 * @param frames  out: how many they are.
 * @return -EAGAIN while there are none, or executable pages that are writable:
 *         the kernel has not yet protected its code.
 */
long monitor_kernel_text_protect(struct monitor *m,
                                 const struct monitor_space *space,
                                 unsigned int access, uint64_t *frames);

#endif
