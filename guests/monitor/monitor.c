/* SPDX-License-Identifier: MIT */
/*
 * A monitor for people: watches one domain and prints what it sees as records
 * (docs/monitor-events.md), which 'ravelin events' shows. It ends when the
 * watched domain does, and fails if an event is missing.
 *
 * Command line:
 *   target=N       the watched domain
 *   watch=LIST     cr0, cr3, cr4, int3, text (writes to a Linux kernel's code)
 *   mode=sync      or async: the watched domain does not wait
 *   print=all      or none: only totals
 *   names=1        or 0: do not look for the programs behind CR3 values
 *   events=N       let go after so many events
 *   at-least=N     it is a failure if there were fewer
 *   obey=1         marks say how CR3 is watched (obey.h, for measurements)
 *   cr0-mask=N cr4-mask=N   only changes of these bits
 *   cr3=N          only loads of this page table
 *   onchange=1     CR3 loads of the value that is there already are no events
 *
 * A program in the watched domain can make a note: INT3 with RAX = MARK and
 * RDI = a text. It goes on behind the instruction.
 *
 * Environments: all; names and text need a 64-bit Linux as the target.
 */

#include "guest.h"
#include "libmonitor.h"
#include "obey.h"
#include "process.h"
#include "record.h"

const char test_title[] = "monitor: watches another domain";

#define MARK 0x6b72616d2d766172ull /* "rav-mark" */
#define MARK_TEXT 64
#define RING_PAGES 16
#define IDLE_NS (10 * MS)
#define PROTECT_EVERY (20 * MS)
#define VCPUS_MAX 32

#define WATCH_TEXT 31 /* bit of `watch` beside the reasons */

static struct options {
    unsigned int target;
    uint32_t watch; /* bit n: RAVELIN_REASON_n, or WATCH_TEXT */
    uint32_t mode;
    bool is_printing;
    bool with_names;
    bool is_obeying;
    uint64_t events_max;
} options;

/* A write that was permitted: what it wrote is read when the virtual CPU has
 * gone on. */
static struct {
    bool is_open;
    uint32_t sequence;
    uint32_t size;
    uint64_t gpa;
    uint64_t deadline;
    uint8_t before[8];
} writes[VCPUS_MAX];

static struct monitor mon;
static struct monitor_space space = {.levels = 4, .has_nx = true};
static bool space_is_known, text_is_protected;
static uint64_t next_protect, next_flush;
static uint64_t event_total, kind_total[RAVELIN_REASON_COUNT];
static uint32_t last_sequence, last_lost;
static uint64_t last_time;

/* ---- Counting ------------------------------------------------------------ */

/* Numbers have no gaps but those that the loss counter tells. */
static void sequence_check(const struct ravelin_event *ev)
{
    uint32_t gap = ev->sequence - last_sequence - 1;

    if (ev->sequence < last_sequence) {
        gap--; /* numbers went round, and 0 is none */
    }
    if (event_total && gap != ev->lost - last_lost) {
        report_failure("event %u after %u, but %u lost", ev->sequence,
                       last_sequence, ev->lost - last_lost);
    }
    if (ev->lost != last_lost) {
        record_put("lost domain=%u count=%u", options.target, ev->lost);
    }
    last_sequence = ev->sequence;
    last_lost = ev->lost;
    last_time = ev->time_ns;
    event_total++;
    if (ev->reason < RAVELIN_REASON_COUNT) {
        kind_total[ev->reason]++;
    }
}

/* ---- Marks --------------------------------------------------------------- */

/* Whether the INT3 is a note for us. */
static bool mark_take(const struct ravelin_event *ev)
{
    struct ravelin_registers regs;
    char text[MARK_TEXT], safe[2 * MARK_TEXT];

    if (!(ev->flags & RAVELIN_EVENT_PAUSED) ||
        monitor_registers_get(&mon, ev->vcpu, &regs) || regs.gpr[0] != MARK) {
        return false;
    }
    space = monitor_space_of(&regs);
    if (monitor_read_linear(&mon, &space, regs.gpr[7], text, sizeof(text))) {
        text[0] = '\0';
    }
    text[MARK_TEXT - 1] = '\0';
    if (options.is_obeying) {
        obey_mark(&mon, text, ev->time_ns);
    }
    process_loads_print(options.target, ev->time_ns);
    process_mark();
    record_put("note domain=%u time=%llu text=\"%s\"", options.target,
               (unsigned long long)ev->time_ns,
               record_escape(text, safe, sizeof(safe)));
    return true;
}

/* ---- Writes to watched pages --------------------------------------------- */

static void write_note(const struct ravelin_event *ev)
{
    uint32_t room = 4096 - (uint32_t)(ev->value & 4095);

    if (ev->vcpu >= VCPUS_MAX || !(ev->flags & RAVELIN_EVENT_WRITE)) {
        return;
    }
    writes[ev->vcpu].sequence = ev->sequence;
    writes[ev->vcpu].gpa = ev->value;
    writes[ev->vcpu].size = room < 8 ? room : 8;
    writes[ev->vcpu].deadline = clock_ns() + IDLE_NS;
    writes[ev->vcpu].is_open = !monitor_read(
        &mon, ev->value, writes[ev->vcpu].before, writes[ev->vcpu].size);
}

static void write_finish(unsigned int vcpu)
{
    uint8_t after[8];
    char was[20], is[20];

    if (vcpu >= VCPUS_MAX || !writes[vcpu].is_open) {
        return;
    }
    writes[vcpu].is_open = false;
    if (!monitor_read(&mon, writes[vcpu].gpa, after, writes[vcpu].size)) {
        record_put("bytes seq=%u before=%s after=%s", writes[vcpu].sequence,
                   record_hex(writes[vcpu].before, writes[vcpu].size, was),
                   record_hex(after, writes[vcpu].size, is));
    }
}

/* As soon as the kernel has made its code read-only, so that from then on
 * every write to it is told. */
static void text_protect(const struct ravelin_event *ev)
{
    struct monitor_space now = monitor_space_at(&space, ev->cr3);
    uint64_t frames;
    long rc;

    if (text_is_protected || !space_is_known || clock_ns() < next_protect) {
        return;
    }
    rc = monitor_kernel_text_protect(&mon, &now, MONITOR_ACCESS_RX, &frames);
    if (!rc) {
        text_is_protected = true;
        record_put("note domain=%u time=%llu text=\"watching %u frames of the "
                   "kernel's code\"",
                   options.target, (unsigned long long)ev->time_ns,
                   (unsigned int)frames);
    } else if (rc != -XEN_EAGAIN && rc != -XEN_EFAULT) {
        report_failure("protecting the kernel's code: %ld", rc);
    }
    next_protect = clock_ns() + PROTECT_EVERY;
}

/* ---- Events -------------------------------------------------------------- */

/* Early in a boot paging is still off, or another mode's; what is looked for
 * is a 64-bit kernel, and until it is there a guess does. */
static void space_learn(const struct ravelin_event *ev)
{
    struct ravelin_registers regs;
    struct monitor_space now;

    if (space_is_known || !(ev->flags & RAVELIN_EVENT_PAUSED) ||
        monitor_registers_get(&mon, ev->vcpu, &regs)) {
        return;
    }
    now = monitor_space_of(&regs);
    if (now.levels >= 4) {
        space = now;
        space_is_known = true;
    }
}

static void on_cr3(const struct ravelin_event *ev)
{
    bool is_paused = (ev->flags & RAVELIN_EVENT_PAUSED) != 0;

    space_learn(ev);
    process_loaded(&mon, &space, ev->value,
                   options.with_names && is_paused && space_is_known);
    if (is_paused && (options.watch & (1u << WATCH_TEXT))) {
        text_protect(ev);
    }
}

static uint32_t on_event(void *ctx, const struct ravelin_event_full *full)
{
    const struct ravelin_event *ev = &full->event;
    uint32_t answer = 0;

    (void)ctx;
    sequence_check(ev);
    write_finish(ev->vcpu);
    if (ev->reason == RAVELIN_REASON_CR3) {
        on_cr3(ev);
    } else if (ev->reason == RAVELIN_REASON_INT3) {
        answer = mark_take(ev) ? RAVELIN_ANSWER_SKIP : RAVELIN_ANSWER_INJECT;
    } else if (ev->reason == RAVELIN_REASON_VIOLATION) {
        write_note(ev);
        answer = RAVELIN_ANSWER_STEP;
    }
    if (options.is_printing) {
        record_event(options.target, ev);
    }
    return answer;
}

static enum monitor_verdict on_idle(void *ctx)
{
    uint64_t now = clock_ns();
    unsigned int i;

    (void)ctx;
    for (i = 0; i < VCPUS_MAX; i++) {
        if (writes[i].is_open && now >= writes[i].deadline) {
            write_finish(i);
        }
    }
    if (now >= next_flush) {
        record_flush();
        next_flush = now + IDLE_NS;
    }
    return options.events_max && event_total >= options.events_max
               ? MONITOR_STOP
               : MONITOR_GO_ON;
}

/* ---- Options ------------------------------------------------------------- */

static const struct {
    const char *word;
    uint32_t bits;
} words[] = {
    {"cr0", 1u << RAVELIN_REASON_CR0},
    {"cr3", 1u << RAVELIN_REASON_CR3},
    {"cr4", 1u << RAVELIN_REASON_CR4},
    {"int3", 1u << RAVELIN_REASON_INT3},
    /* The kernel's page tables are found by CR3. */
    {"text", 1u << WATCH_TEXT | 1u << RAVELIN_REASON_CR3},
};

static bool word_is(const char *text, const char *word)
{
    size_t n = strlen(word);

    return text && !strncmp(text, word, n) &&
           (!text[n] || text[n] == ' ' || text[n] == ',');
}

static uint32_t watch_parse(const char *text)
{
    uint32_t bits = 0;
    unsigned int i;

    while (text && *text && *text != ' ') {
        for (i = 0; i < ARRAY_SIZE(words); i++) {
            bits |= word_is(text, words[i].word) ? words[i].bits : 0;
        }
        while (*text && *text != ' ' && *text++ != ',') {
        }
    }
    return bits;
}

static bool options_read(void)
{
    bool is_sync = !word_is(cmdline_value("mode"), "async");

    options.target = (unsigned int)cmdline_number("target", 0xffff);
    options.watch = watch_parse(cmdline_value("watch"));
    options.mode = is_sync ? HVMPME_mode_sync : HVMPME_mode_async;
    options.is_printing = !word_is(cmdline_value("print"), "none");
    options.with_names = cmdline_number("names", 1) != 0;
    options.is_obeying = cmdline_number("obey", 0) != 0;
    options.events_max = cmdline_number("events", 0);
    if (options.target == 0xffff || !options.watch) {
        report_skip("needs target= and watch= on the command line");
        return false;
    }
    return true;
}

/* Decimal, or hexadecimal after 0x. */
static uint64_t number_of(const char *key)
{
    const char *text = cmdline_value(key);
    uint64_t value = 0;

    if (!text || text[0] != '0' || text[1] != 'x') {
        return cmdline_number(key, 0);
    }
    for (text += 2; *text && *text != ' '; text++) {
        unsigned int digit =
            (unsigned int)(*text <= '9' ? *text - '0' : *text - 'a' + 10);

        if (digit > 15) {
            report_error("%s= is no number", key);
            return 0;
        }
        value = value << 4 | digit;
    }
    return value;
}

static bool filter_one(unsigned int kind, const char *key, unsigned int shift)
{
    uint64_t value = number_of(key);
    struct ravelin_range range = {value >> shift, value >> shift};

    return !value || CHECK_EQ(monitor_filter(&mon, kind, &range, 1), 0);
}

static bool listen(void)
{
    uint32_t extra = cmdline_number("onchange", 0) ? HVMPME_onchangeonly : 0;
    unsigned int reason;

    if (!filter_one(RAVELIN_FILTER_CR0, "cr0-mask", 0) ||
        !filter_one(RAVELIN_FILTER_CR4, "cr4-mask", 0) ||
        !filter_one(RAVELIN_FILTER_CR3, "cr3", 12)) {
        return false;
    }
    for (reason = 0; reason < RAVELIN_REASON_COUNT; reason++) {
        uint32_t mode = reason == RAVELIN_REASON_INT3 ? HVMPME_mode_sync
                                                      : options.mode | extra;

        if ((options.watch & (1u << reason)) &&
            !CHECK_EQ(monitor_listen(&mon, reason, mode), 0)) {
            return false;
        }
    }
    return true;
}

/* ---- All of it ----------------------------------------------------------- */

static void totals_print(void)
{
    static const struct {
        unsigned int reason;
        const char *kind;
    } shown[] = {
        {RAVELIN_REASON_CR0, "cr0"},          {RAVELIN_REASON_CR3, "cr3"},
        {RAVELIN_REASON_CR4, "cr4"},          {RAVELIN_REASON_INT3, "int3"},
        {RAVELIN_REASON_VIOLATION, "access"},
    };
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(shown); i++) {
        if (kind_total[shown[i].reason]) {
            record_put("count domain=%u kind=%s count=%llu", options.target,
                       shown[i].kind,
                       (unsigned long long)kind_total[shown[i].reason]);
        }
    }
    process_print(options.target);
    record_put("end domain=%u time=%llu count=%llu", options.target,
               (unsigned long long)last_time, (unsigned long long)event_total);
    record_flush();
}

void test_main(void)
{
    struct monitor_handler handler = {
        .on_event = on_event,
        .on_idle = on_idle,
        .idle_ns = IDLE_NS,
    };

    if (!options_read() ||
        !CHECK_EQ(monitor_open(&mon, options.target, RING_PAGES, false), 0)) {
        return;
    }
    /* Nobody waits for us: look at many events at once. */
    if (options.mode == HVMPME_mode_async || options.is_obeying) {
        mon.wake_after = mon.event_count / 4;
    }
    record_put("start version=%u domain=%u vcpus=%u time=%llu mode=%s",
               RECORD_VERSION, options.target, mon.vcpu_count,
               (unsigned long long)clock_ns(),
               options.mode == HVMPME_mode_sync ? "sync" : "async");
    if (listen()) {
        monitor_loop(&mon, &handler);
    }
    totals_print();
    CHECK(event_total >= cmdline_number("at-least", 1));
    if (options.mode == HVMPME_mode_sync) {
        CHECK_EQ(last_lost, 0);
    }
    printf("%llu events\n", (unsigned long long)event_total);
    monitor_close(&mon);
}
