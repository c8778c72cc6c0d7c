/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot manifest: which domains exist, with what roles and limits. The host
 * tool compiles the text form into a flattened device tree; the hypervisor
 * parses that blob at boot, before any guest runs, and trusts nothing in it.
 * Both sides use the same schema, the same rules and the same access matrix.
 * Nothing here allocates, takes a lock or keeps state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ravelin/compiler.h"

/* Value of the root node's "compatible" property. */
#define MANIFEST_COMPATIBLE "ravelin,manifest-1"
/* First word of the blob's boot module command line; no other module may use
 * it as its name. */
#define MANIFEST_MODULE "manifest"

#define MANIFEST_DOMAINS_MAX 32u
#define MANIFEST_RULES_MAX 128u
#define MANIFEST_VCPUS_MAX 32u
/* Sizes of text members, the terminating NUL included. */
#define MANIFEST_NAME_MAX 32u
#define MANIFEST_MODULE_MAX 48u
#define MANIFEST_CMDLINE_MAX 1024u

#define MANIFEST_DOMID_MAX 0x7fefu
/* domid: none given (only before manifest_assign_domids()). */
#define MANIFEST_DOMID_AUTO 0xffffffffu
/* v4v rule: any domain, any port. */
#define MANIFEST_ANY_DOMAIN 0xffffffffu
#define MANIFEST_ANY_PORT 0u

/* Roles are independent bits; a domain with none of them is a plain guest. */
#define ROLE_HARDWARE (1u << 0)
#define ROLE_CONTROL (1u << 1)
#define ROLE_MONITOR (1u << 2)
#define ROLE_MASK (ROLE_HARDWARE | ROLE_CONTROL | ROLE_MONITOR)

/* What the hypervisor does when no domain is left. */
enum manifest_last_end {
    MANIFEST_LAST_POWEROFF,
    MANIFEST_LAST_STAY,
};

/* The hypervisor's own console. AUTO leaves it to the boot command line
 * ("console="), which also wins over the other values. */
enum manifest_hv_console {
    MANIFEST_HV_CONSOLE_AUTO,
    MANIFEST_HV_CONSOLE_PLAIN,
    MANIFEST_HV_CONSOLE_MUX,
    MANIFEST_HV_CONSOLE_OFF,
};

enum manifest_console {
    MANIFEST_CONSOLE_HVC,    /* HVM console ring; firmware: SCREEN */
    MANIFEST_CONSOLE_XEN,    /* console_io hypercall allowed */
    MANIFEST_CONSOLE_SERIAL, /* owns the machine's COM1 */
    MANIFEST_CONSOLE_NONE,
    MANIFEST_CONSOLE_SCREEN,   /* firmware: text screen and keyboard */
    MANIFEST_CONSOLE_COM1,     /* firmware: first virtual serial port */
    MANIFEST_CONSOLE_TERMINAL, /* as SCREEN, with colours and cursor */
};

enum manifest_start {
    MANIFEST_START_RUNNING,
    MANIFEST_START_PAUSED,
};

enum manifest_on_crash {
    MANIFEST_CRASH_DESTROY,
    MANIFEST_CRASH_PRESERVE, /* the dead domain and its dump are kept */
};

enum manifest_abi {
    MANIFEST_ABI_V4V,
    MANIFEST_ABI_ARGO,
};

/* What a domain with firmware boots from first. */
enum manifest_boot {
    MANIFEST_BOOT_DISK,
    MANIFEST_BOOT_CDROM,
};

/* Which of its modes the emulator runs instead of the processor. */
enum manifest_emulate {
    MANIFEST_EMULATE_NONE,
    MANIFEST_EMULATE_REAL, /* while CR0.PE is clear */
};

/* Devices that a domain with firmware has unless `without` names them. */
#define MANIFEST_DEV_UART (1u << 0)
#define MANIFEST_DEV_KEYBOARD (1u << 1)
#define MANIFEST_DEV_SCREEN (1u << 2)
#define MANIFEST_DEV_RTC (1u << 3)
#define MANIFEST_DEV_PIT (1u << 4)
#define MANIFEST_DEV_PM_TIMER (1u << 5)
#define MANIFEST_DEV_PCI (1u << 6)
#define MANIFEST_DEV_IDE (1u << 7)
#define MANIFEST_DEV_FW_CFG (1u << 8)
#define MANIFEST_DEV_DEBUG_PORT (1u << 9)
#define MANIFEST_DEV_IOAPIC (1u << 10)
#define MANIFEST_DEV_XEN (1u << 11) /* the Xen ABI's CPUID leaves */
#define MANIFEST_DEV_PIC (1u << 12)

/* What a watched domain does when its monitor is lost. */
enum manifest_loss {
    MANIFEST_LOSS_RESUME, /* goes on unwatched */
    MANIFEST_LOSS_PAUSE,  /* stays paused, for a control domain to decide */
    MANIFEST_LOSS_CRASH,
};

/* Format of events in a ring that HVM_PARAM_MONITOR_RING_PFN names. */
enum manifest_monitor_abi {
    MANIFEST_MONITOR_MEM_EVENT,
    MANIFEST_MONITOR_VM_EVENT, /* version 7 */
};

/* Default of monitor_timeout, ms. */
#define MANIFEST_MONITOR_TIMEOUT 30000u

enum manifest_policy {
    MANIFEST_ACCEPT,
    MANIFEST_DENY,
};

struct manifest_machine {
    uint32_t on_last_domain_end; /* enum manifest_last_end */
    uint32_t console;            /* enum manifest_hv_console */
    uint32_t v4v_default;        /* enum manifest_policy */
};

struct manifest_domain {
    char name[MANIFEST_NAME_MAX];
    char kernel[MANIFEST_MODULE_MAX];   /* boot module name; "": firmware */
    char ramdisk[MANIFEST_MODULE_MAX];  /* boot module name; "": none */
    char firmware[MANIFEST_MODULE_MAX]; /* ROM image instead of a kernel */
    char vgabios[MANIFEST_MODULE_MAX];  /* option ROM of the screen */
    char disk[MANIFEST_MODULE_MAX];     /* "": none; likewise the next */
    char cdrom[MANIFEST_MODULE_MAX];
    char cmdline[MANIFEST_CMDLINE_MAX];
    uint64_t memory;          /* bytes, at least 1 MiB, multiple of 4 KiB */
    uint64_t cpus;            /* physical CPUs it may run on, never 0 */
    uint32_t domid;           /* 0..MANIFEST_DOMID_MAX */
    uint32_t roles;           /* ROLE_* */
    uint32_t monitors;        /* bit i: watches domain i of this manifest */
    uint32_t vcpus;           /* 1..MANIFEST_VCPUS_MAX */
    uint32_t weight;          /* 1..65535 */
    uint32_t console;         /* enum manifest_console */
    uint32_t start;           /* enum manifest_start */
    uint32_t on_crash;        /* enum manifest_on_crash */
    uint32_t abi;             /* enum manifest_abi */
    uint32_t on_monitor_loss; /* enum manifest_loss */
    uint32_t monitor_timeout; /* ms for an answer; 0: no limit */
    uint32_t monitor_abi;     /* enum manifest_monitor_abi */
    uint32_t boot;            /* enum manifest_boot */
    uint32_t emulate;         /* enum manifest_emulate */
    uint32_t without;         /* MANIFEST_DEV_* that it does not have */
    uint32_t max_rings;       /* v4v: rings this domain may register */
    uint32_t max_sendv;       /* v4v: iovs per send */
    uint32_t max_notify;      /* v4v: entries per notify */
    uint32_t max_send_size;   /* v4v: bytes per send */
};

/* One end of a v4v rule: index of the domain in the manifest (not its domid)
 * or MANIFEST_ANY_DOMAIN, and a port or MANIFEST_ANY_PORT. */
struct manifest_end {
    uint32_t domain;
    uint32_t port;
};

struct manifest_rule_entry {
    struct manifest_end from;
    struct manifest_end to;
    uint32_t action; /* enum manifest_policy; the first match decides */
};

struct manifest {
    struct manifest_machine machine;
    uint32_t domain_count; /* 1..MANIFEST_DOMAINS_MAX */
    uint32_t rule_count;   /* 0..MANIFEST_RULES_MAX */
    struct manifest_domain domain[MANIFEST_DOMAINS_MAX];
    struct manifest_rule_entry rule[MANIFEST_RULES_MAX];
};

/* ---- Rules and errors ------------------------------------------------- */

enum manifest_rule {
    MANIFEST_OK = 0,
#define MANIFEST_RULE(number, name, severity, text, fix) \
    MANIFEST_E_##name = number,
#include "ravelin/manifest_rules.def"
#undef MANIFEST_RULE
};

enum manifest_severity {
    MANIFEST_ERROR,
    MANIFEST_WARNING,
};

struct manifest_rule_info {
    uint16_t number;  /* as in "M012" */
    uint8_t severity; /* enum manifest_severity */
    const char *text; /* what is wrong, without a full stop */
    const char *fix;  /* what to do about it */
};

/* No domain, field, item or offset applies. */
#define MANIFEST_NOWHERE (-1)

/**
 * One mistake. Names the place twice: by domain, field and item (for the text
 * form, which knows the line of each), and by path and offset (for the blob).
 */
struct manifest_error {
    enum manifest_rule rule;
    int32_t offset;  /* of the node in the blob, or MANIFEST_NOWHERE */
    int16_t domain;  /* index of the domain, or MANIFEST_NOWHERE */
    int16_t field;   /* enum manifest_field, or MANIFEST_NOWHERE */
    int16_t item;    /* v4v rule, or entry of a list, or MANIFEST_NOWHERE */
    char path[40];   /* node in the blob, "" if none */
    char detail[72]; /* the offending name or value; printable ASCII only */
};

/** Called once for each mistake, in the order of the manifest. */
typedef void (*manifest_report_fn)(void *ctx, const struct manifest_error *err);

/** Called once for each line of output; no newline in or after @line. */
typedef void (*manifest_line_fn)(void *ctx, const char *line);

/**
 * @return the rule's number, severity, text and fix; NULL for MANIFEST_OK and
 *         for numbers that are no rule.
 */
const struct manifest_rule_info *manifest_rule_lookup(enum manifest_rule rule);

/** @return rule i in table order, NULL past the end. */
const struct manifest_rule_info *manifest_rule_at(size_t i);

/**
 * Writes a mistake as one or two lines: "M014 /domains/domain@1 (offset 88)
 * memory: ...", then "  fix: ...".
 */
void manifest_error_print(const struct manifest_error *err,
                          manifest_line_fn line, void *ctx);

/* ---- Parsing and checking --------------------------------------------- */

/** Sets every member to its default; no domains, no rules. */
void manifest_init(struct manifest *m);

/** Sets the defaults of one domain (name and kernel empty, domid AUTO). */
void manifest_domain_init(struct manifest_domain *d);

/**
 * Parses a compiled manifest. The blob is untrusted: any bytes may be passed.
 * It is read only during the call and nothing in @out points into it. Checks
 * form only (rules M0xx); call manifest_check() for the meaning.
 *
 * @param fdt  blob, 8-byte aligned (boot modules are page-aligned).
 * @param len  bytes that may be read at @fdt; the tree may be shorter.
 * @param out  filled on success, domids assigned; on error its content is
 *             unspecified and must not be used.
 * @param err  set to the first mistake on error; err->rule is MANIFEST_OK on
 *             success.
 * @return 0; -RV_EINVAL with @err set.
 */
rv_must_check int manifest_parse(const void *fdt, size_t len,
                                 struct manifest *out,
                                 struct manifest_error *err);

/**
 * Gives each domain whose domid is MANIFEST_DOMID_AUTO the lowest free number
 * from 1. Number 0 is only ever given by name, because guest software is known
 * to take it for a privilege.
 */
void manifest_assign_domids(struct manifest *m);

/**
 * Checks what the manifest means (rules M1xx). Accepts any content of @m whose
 * counts are in range and whose texts are terminated, out-of-range values and
 * indexes included.
 *
 * @param report  called for each error and warning; may be NULL.
 * @return the number of errors, warnings not counted. A manifest with errors
 *         must not be used.
 */
rv_must_check unsigned int manifest_check(const struct manifest *m,
                                          manifest_report_fn report, void *ctx);

/* ---- The access matrix ------------------------------------------------ */

/* Rights of one domain over another, or over the machine. */
#define ACCESS_SELF (1u << 0)    /* its own domain */
#define ACCESS_CONTROL (1u << 1) /* create, destroy, pause, limit */
#define ACCESS_MONITOR (1u << 2) /* memory events, page rights, traps */
#define ACCESS_MESSAGE (1u << 3) /* messages to every port */
#define ACCESS_MESSAGE_SOME                                              \
    (1u << 4)                     /* messages to or from some ports only \
                                   */
#define ACCESS_HARDWARE (1u << 5) /* devices, power: over the machine */
#define ACCESS_FIREWALL (1u << 6) /* v4v rules: over the machine */

/**
 * The policy of roles in one place: the matrix is printed from it, and the
 * hypervisor may decide with it.
 *
 * @param roles    ROLE_* of the domain that acts.
 * @param same     it acts on itself.
 * @param watches  the target is among the domains it monitors.
 * @return ACCESS_SELF, ACCESS_CONTROL and ACCESS_MONITOR as they apply. Over
 *         itself a domain never has more than ACCESS_SELF.
 */
uint32_t access_rights(uint32_t roles, bool same, bool watches);

/** @return ACCESS_HARDWARE and ACCESS_FIREWALL as the roles give them. */
uint32_t access_machine_rights(uint32_t roles);

/**
 * All rights of domain @subject over domain @object (indexes into @m, both
 * below domain_count), messages as the v4v rules allow them.
 */
uint32_t access_matrix_rights(const struct manifest *m, unsigned int subject,
                              unsigned int object);

/**
 * Prints who may do what to whom: a row for each domain, a column for each
 * domain and one for the machine, and a legend. Lines are at most 79 columns;
 * with many domains the columns come in several blocks.
 */
void access_matrix_print(const struct manifest *m, manifest_line_fn line,
                         void *ctx);

/* ---- The schema ------------------------------------------------------- */

/* How a setting is written in the blob and kept in the struct. */
enum manifest_type {
    MANIFEST_TEXT,     /* string -> char[] */
    MANIFEST_IDENT,    /* string with the characters of a name -> char[] */
    MANIFEST_NUMBER,   /* one cell -> uint32_t */
    MANIFEST_SIZE,     /* two cells, bytes -> uint64_t */
    MANIFEST_CPUS,     /* two cells, bit mask -> uint64_t */
    MANIFEST_WORD,     /* string, one of a list -> uint32_t */
    MANIFEST_FLAGS,    /* string list, words -> bits of a uint32_t */
    MANIFEST_TARGETS,  /* list of cells, domain indexes -> uint32_t mask */
    MANIFEST_ENDPOINT, /* two cells, index and port -> struct manifest_end */
};

/* The sections that have settings. */
enum manifest_scope {
    MANIFEST_IN_MACHINE,
    MANIFEST_IN_DOMAIN,
    MANIFEST_IN_V4V,
    MANIFEST_IN_RULE,
    MANIFEST_SCOPE_COUNT,
};

enum manifest_field {
    /* section machine */
    MANIFEST_F_LAST_END,
    MANIFEST_F_HV_CONSOLE,
    /* each domain */
    MANIFEST_F_NAME,
    MANIFEST_F_DOMID,
    MANIFEST_F_ROLES,
    MANIFEST_F_MONITORS,
    MANIFEST_F_KERNEL,
    MANIFEST_F_RAMDISK,
    MANIFEST_F_FIRMWARE,
    MANIFEST_F_VGABIOS,
    MANIFEST_F_DISK,
    MANIFEST_F_CDROM,
    MANIFEST_F_CMDLINE,
    MANIFEST_F_MEMORY,
    MANIFEST_F_VCPUS,
    MANIFEST_F_WEIGHT,
    MANIFEST_F_CPUS,
    MANIFEST_F_CONSOLE,
    MANIFEST_F_START,
    MANIFEST_F_ON_CRASH,
    MANIFEST_F_ABI,
    MANIFEST_F_ON_MONITOR_LOSS,
    MANIFEST_F_MONITOR_TIMEOUT,
    MANIFEST_F_MONITOR_ABI,
    MANIFEST_F_BOOT,
    MANIFEST_F_EMULATE,
    MANIFEST_F_WITHOUT,
    MANIFEST_F_MAX_RINGS,
    MANIFEST_F_MAX_SENDV,
    MANIFEST_F_MAX_NOTIFY,
    MANIFEST_F_MAX_SEND_SIZE,
    /* section v4v */
    MANIFEST_F_V4V_DEFAULT,
    /* each v4v rule */
    MANIFEST_F_FROM,
    MANIFEST_F_TO,
    MANIFEST_F_ACTION,
    MANIFEST_FIELD_COUNT,
};

struct manifest_word {
    const char *word; /* NULL ends a list */
    uint32_t value;
};

struct manifest_field_info {
    const char *key; /* in the text and, as property name, in the blob */
    uint8_t scope;   /* enum manifest_scope */
    uint8_t type;    /* enum manifest_type */
    bool required;
    uint16_t offset;   /* of the member in its struct */
    uint16_t size;     /* of the member */
    uint64_t min, max; /* NUMBER, SIZE: range; texts: length without NUL */
    uint64_t init;     /* default of a number, size, mask or word */
    const struct manifest_word *words; /* WORD, FLAGS */
};

/** @return the description of a field; NULL if @field is none. */
const struct manifest_field_info *manifest_field_lookup(int field);

/** @return the field with this key in this section, or MANIFEST_NOWHERE. */
int manifest_field_find(enum manifest_scope scope, const char *key, size_t len);

/** @return the word for a value of a WORD or FLAGS field, "?" if none. */
const char *manifest_word_of(const struct manifest_field_info *f,
                             uint32_t value);

/**
 * Looks up a word of a WORD or FLAGS field.
 * @return true and @value set if the field has the word.
 */
bool manifest_word_find(const struct manifest_field_info *f, const char *word,
                        size_t len, uint32_t *value);

/**
 * Tells whether a number is in the field's range (M014) and, for SIZE, a
 * multiple of 4 KiB (M113). MANIFEST_OK for fields without a range.
 */
enum manifest_rule manifest_number_check(const struct manifest_field_info *f,
                                         uint64_t value);

/**
 * Tells whether a text may stand in a field of type IDENT or TEXT: M016 for a
 * wrong length, M017 for a wrong character, MANIFEST_OK if it may. @text need
 * not be terminated.
 */
enum manifest_rule manifest_text_check(const struct manifest_field_info *f,
                                       const char *text, size_t len);
