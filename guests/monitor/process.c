/* SPDX-License-Identifier: MIT */
/*
 * Table of address spaces, hashed by the frame of the top table.
 */

#include "process.h"

#include "guest.h"
#include "record.h"

#define PROCESSES_MAX 1024u
#define NAME_SIZE (MONITOR_PROGRAM_MAX * 2)

struct process {
    uint64_t root; /* 0: free */
    uint32_t loads;
    uint32_t marked; /* loads at the last mark */
    uint8_t kind;    /* enum monitor_program */
    struct monitor_program_place place;
    char name[MONITOR_PROGRAM_MAX];
};

static struct process table[PROCESSES_MAX];
static unsigned int used;

static struct process *process_find(uint64_t root)
{
    unsigned int i = (unsigned int)((root >> 12) * 2654435761u) >> 16;

    for (;; i++) {
        struct process *p = &table[i % PROCESSES_MAX];

        if (p->root == root) {
            return p;
        }
        if (!p->root) {
            if (used >= PROCESSES_MAX - PROCESSES_MAX / 8) {
                return NULL;
            }
            used++;
            p->root = root;
            return p;
        }
    }
}

static void name_print(unsigned int domid, const struct process *p)
{
    char safe[NAME_SIZE];

    record_put("name domain=%u cr3=0x%llx text=\"%s\"", domid,
               (unsigned long long)p->root,
               record_escape(p->name, safe, sizeof(safe)));
}

static bool is_known(struct monitor *m, const struct process *p)
{
    if (p->kind == MONITOR_PROGRAM_RUNS) {
        return monitor_program_is_same(m, &p->place);
    }
    return false;
}

static void name_update(struct monitor *m, const struct monitor_space *like,
                        struct process *p)
{
    struct monitor_space space = monitor_space_at(like, p->root);
    char name[MONITOR_PROGRAM_MAX];

    if (is_known(m, p)) {
        return;
    }
    p->kind = (uint8_t)monitor_program_find(m, &space, name, &p->place);
    if (p->kind == MONITOR_PROGRAM_NONE) {
        format(name, sizeof(name), "[no program]");
    }
    if (strlen(name) != strlen(p->name) ||
        memcmp(name, p->name, strlen(name))) {
        memcpy(p->name, name, sizeof(name));
        name_print(m->domid, p);
    }
}

void process_loaded(struct monitor *m, const struct monitor_space *like,
                    uint64_t cr3, bool with_name)
{
    uint64_t root = monitor_space_at(like, cr3).root;
    struct process *p = root ? process_find(root) : NULL;

    if (!p) {
        return;
    }
    p->loads++;
    if (with_name) {
        name_update(m, like, p);
    }
}

void process_mark(void)
{
    unsigned int i;

    for (i = 0; i < PROCESSES_MAX; i++) {
        table[i].marked = table[i].loads;
    }
}

void process_loads_print(unsigned int domid, uint64_t time)
{
    char safe[NAME_SIZE];
    unsigned int i;

    for (i = 0; i < PROCESSES_MAX; i++) {
        const struct process *p = &table[i];

        if (p->loads != p->marked) {
            record_put("loads domain=%u time=%llu cr3=0x%llx count=%u "
                       "text=\"%s\"",
                       domid, (unsigned long long)time,
                       (unsigned long long)p->root, p->loads - p->marked,
                       record_escape(p->name, safe, sizeof(safe)));
        }
    }
}

void process_print(unsigned int domid)
{
    char safe[NAME_SIZE];
    unsigned int i;

    for (i = 0; i < PROCESSES_MAX; i++) {
        const struct process *p = &table[i];

        if (p->loads) {
            record_put("process domain=%u cr3=0x%llx loads=%u text=\"%s\"",
                       domid, (unsigned long long)p->root, p->loads,
                       record_escape(p->name, safe, sizeof(safe)));
        }
    }
}
