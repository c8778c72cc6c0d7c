/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug builds: the rules of VM entry are tried before every entry, so that a
 * mistake is found where it is made, with the reason; and, to prove that both
 * this check and the one after a refusal work, the command line can ask for one
 * vCPU's state to be spoiled.
 */

#include "ravelin/entry_check.h"
#include "ravelin/explain.h"
#include "ravelin/string.h"
#include "ravelin/vmexit.h"

#define CR0_NW (1UL << 29)
#define CR0_CD (1UL << 30)
#define HIGH_BIT (1UL << 40)
#define NAME_MAX 32u

struct fault {
    const char *name;
    enum vcpu_creg reg;
    uint64_t clear;
    uint64_t set;
};

static const struct fault faults[] = {
    {"cr0-nw", CREG_CR0, CR0_CD, CR0_NW}, {"cr0-high", CREG_CR0, 0, HIGH_BIT},
    {"cr4-high", CREG_CR4, 0, HIGH_BIT},  {"dr6-high", CREG_DR6, 0, HIGH_BIT},
    {"dr7-high", CREG_DR7, 0, HIGH_BIT},  {"efer-high", CREG_EFER, 0, HIGH_BIT},
    {"event-type", CREG_COUNT, 0, 0},
};

static struct {
    bool off;
    const struct fault *fault;
    char domain[NAME_MAX];
    unsigned entries;
} option;

bool entry_check_option(const char *text)
{
    const char *colon;
    size_t length;

    if (strncmp(text, "off", 3) == 0 && (text[3] == '\0' || text[3] == ',')) {
        option.off = true;
        if (text[3] == '\0') {
            return true;
        }
        text += 4;
    }
    colon = strchr(text, ':');
    length = colon ? (size_t)(colon - text) : 0;
    for (unsigned i = 0; colon && i < ARRAY_SIZE(faults); i++) {
        if (strcmp(colon + 1, faults[i].name) == 0 && length < NAME_MAX) {
            memcpy(option.domain, text, length);
            option.domain[length] = '\0';
            option.fault = &faults[i];
            return true;
        }
    }
    return false;
}

/* Only the CPU that runs the first vCPU of the named domain comes past the
 * comparison, so the counter needs no lock. */
static void state_spoil(struct vcpu *v)
{
    const struct fault *f = option.fault;

    if (v->id != 0 || strcmp(v->domain->name, option.domain) != 0 ||
        ++option.entries != ENTRY_BREAK_AFTER) {
        return;
    }
    if (f->reg == CREG_COUNT) {
        struct vcpu_event reserved = {.valid = true, .vector = 33, .type = 1};
        struct vcpu_event old;

        (void)hv->event_take(v, &old);
        hv->event_inject(v, &reserved);
        return;
    }
    hv->creg_set(v, f->reg, (hv->creg_get(v, f->reg) & ~f->clear) | f->set);
}

bool entry_is_sound(struct vcpu *v)
{
    struct explain_snapshot s;

    if (option.fault) {
        state_spoil(v);
    }
    if (option.off) {
        return true;
    }
    hv->explain(v, &s);
    if (explain_check(&s, NULL, NULL) == 0) {
        return true;
    }
    entry_refused(v);
    return false;
}
