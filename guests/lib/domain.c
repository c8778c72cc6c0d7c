/* SPDX-License-Identifier: MIT */
/*
 * Domain builder. Foreign frames appear one at a time in a window of guest
 * physical addresses that holds no RAM, so the image is copied page by page.
 */

#include "domain.h"

#include "guest.h"

#include <xen/io/console.h>

#define WINDOW_GFN 0x80000ul

/* Frames of a new domain outside its RAM. */
#define STORE_GFN 0xfeff8ul
#define CONSOLE_GFN 0xfeff9ul
#define START_GFN 0xfeffaul
#define SPECIAL_COUNT 3

#define POOL_BYTES (4u << 20)
#define BATCH 256u

void *window_map(unsigned int slot, unsigned int domid, unsigned long gfn)
{
    xen_ulong_t idx = gfn;
    xen_pfn_t at = WINDOW_GFN + slot;
    int err = 0;
    struct xen_add_to_physmap_batch op = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn_foreign,
        .size = 1,
        .u.foreign_domid = (domid_t)domid,
    };

    set_xen_guest_handle(op.idxs, &idx);
    set_xen_guest_handle(op.gpfns, &at);
    set_xen_guest_handle(op.errs, &err);
    if (memory_op(XENMEM_add_to_physmap_batch, &op) || err) {
        return NULL;
    }
    return (void *)(uintptr_t)(at << 12);
}

long window_unmap(unsigned int slot)
{
    struct xen_remove_from_physmap op = {
        .domid = DOMID_SELF,
        .gpfn = WINDOW_GFN + slot,
    };

    return memory_op(XENMEM_remove_from_physmap, &op);
}

static long populate(unsigned int domid, unsigned long gfn, unsigned int count)
{
    static xen_pfn_t frames[BATCH];
    unsigned int i, n;

    for (; count; count -= n, gfn += n) {
        struct xen_memory_reservation r = {.domid = (domid_t)domid};

        n = count < BATCH ? count : BATCH;
        for (i = 0; i < n; i++) {
            frames[i] = gfn + i;
        }
        r.nr_extents = n;
        set_xen_guest_handle(r.extent_start, frames);
        if (memory_op(XENMEM_populate_physmap, &r) != (long)n) {
            return -XEN_ENOMEM;
        }
    }
    return 0;
}

/* Copies to the new domain's memory; `from` NULL writes zeros. */
static long copy_to(unsigned int domid, uint64_t to, const void *from,
                    uint64_t size)
{
    const uint8_t *src = from;

    while (size) {
        size_t off = (size_t)(to & (PAGE_SIZE - 1));
        size_t n = PAGE_SIZE - off < size ? PAGE_SIZE - off : (size_t)size;
        uint8_t *page =
            window_map(WINDOW_SLOTS - 1, domid, (unsigned long)(to >> 12));

        if (!page) {
            return -XEN_EFAULT;
        }
        if (src) {
            memcpy(page + off, src, n);
            src += n;
        } else {
            memset(page + off, 0, n);
        }
        window_unmap(WINDOW_SLOTS - 1);
        to += n;
        size -= n;
    }
    return 0;
}

static long segment_load(unsigned int domid, const uint8_t *elf, uint64_t off,
                         uint64_t addr, uint64_t file_size, uint64_t mem_size)
{
    long rc = copy_to(domid, addr, elf + off, file_size);

    return rc ? rc
              : copy_to(domid, addr + file_size, NULL, mem_size - file_size);
}

#define HALF(elf, at) (*(const uint16_t *)((elf) + (at)))
#define WORD(elf, at) (*(const uint32_t *)((elf) + (at)))
#define XWORD(elf, at) (*(const uint64_t *)((elf) + (at)))

#define PT_LOAD 1
#define HEADER_SIZE 64

/*
 * The ELF entry of the project's guests is their PVH entry. Offsets are those
 * of the ELF specification, "ELF Header" and "Program Header".
 */
static long image_load(unsigned int domid, const struct domain_plan *plan,
                       uint32_t *entry)
{
    const uint8_t *elf = plan->elf, *p;
    bool wide;
    unsigned int i;
    long rc = 0;

    if (plan->elf_size < HEADER_SIZE || memcmp(elf, "\177ELF", 4)) {
        return -XEN_ENOEXEC;
    }
    wide = elf[4] == 2;
    p = elf + (wide ? (size_t)XWORD(elf, 32) : WORD(elf, 28));
    for (i = 0; i < HALF(elf, wide ? 56 : 44) && !rc; i++) {
        if (WORD(p, 0) == PT_LOAD && wide) {
            rc = segment_load(domid, elf, XWORD(p, 8), XWORD(p, 24),
                              XWORD(p, 32), XWORD(p, 40));
        } else if (WORD(p, 0) == PT_LOAD) {
            rc = segment_load(domid, elf, WORD(p, 4), WORD(p, 12), WORD(p, 16),
                              WORD(p, 20));
        }
        p += wide ? 56 : 32;
    }
    *entry = WORD(elf, 24);
    return rc;
}

/* Start info, memory map and command line share one page. */
struct start_page {
    struct hvm_start_info info;
    struct hvm_memmap_table_entry map[2];
    char cmdline[1024];
};

static long start_info_write(unsigned int domid, const struct domain_plan *plan)
{
    static struct start_page s;
    uint64_t at = (uint64_t)START_GFN << 12;

    memset(&s, 0, sizeof(s));
    s.info.magic = XEN_HVM_START_MAGIC_VALUE;
    s.info.version = 1;
    s.info.cmdline_paddr = at + offsetof(struct start_page, cmdline);
    s.info.memmap_paddr = at + offsetof(struct start_page, map);
    s.info.memmap_entries = ARRAY_SIZE(s.map);
    s.map[0].size = (uint64_t)plan->pages << 12;
    s.map[0].type = XEN_HVM_MEMMAP_TYPE_RAM;
    s.map[1].addr = (uint64_t)STORE_GFN << 12;
    s.map[1].size = SPECIAL_COUNT << 12;
    s.map[1].type = XEN_HVM_MEMMAP_TYPE_RESERVED;
    format(s.cmdline, sizeof(s.cmdline), "%s", plan->cmdline);
    return copy_to(domid, at, &s, sizeof(s));
}

static long param_set(unsigned int domid, uint32_t index, uint64_t value)
{
    struct xen_hvm_param p = {
        .domid = (domid_t)domid,
        .index = index,
        .value = value,
    };

    return hvm_op(HVMOP_set_param, &p);
}

static long console_make(struct domain *d)
{
    long remote = event_unbound(d->id, DOMID_SELF), local;
    long rc;

    if (remote < 0) {
        return remote;
    }
    rc = copy_to(d->id, (uint64_t)CONSOLE_GFN << 12, NULL, PAGE_SIZE);
    if (rc) {
        return rc;
    }
    param_set(d->id, HVM_PARAM_STORE_PFN, STORE_GFN);
    param_set(d->id, HVM_PARAM_CONSOLE_PFN, CONSOLE_GFN);
    param_set(d->id, HVM_PARAM_CONSOLE_EVTCHN, (uint64_t)remote);
    local = event_interdomain(d->id, (unsigned int)remote);
    if (local < 0) {
        return local;
    }
    d->console_port = (unsigned int)local;
    d->ring = window_map(d->slot, d->id, CONSOLE_GFN);
    return d->ring ? 0 : -XEN_EFAULT;
}

static long memory_make(const struct domain *d, const struct domain_plan *plan)
{
    long rc = domctl_paging_pool(d->id, POOL_BYTES);

    /* A hypervisor may count page tables otherwise and not know the call. */
    if (rc && rc != -XEN_ENOSYS && rc != -XEN_EOPNOTSUPP) {
        return rc;
    }
    rc = domctl_max_mem(d->id, (plan->pages + SPECIAL_COUNT + 1) * 4ull);
    if (rc) {
        return rc;
    }
    rc = populate(d->id, 0, plan->pages);
    return rc ? rc : populate(d->id, STORE_GFN, SPECIAL_COUNT);
}

static long domain_fill(struct domain *d, const struct domain_plan *plan)
{
    uint32_t entry = 0;
    long rc = domctl_max_vcpus(d->id, plan->vcpus);

    rc = rc ? rc : memory_make(d, plan);
    rc = rc ? rc : image_load(d->id, plan, &entry);
    rc = rc ? rc : start_info_write(d->id, plan);
    rc = rc ? rc : console_make(d);
    return rc ? rc : domctl_vcpu_start(d->id, 0, entry, START_GFN << 12);
}

long domain_create(const struct domain_plan *plan, unsigned int slot,
                   struct domain *d)
{
    long rc;

    memset(d, 0, sizeof(*d));
    d->slot = slot;
    rc = domctl_create(plan->vcpus, &d->id);
    if (rc) {
        return rc;
    }
    rc = domain_fill(d, plan);
    if (rc) {
        domain_destroy(d);
        return rc;
    }
    return 0;
}

long domain_destroy(struct domain *d)
{
    if (d->ring) {
        window_unmap(d->slot);
        d->ring = NULL;
    }
    if (d->console_port) {
        event_close(d->console_port);
        d->console_port = 0;
    }
    return domctl_destroy(d->id);
}

size_t domain_console_read(struct domain *d, char *buf, size_t size)
{
    XENCONS_RING_IDX cons, prod;
    size_t n = 0;

    if (!d->ring) {
        return 0;
    }
    cons = d->ring->out_cons;
    prod = __atomic_load_n(&d->ring->out_prod, __ATOMIC_ACQUIRE);
    while (cons != prod && n < size) {
        buf[n++] = d->ring->out[MASK_XENCONS_IDX(cons, d->ring->out)];
        cons++;
    }
    __atomic_store_n(&d->ring->out_cons, cons, __ATOMIC_RELEASE);
    return n;
}
