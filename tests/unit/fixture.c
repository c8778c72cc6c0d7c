/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine and domain side of the unit tests' harness.
 */

#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "arch_inline.h"
#include "ravelin/console.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/quiesce.h"
#include "ravelin/timer.h"

#define CONSOLE_MAX 65536u
#define QUIESCE_ROUNDS 100000u

static struct cpu cpus[CPU_COUNT_MAX];
static unsigned cpus_count;
static uint64_t frames_at_start;

static struct {
    char out[CONSOLE_MAX];
    size_t out_count;
    char in[256];
    size_t in_head;
    size_t in_tail;
} line;

static size_t line_room(void)
{
    return 256;
}

static void line_tx(const uint8_t *buf, size_t len)
{
    size_t room = sizeof(line.out) - 1 - line.out_count;
    size_t n = rv_min(len, room);

    memcpy(&line.out[line.out_count], buf, n);
    line.out_count += n;
    line.out[line.out_count] = '\0';
}

static int line_rx(void)
{
    if (line.in_head == line.in_tail) {
        return -1;
    }
    return (unsigned char)line.in[line.in_head++ % sizeof(line.in)];
}

static bool line_idle(void)
{
    return true;
}

static const struct serial_port_ops line_ops = {
    .tx_room = line_room,
    .tx = line_tx,
    .tx_idle = line_idle,
    .rx = line_rx,
};

const char *fixture_console_text(void)
{
    console_flush();
    return line.out;
}

void fixture_console_clear(void)
{
    line.out_count = 0;
    line.out[0] = '\0';
}

void fixture_console_type(const char *text)
{
    for (; *text; text++) {
        line.in[line.in_tail++ % sizeof(line.in)] = *text;
    }
}

static void cpus_create(unsigned count)
{
    memset(cpus, 0, sizeof(cpus));
    cpu_table_reset();
    for (unsigned i = 0; i < count; i++) {
        struct cpu *c = &cpus[i];

        c->self = c;
        c->id = i;
        c->apic_id = i;
        c->online = true;
        fake_this_cpu = c;
        cpu_register(c);
        assert_int_equal(timer_cpu_init(c), 0);
        quiesce_idle();
    }
    cpus_count = count;
    fixture_cpu_become(0);
}

void fixture_machine_create(unsigned count, size_t ram_bytes)
{
    uint64_t frames = ram_bytes >> PAGE_SHIFT;

    fake_machine_reset();
    fake_ram_create(ram_bytes);
    hv = &fake_backend;
    cpus_create(count);
    assert_int_equal(frame_pool_init(mfn(frames), fake_early_alloc), 0);
    frame_pool_add(mfn(FIXTURE_FIRST_FRAME), frames - FIXTURE_FIRST_FRAME);
    frames_at_start = frame_free_count();
    fixture_console_clear();
    line.in_head = line.in_tail = 0;
    console_init(&line_ops, CONSOLE_PLAIN);
}

void fixture_machine_destroy(void)
{
    fixture_quiesce();
    assert_int_equal(frame_free_count(), frames_at_start);
    for (unsigned i = 0; i < cpus_count; i++) {
        for (unsigned r = 0; r < LOCK_RANK_COUNT; r++) {
            assert_int_equal(cpus[i].locks_held[r], 0);
        }
    }
    cpu_table_reset();
    fake_this_cpu = NULL;
    fake_ram_destroy();
}

void fixture_cpu_become(unsigned id)
{
    fake_this_cpu = &cpus[id];
    quiesce_resume();
}

void fixture_cpu_switch(unsigned id)
{
    quiesce_idle();
    fixture_cpu_become(id);
}

void fixture_quiesce(void)
{
    struct cpu *self = fake_this_cpu;
    unsigned rounds = 0;

    while (quiesce_pending_count() > 0) {
        assert_true(rounds++ < QUIESCE_ROUNDS);
        for (unsigned i = 0; i < cpus_count; i++) {
            if (read_once(cpus[i].quiesce_epoch) != UINT64_MAX) {
                fake_this_cpu = &cpus[i];
                quiesce_point();
            }
        }
        fake_this_cpu = self;
    }
}

static void vcpu_add(struct domain *d, unsigned id)
{
    struct vcpu *v = calloc(1, sizeof(*v));

    assert_non_null(v);
    v->domain = d;
    v->id = id;
    v->cpu = &cpus[0];
    assert_int_equal(hv->vcpu_create(v), 0);
    assert_int_equal(walk_cache_create(v), 0);
    hv->npt_root_set(v, d->p2m.root);
    d->vcpu[id] = v;
}

void fixture_ram_map(struct domain *d, uint64_t pages)
{
    for (uint64_t g = 0; g < pages; g++) {
        struct p2m_locked p2m = p2m_lock(&d->p2m);
        mfn_t m;

        assert_int_equal(frame_alloc_domain(d, 0, &m), 0);
        assert_int_equal(p2m_map(p2m, gfn(g), m, 0, P2M_RAM, ACCESS_ALL), 0);
        p2m_unlock(&p2m);
    }
}

struct domain *fixture_domain_create(domid_t id, unsigned vcpus, uint64_t pages,
                                     uint64_t spare)
{
    struct domain *d = calloc(1, sizeof(*d));

    assert_non_null(d);
    d->id = id;
    d->refcount = 1;
    d->max_pages = pages + spare;
    spin_init(&d->lock, LOCK_RANK_DOMAIN);
    assert_int_equal(p2m_init(&d->p2m, d, P2M_GFN_LIMIT_MAX), 0);
    fixture_ram_map(d, pages);
    for (unsigned i = 0; i < vcpus; i++) {
        vcpu_add(d, i);
    }
    d->vcpu_count = vcpus;
    return d;
}

void fixture_domain_destroy(struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];

        d->vcpu[i] = NULL;
        walk_cache_destroy(v);
        hv->vcpu_destroy(v);
        free(v);
    }
    hv->domain_destroy(d);
    while (p2m_teardown(&d->p2m) == -RV_ERESTART) {
        fixture_quiesce();
    }
    fixture_quiesce();
    assert_int_equal(d->page_count, 0);
    assert_int_equal(d->refcount, 1);
    free(d);
}
