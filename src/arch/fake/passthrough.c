/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR and port bitmaps of the fake backend. They take memory from the frame
 * pool like the real ones, so that running out of it can be tested.
 */

#include "fake.h"
#include "fake_internal.h"
#include "ravelin/bitmap.h"
#include "ravelin/domain.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"

#define PORTS 65536u
#define IO_ORDER 1u

/* Tests open a few dozen. */
#define OPEN_MSRS_MAX 256u

static struct {
    const struct vcpu *v;
    uint32_t msr;
    bool read;
    bool write;
} open_msr[OPEN_MSRS_MAX];

void fake_msr_passthrough(struct vcpu *v, uint32_t msr, bool read, bool write)
{
    unsigned room = OPEN_MSRS_MAX;

    for (unsigned i = 0; i < OPEN_MSRS_MAX; i++) {
        if (open_msr[i].v == v && open_msr[i].msr == msr) {
            room = i;
            break;
        }
        if (!open_msr[i].v && room == OPEN_MSRS_MAX) {
            room = i;
        }
    }
    if (room < OPEN_MSRS_MAX) {
        open_msr[room].v = read || write ? v : NULL;
        open_msr[room].msr = msr;
        open_msr[room].read = read;
        open_msr[room].write = write;
    }
}

bool fake_msr_is_open(const struct vcpu *v, uint32_t msr, bool write)
{
    for (unsigned i = 0; i < OPEN_MSRS_MAX; i++) {
        if (open_msr[i].v == v && open_msr[i].msr == msr) {
            return write ? open_msr[i].write : open_msr[i].read;
        }
    }
    return false;
}

void fake_msr_forget(const struct vcpu *v)
{
    for (unsigned i = 0; i < OPEN_MSRS_MAX; i++) {
        if (open_msr[i].v == v) {
            open_msr[i].v = NULL;
        }
    }
}

int fake_io_passthrough(struct domain *d, uint16_t first, uint16_t count,
                        bool allow)
{
    if ((uint32_t)first + count > PORTS) {
        return -RV_EINVAL;
    }
    if (!d->arch) {
        d->arch = pages_alloc(IO_ORDER);
        if (!d->arch) {
            return -RV_ENOMEM;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (allow) {
            bitmap_set(d->arch, first + i);
        } else {
            bitmap_clear(d->arch, first + i);
        }
    }
    return 0;
}

bool fake_io_is_open(const struct domain *d, uint16_t port)
{
    return d->arch && bitmap_test(d->arch, port);
}

void fake_bitmaps_destroy(struct domain *d)
{
    if (d->arch) {
        pages_free(d->arch, IO_ORDER);
        d->arch = NULL;
    }
}
