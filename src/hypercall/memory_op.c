/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op, information: amounts and maps. Changes of a domain's memory are in
 * memory_reservation.c and memory_physmap.c.
 *
 * Threat surface: buffers and their sizes.
 */
#include "public/memory.h"

#include "handlers.h"
#include "ravelin/frame_pool.h"
#include "ravelin/memory_map.h"
#include "ravelin/sched.h"

int memory_turn_take(struct vcpu *v, const struct domain *d)
{
    if (likely(!domain_pages_must_leave(d))) {
        return 0;
    }
    vcpu_yield(v);
    return -RV_ERESTART;
}

long memory_op_maximum_ram_page(struct vcpu *v rv_unused,
                                struct hypercall_args *a rv_unused)
{
    return (long)frame_total_count();
}

static int decode_domain(struct vcpu *v, const struct hypercall_args *a,
                         struct domain **d)
{
    struct xen_memory_domain req;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    return target_find(v, a, req.domid, d);
}

long memory_op_current_reservation(struct vcpu *v, struct hypercall_args *a)
{
    struct domain *d;
    int rc = decode_domain(v, a, &d);

    return rc != 0 ? rc : (long)read_once(d->page_count);
}

long memory_op_maximum_reservation(struct vcpu *v, struct hypercall_args *a)
{
    struct domain *d;
    int rc = decode_domain(v, a, &d);

    return rc != 0 ? rc : (long)read_once(d->max_pages);
}

long memory_op_maximum_gpfn(struct vcpu *v, struct hypercall_args *a)
{
    struct domain *d;
    uint64_t end;
    int rc = decode_domain(v, a, &d);

    if (rc != 0) {
        return rc;
    }
    end = memory_map_ram_end(d);
    return end == 0 ? 0 : (long)(end - 1);
}

struct map_request {
    uint32_t room;
    struct guest_ref buffer;
};

static int decode_map(struct vcpu *v, const struct hypercall_args *a,
                      struct map_request *req)
{
    if (a->is_32bit) {
        struct compat_memory_map m;

        if (arg_copy_in(v, a, 1, &m, sizeof(m)) != 0) {
            return -RV_EFAULT;
        }
        *req = (struct map_request){m.nr_entries, guest_ref(m.buffer.gva)};
    } else {
        struct xen_memory_map m;

        if (arg_copy_in(v, a, 1, &m, sizeof(m)) != 0) {
            return -RV_EFAULT;
        }
        *req = (struct map_request){m.nr_entries, guest_ref(m.buffer.gva)};
    }
    return 0;
}

static int entry_out(struct vcpu *v, const struct map_request *req, unsigned i,
                     const struct xen_e820_entry *e)
{
    return guest_copy_out(v, guest_ref_add(req->buffer, i * sizeof(*e)), e,
                          sizeof(*e));
}

/* nr_entries is the first word in both layouts. */
static int count_out(struct vcpu *v, struct hypercall_args *a, uint32_t count)
{
    return arg_copy_out(v, a, 1, &count, sizeof(count));
}

long memory_op_memory_map(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_e820_entry e;
    struct map_request req;
    unsigned i;

    if (decode_map(v, a, &req) != 0) {
        return -RV_EFAULT;
    }
    if (!memory_map_entry(v->domain, 0, &e)) {
        return -RV_ENOSYS;
    }
    for (i = 0; i < req.room && memory_map_entry(v->domain, i, &e); i++) {
        if (entry_out(v, &req, i, &e) != 0) {
            return -RV_EFAULT;
        }
    }
    return count_out(v, a, i);
}

static unsigned machine_entry_count(void)
{
    struct xen_e820_entry e;
    unsigned i = 0;

    while (machine_memory_map_entry(i, &e)) {
        i++;
    }
    return i;
}

long memory_op_machine_memory_map(struct vcpu *v, struct hypercall_args *a)
{
    unsigned count = machine_entry_count();
    struct xen_e820_entry e;
    struct map_request req;

    if (decode_map(v, a, &req) != 0) {
        return -RV_EFAULT;
    }
    if (req.buffer.gva == 0) {
        return count_out(v, a, count);
    }
    if (req.room < count) {
        return -RV_EINVAL;
    }
    for (unsigned i = 0; machine_memory_map_entry(i, &e); i++) {
        if (entry_out(v, &req, i, &e) != 0) {
            return -RV_EFAULT;
        }
    }
    return count_out(v, a, count);
}

static int decode_foreign_map(struct vcpu *v, const struct hypercall_args *a,
                              domid_t *id, struct map_request *req)
{
    if (a->is_32bit) {
        struct compat_foreign_memory_map m;

        if (arg_copy_in(v, a, 1, &m, sizeof(m)) != 0) {
            return -RV_EFAULT;
        }
        *id = m.domid;
        *req =
            (struct map_request){m.map.nr_entries, guest_ref(m.map.buffer.gva)};
    } else {
        struct xen_foreign_memory_map m;

        if (arg_copy_in(v, a, 1, &m, sizeof(m)) != 0) {
            return -RV_EFAULT;
        }
        *id = m.domid;
        *req =
            (struct map_request){m.map.nr_entries, guest_ref(m.map.buffer.gva)};
    }
    return 0;
}

long memory_op_set_memory_map(struct vcpu *v, struct hypercall_args *a)
{
    struct map_request req;
    struct memory_map *map;
    struct domain *d;
    domid_t id;
    int rc;

    if (decode_foreign_map(v, a, &id, &req) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, id, &d);
    if (rc != 0) {
        return rc;
    }
    if (req.room > MEMORY_MAP_ENTRIES_MAX) {
        return -RV_EINVAL;
    }
    map = page_alloc();
    if (map == NULL) {
        return -RV_ENOMEM;
    }
    map->count = req.room;
    if (guest_copy_in(v, map->entry, req.buffer,
                      req.room * sizeof(map->entry[0])) != 0) {
        page_free(map);
        return -RV_EFAULT;
    }
    memory_map_adopt(d, map);
    return 0;
}

long memory_op_exchange(struct vcpu *v rv_unused,
                        struct hypercall_args *a rv_unused)
{
    return -RV_EOPNOTSUPP;
}

long memory_op_increase_reservation(struct vcpu *v rv_unused,
                                    struct hypercall_args *a rv_unused)
{
    return -RV_EOPNOTSUPP;
}
