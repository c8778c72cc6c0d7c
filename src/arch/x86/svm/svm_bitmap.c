/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR and I/O permission maps. One default pair serves everybody: all ports
 * and all MSRs exit, but for those that VMLOAD/VMSAVE and the VMCB switch
 * anyway. A vCPU or domain gets a copy only when it is given something more.
 * Ref: AMD APM Vol 2, 15.10 "IOIO Intercepts", 15.11 "MSR Intercepts".
 */

#include "cpu/msr.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/string.h"
#include "svm/svm.h"

#define MSRPM_BYTES (2 * PAGE_SIZE)
#define MSRPM_ORDER 1u
/* Three pages: 64 K ports and the bits a wide access at the end touches. */
#define IOPM_BYTES (3 * PAGE_SIZE)
#define IOPM_ORDER 2u

static uint8_t *msrpm_default;
static uint8_t *iopm_default;

/* Byte offset of the 2 KiB vector that covers an MSR, or -1. */
static int msrpm_vector(uint32_t msr)
{
    switch (msr & 0xffffe000u) {
    case 0x00000000u:
        return 0;
    case 0xc0000000u:
        return 0x800;
    case 0xc0010000u:
        return 0x1000;
    default:
        return -1;
    }
}

static void msrpm_set(uint8_t *map, uint32_t msr, bool read, bool write)
{
    int vector = msrpm_vector(msr);
    unsigned bit = (msr & 0x1fff) * 2;
    uint8_t *byte;

    if (vector < 0) {
        return;
    }
    byte = &map[(unsigned)vector + bit / 8];
    *byte = (uint8_t)((*byte & ~(3u << (bit & 7))) |
                      ((read ? 0u : 1u) << (bit & 7)) |
                      ((write ? 0u : 2u) << (bit & 7)));
}

int svm_bitmaps_init(void)
{
    static const uint32_t open[] = {
        MSR_FS_BASE,      MSR_GS_BASE,      MSR_KERNEL_GS_BASE, MSR_STAR,
        MSR_LSTAR,        MSR_CSTAR,        MSR_SFMASK,         MSR_SYSENTER_CS,
        MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
    };

    msrpm_default = pages_alloc(MSRPM_ORDER);
    iopm_default = pages_alloc(IOPM_ORDER);
    if (!msrpm_default || !iopm_default) {
        return -RV_ENOMEM;
    }
    memset(msrpm_default, 0xff, MSRPM_BYTES);
    memset(iopm_default, 0xff, IOPM_BYTES);
    for (unsigned i = 0; i < ARRAY_SIZE(open); i++) {
        msrpm_set(msrpm_default, open[i], true, true);
    }
    return 0;
}

uint64_t svm_msrpm_pa(const struct vcpu *v)
{
    const struct svm_vcpu *sv = svm_vcpu(v);

    return host_pa(sv->msrpm ? sv->msrpm : msrpm_default).v;
}

uint64_t svm_iopm_pa(const struct domain *d)
{
    return host_pa(d->arch ? d->arch : iopm_default).v;
}

/* Opening an MSR is an optimisation: without memory for a map of its own the
 * vCPU keeps exiting, which is correct too. Closing always finds the map. */
void svm_msr_passthrough(struct vcpu *v, uint32_t msr, bool read, bool write)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    if (!sv->msrpm) {
        sv->msrpm = pages_alloc(MSRPM_ORDER);
        if (!sv->msrpm) {
            return;
        }
        memcpy(sv->msrpm, msrpm_default, MSRPM_BYTES);
        sv->vmcb->msrpm_pa = host_pa(sv->msrpm).v;
    }
    msrpm_set(sv->msrpm, msr, read, write);
}

int svm_io_passthrough(struct domain *d, uint16_t first, uint16_t count,
                       bool allow)
{
    uint8_t *map = d->arch;

    if (!count || (uint32_t)first + count > 0x10000) {
        return -RV_EINVAL;
    }
    if (!map) {
        map = pages_alloc(IOPM_ORDER);
        if (!map) {
            return -RV_ENOMEM;
        }
        memcpy(map, iopm_default, IOPM_BYTES);
        d->arch = map;
    }
    for (uint32_t port = first; port < (uint32_t)first + count; port++) {
        if (allow) {
            map[port / 8] &= (uint8_t) ~(1u << (port & 7));
        } else {
            map[port / 8] |= (uint8_t)(1u << (port & 7));
        }
    }
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        if (d->vcpu[i] && d->vcpu[i]->arch) {
            svm_vmcb(d->vcpu[i])->iopm_pa = svm_iopm_pa(d);
        }
    }
    return 0;
}

void svm_domain_destroy(struct domain *d)
{
    if (d->arch) {
        pages_free(d->arch, IOPM_ORDER);
        d->arch = NULL;
    }
}
