/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All domains: a list in order of ids and a hash table over it, read without a
 * lock, and the ids in use. An id stays reserved until its domain has been
 * freed after quiescence, so nobody can take a new domain for an old one.
 */

#include "ravelin/bitmap.h"
#include "ravelin/errno.h"

#include "domain_internal.h"

#define HASH_SIZE 64u

static struct spinlock table_lock = SPINLOCK_INIT(LOCK_RANK_DOMAIN_TABLE);
static struct domain *table_first; /* ascending ids */
static struct domain *table_hash[HASH_SIZE];
static unsigned table_count;
static uint64_t id_reserved[BITMAP_WORDS(DOMID_FIRST_RESERVED)];

struct domain *domain_lookup(domid_t id)
{
    struct domain *d = load_acquire(&table_hash[id % HASH_SIZE]);

    while (d && d->id != id) {
        d = load_acquire(&d->hash_next);
    }
    return d;
}

struct domain *domain_lookup_from(unsigned first)
{
    struct domain *d = load_acquire(&table_first);

    while (d && d->id < first) {
        d = domain_next(d);
    }
    return d;
}

unsigned domain_count(void)
{
    return read_once(table_count);
}

static int id_find(domid_t wanted, domid_t *id)
{
    size_t free_id;

    if (wanted == DOMID_INVALID) {
        free_id = bitmap_find_clear(id_reserved, DOMID_FIRST_RESERVED, 1);
        if (free_id >= DOMID_FIRST_RESERVED) {
            return -RV_ENOSPC;
        }
        *id = (domid_t)free_id;
        return 0;
    }
    if (wanted >= DOMID_FIRST_RESERVED) {
        return -RV_EINVAL;
    }
    if (bitmap_test(id_reserved, wanted)) {
        return domain_lookup(wanted) ? -RV_EEXIST : -RV_ERESTART;
    }
    *id = wanted;
    return 0;
}

int domain_table_reserve(domid_t wanted, domid_t *id)
{
    int rc;

    spin_lock(&table_lock);
    rc = id_find(wanted, id);
    if (rc == 0) {
        bitmap_set(id_reserved, *id);
    }
    spin_unlock(&table_lock);
    return rc;
}

void domain_table_release(domid_t id)
{
    spin_lock(&table_lock);
    bitmap_clear(id_reserved, id);
    spin_unlock(&table_lock);
}

void domain_table_insert(struct domain *d)
{
    struct domain **at = &table_first;
    struct domain **bucket = &table_hash[d->id % HASH_SIZE];

    spin_lock(&table_lock);
    while (*at && (*at)->id < d->id) {
        at = &(*at)->next;
    }
    d->next = *at;
    store_release(at, d);
    d->hash_next = *bucket;
    store_release(bucket, d);
    write_once(table_count, table_count + 1);
    spin_unlock(&table_lock);
}

/* The removed domain keeps its links: a reader standing on it goes on. */
void domain_table_remove(struct domain *d)
{
    struct domain **at = &table_first;
    struct domain **bucket = &table_hash[d->id % HASH_SIZE];

    spin_lock(&table_lock);
    while (*at != d) {
        at = &(*at)->next;
    }
    store_release(at, d->next);
    while (*bucket != d) {
        bucket = &(*bucket)->hash_next;
    }
    store_release(bucket, d->hash_next);
    write_once(table_count, table_count - 1);
    spin_unlock(&table_lock);
}
