/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest page walk and its cache against a model. The input is a program:
 * write a page-table entry, change a control bit, translate, read, write. The
 * model below is written from the manuals with plain recursion over a shadow of
 * guest memory and no cache; results, faults and memory (accessed and dirty
 * bits) must be equal after every step.
 */

#include "fuzz.h"

#include "fixture.h"

#include <string.h>

#include "arch_inline.h"
#include "ravelin/guest_copy.h"

#define PAGES 64u
#define TABLE_PAGES 12u /* where entries are written and roots lie */
#define BYTES (PAGES * PAGE_SIZE)

static struct vcpu *v;
static struct domain *d;
static uint8_t shadow[BYTES];

/* ---- Input ---- */

static const uint8_t *in;
static size_t in_left;

static uint64_t take(size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n && in_left > 0; i++) {
        value |= (uint64_t)*in++ << (8 * i);
        in_left--;
    }
    return value;
}

/* ---- Model ---- */

enum outcome { DONE, PAGE_FAULT, NOT_CANONICAL, NO_MEMORY };

struct answer {
    enum outcome outcome;
    uint32_t error;
    uint64_t gpa;
};

struct request {
    uint64_t address;
    bool fetch;
    bool write;
    bool user;
};

static uint64_t cr0, cr3, cr4, efer;

static bool wp(void)
{
    return cr0 >> 16 & 1;
}
static bool paging(void)
{
    return cr0 >> 31;
}
static bool pae(void)
{
    return cr4 >> 5 & 1;
}
static bool pse(void)
{
    return cr4 >> 4 & 1;
}
static bool smep(void)
{
    return cr4 >> 20 & 1;
}
static bool long_mode(void)
{
    return efer >> 10 & 1;
}
static bool nxe(void)
{
    return (efer >> 11 & 1) && pae();
}

static uint64_t field(uint64_t value, unsigned high, unsigned low)
{
    return (value >> low) & ((1UL << (high - low + 1)) - 1);
}

static struct answer page_fault(const struct request *r, bool present,
                                bool reserved)
{
    uint32_t error = 0;

    error |= present ? 1 : 0;
    error |= r->write ? 2 : 0;
    error |= r->user ? 4 : 0;
    error |= reserved ? 8 : 0;
    error |= r->fetch && (nxe() || smep()) ? 16 : 0;
    return (struct answer){PAGE_FAULT, error, 0};
}

/* One entry on the way: where it is, how wide, what it may not contain. */
struct step {
    uint64_t at;
    unsigned width;
};

static uint64_t shadow_read(struct step s)
{
    uint64_t value = 0;

    memcpy(&value, shadow + s.at, s.width);
    return value;
}

static void shadow_or(struct step s, uint64_t bits)
{
    uint64_t value = shadow_read(s) | bits;

    memcpy(shadow + s.at, &value, s.width);
}

static bool reserved_64(uint64_t e, unsigned level, bool large)
{
    return field(e, 51, 46) || ((e >> 63) && !nxe()) ||
           (level == 4 && (e & 0x80)) ||
           (large && field(e, level == 3 ? 29 : 20, 13));
}

static bool reserved_pae(uint64_t e, unsigned level, bool large)
{
    if (level == 3) {
        return field(e, 63, 46) || field(e, 2, 1) || field(e, 8, 6);
    }
    return field(e, 62, 46) || ((e >> 63) && !nxe()) ||
           (large && field(e, 20, 13));
}

static bool reserved_32(uint64_t e, bool large)
{
    return large && field(e, 21, 21);
}

/* How far a walk has come. */
struct state {
    const struct request *r;
    unsigned levels;
    unsigned width;
    uint64_t a;
    uint64_t base;
    bool writable;
    bool user;
    bool nx;
    struct step seen[4]; /* entries that have an accessed bit */
    unsigned count;
};

static bool is_top_of_pae(const struct state *s, unsigned level)
{
    return s->levels == 3 && level == 3;
}

static bool is_large(const struct state *s, uint64_t e, unsigned level)
{
    if (!(e & 0x80)) {
        return false;
    }
    switch (s->levels) {
    case 4:
        return level == 2 || level == 3;
    case 3:
        return level == 2;
    default:
        return level == 2 && pse();
    }
}

static bool is_reserved(const struct state *s, uint64_t e, unsigned level)
{
    bool large = is_large(s, e, level);

    switch (s->levels) {
    case 4:
        return reserved_64(e, level, large);
    case 3:
        return reserved_pae(e, level, large);
    default:
        return reserved_32(e, large);
    }
}

static unsigned shift_of(const struct state *s, unsigned level)
{
    return 12 + (s->levels == 2 ? 10 : 9) * (level - 1);
}

static struct step step_of(const struct state *s, unsigned level)
{
    uint64_t index = s->a >> shift_of(s, level);

    if (!is_top_of_pae(s, level)) {
        index &= s->levels == 2 ? 0x3ff : 0x1ff;
    }
    return (struct step){s->base + index * s->width, s->width};
}

static struct answer leaf(struct state *s, struct step last, uint64_t e,
                          unsigned level)
{
    const struct request *r = s->r;
    uint64_t inside = (1UL << shift_of(s, level)) - 1;
    uint64_t frame = e & 0x000ffffffffff000UL & ~inside;

    if ((r->user && !s->user) ||
        (r->write && !s->writable && (r->user || wp())) ||
        (r->fetch && (s->nx || (smep() && !r->user && s->user)))) {
        return page_fault(r, true, false);
    }
    for (unsigned i = 0; i < s->count; i++) {
        shadow_or(s->seen[i], 0x20);
    }
    if (r->write) {
        shadow_or(last, 0x40);
    }
    if (s->levels == 2 && level == 2) {
        frame = (e & 0xffc00000UL) | field(e, 20, 13) << 32;
    }
    return (struct answer){DONE, 0, frame | (s->a & inside)};
}

static struct answer walk(struct state *s)
{
    for (unsigned level = s->levels;; level--) {
        struct step step = step_of(s, level);
        uint64_t e;

        if (step.at >= BYTES) {
            return (struct answer){NO_MEMORY, 0, step.at};
        }
        e = shadow_read(step);
        if (!(e & 1)) {
            return page_fault(s->r, false, false);
        }
        if (is_reserved(s, e, level)) {
            return page_fault(s->r, true, true);
        }
        if (!is_top_of_pae(s, level)) {
            s->writable = s->writable && (e & 2);
            s->user = s->user && (e & 4);
            s->nx = s->nx || (nxe() && (e >> 63));
            s->seen[s->count++] = step;
        }
        if (level == 1 || is_large(s, e, level)) {
            return leaf(s, step, e, level);
        }
        s->base = e & 0x000ffffffffff000UL;
    }
}

static struct answer model(const struct request *r)
{
    struct state s = {.r = r, .writable = true, .user = true};

    if (!paging()) {
        return (struct answer){DONE, 0, (uint32_t)r->address};
    }
    s.a = long_mode() ? r->address : (uint32_t)r->address;
    if (long_mode() && field(s.a, 63, 47) != 0 &&
        field(s.a, 63, 47) != 0x1ffff) {
        return (struct answer){NOT_CANONICAL, 0, 0};
    }
    if (long_mode()) {
        s.levels = 4;
        s.base = cr3 & 0x000ffffffffff000UL;
    } else if (pae()) {
        s.levels = 3;
        s.base = cr3 & 0xffffffe0UL;
    } else {
        s.levels = 2;
        s.base = cr3 & 0xfffff000UL;
    }
    s.width = s.levels == 2 ? 4 : 8;
    return walk(&s);
}

/* ---- Comparison ---- */

static uint8_t *guest_page(unsigned i)
{
    return host_ptr(mfn_to_hpa(p2m_lookup(&d->p2m, gfn(i)).mfn));
}

static void mismatch(const char *what)
{
    fprintf(stderr, "fuzz_guest_walk: %s differs from the model\n", what);
    abort();
}

static void memory_compare(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        if (memcmp(shadow + i * PAGE_SIZE, guest_page(i), PAGE_SIZE) != 0) {
            mismatch("memory");
        }
    }
}

static void fault_compare(const struct answer *want,
                          const struct guest_fault *f)
{
    if (f->is_page_fault != (want->outcome == PAGE_FAULT) ||
        f->is_noncanonical != (want->outcome == NOT_CANONICAL) ||
        (f->is_page_fault && f->error != want->error) ||
        (want->outcome == NO_MEMORY && f->gpa.v != want->gpa)) {
        mismatch("fault");
    }
}

static struct request request_take(void)
{
    uint8_t flags = (uint8_t)take(1);
    struct request r = {
        .address = take(flags & 8 ? 8 : 4),
        .fetch = flags & 1,
        .write = flags & 2,
        .user = flags & 4,
    };

    if (flags & 16) {
        /* Small addresses meet the few entries there are more often. */
        r.address &= 0x803fffff;
    }
    return r;
}

static void do_translate(void)
{
    struct request r = request_take();
    uint8_t access =
        (uint8_t)((r.fetch ? ACCESS_EXEC : 0) | (r.write ? ACCESS_WRITE : 0));
    struct guest_fault f = {.is_page_fault = false};
    gpa_t got;
    int rc = guest_translate(v, gva(r.address), access, r.user, &got, &f);
    struct answer want = model(&r);

    if ((rc == 0) != (want.outcome == DONE)) {
        mismatch("outcome");
    }
    if (rc == 0 && got.v != want.gpa) {
        mismatch("address");
    }
    if (rc != 0) {
        fault_compare(&want, &f);
    }
    memory_compare();
}

/* Up to eight bytes, inside a page, through the copy functions. */
static void do_access(void)
{
    struct request r = request_take();
    uint64_t data = take(2) * 0x0001000100010001UL;
    uint64_t got = 0;
    struct guest_fault f = {.is_page_fault = false};
    struct answer want;
    int rc;

    r.address &= ~7UL;
    r.fetch = false;
    if (r.write) {
        rc = guest_linear_write(v, gva(r.address), &data, 8, r.user, &f);
    } else {
        rc = guest_linear_read(v, &got, gva(r.address), 8, ACCESS_READ, r.user,
                               &f);
    }
    want = model(&r);
    if (want.outcome == DONE && want.gpa >= BYTES) {
        want.outcome = NO_MEMORY;
    }
    if ((rc == 0) != (want.outcome == DONE)) {
        mismatch("outcome of an access");
    }
    if (rc != 0) {
        fault_compare(&want, &f);
    } else if (r.write) {
        memcpy(shadow + want.gpa, &data, 8);
    } else if (memcmp(&got, shadow + want.gpa, 8) != 0) {
        mismatch("data");
    }
    memory_compare();
}

static void both_write(uint64_t at, uint64_t value, unsigned width)
{
    memcpy(shadow + at, &value, width);
    memcpy(guest_page((unsigned)(at / PAGE_SIZE)) + at % PAGE_SIZE, &value,
           width);
}

/* An entry that mostly makes sense. */
static void do_entry(void)
{
    unsigned width = take(1) & 1 ? 4 : 8;
    uint64_t at = take(2) % (TABLE_PAGES * PAGE_SIZE / width) * width;
    uint8_t how = (uint8_t)take(1);
    uint64_t value = take(how & 1 ? 8 : 2);

    if (!(how & 1)) {
        value = (value & 0xff) | (value >> 8) % (PAGES + 1) << PAGE_SHIFT;
        value |= how & 2 ? 7 : 0;
        value |= how & 4 ? 1UL << 63 : 0;
    }
    both_write(at, value, width);
}

static void do_control(void)
{
    uint8_t bits = (uint8_t)take(1);
    uint8_t root = (uint8_t)take(1);

    cr0 = 1 | (bits & 1 ? 0x10000 : 0) | (bits & 2 ? 0 : 0x80000000UL);
    cr4 = (bits & 4 ? 0x10 : 0) | (bits & 8 ? 0x20 : 0) |
          (bits & 16 ? 0x100000 : 0);
    efer = (bits & 32 ? 0x800 : 0) | (bits & 64 && bits & 8 ? 0x500 : 0);
    if (!(cr0 >> 31)) {
        efer &= ~0x400UL;
    }
    cr3 = (uint64_t)(root % (TABLE_PAGES + 1)) << PAGE_SHIFT;
    cr3 |= bits & 128 ? 0x820 : 0;
    hv->creg_set(v, CREG_CR0, cr0);
    hv->creg_set(v, CREG_CR3, cr3);
    hv->creg_set(v, CREG_CR4, cr4);
    hv->creg_set(v, CREG_EFER, efer);
}

static void start(void)
{
    if (!d) {
        fixture_machine_create(1, FIXTURE_MIB(16));
        d = fixture_domain_create(FIXTURE_DOMID, 1, PAGES, 0);
        v = d->vcpu[0];
    }
    memset(shadow, 0, sizeof(shadow));
    for (unsigned i = 0; i < PAGES; i++) {
        memset(guest_page(i), 0, PAGE_SIZE);
    }
    walk_cache_flush(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const operations[])(void) = {do_entry, do_entry, do_translate,
                                               do_access, do_control};

    in = data;
    in_left = size;
    start();
    do_control();
    while (in_left > 0) {
        operations[take(1) % ARRAY_SIZE(operations)]();
    }
    return 0;
}
