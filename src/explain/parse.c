/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dumps as text, back into snapshots: a table of phrases, each a sequence of
 * words with numbers in between. What no phrase matches is skipped; the first
 * value of a field counts.
 *
 * Threat surface: the text is anybody's. Reads stay inside it, each word is
 * looked at a bounded number of times.
 */

#include "ravelin/explain.h"
#include "ravelin/string.h"
#include "words.h"

enum place { OUTSIDE, XEN_GUEST, XEN_HOST, XEN_CONTROL, OURS };

/* In `words`: '#' is a hexadecimal number, '%' a decimal one. */
#define PHRASE_FIELDS 7
struct phrase {
    enum place place;
    const char *words;
    uint8_t field[PHRASE_FIELDS];
};

#define S(seg, part) XF_SEGMENT(SEG_##seg, EXPLAIN_##part)
#define SEL_ATTR_LIMIT_BASE(seg) \
    S(seg, SELECTOR), S(seg, ATTR), S(seg, LIMIT), S(seg, BASE)
#define XEN_SEGMENT(seg, name)            \
    {XEN_GUEST,                           \
     name " sel # attr # limit # base #", \
     {SEL_ATTR_LIMIT_BASE(seg)}},         \
    {                                     \
        XEN_GUEST, name " # # # #",       \
        {                                 \
            SEL_ATTR_LIMIT_BASE(seg)      \
        }                                 \
    }
#define XEN_TABLE(seg, name)                                            \
    {XEN_GUEST, name " limit # base #", {S(seg, LIMIT), S(seg, BASE)}}, \
    {                                                                   \
        XEN_GUEST, name " # #",                                         \
        {                                                               \
            S(seg, LIMIT), S(seg, BASE)                                 \
        }                                                               \
    }
#define OUR_SEGMENT(seg, name)                     \
    {                                              \
        OURS, name " sel # attr # limit # base #", \
        {                                          \
            SEL_ATTR_LIMIT_BASE(seg)               \
        }                                          \
    }

/* clang-format off */
static const struct phrase phrases[] = {
    {XEN_GUEST, "cr0 actual # shadow # gh_mask #",
     {XF_CR0, XF_CR0_SHADOW, XF_CR0_MASK}},
    {XEN_GUEST, "cr4 actual # shadow # gh_mask #",
     {XF_CR4, XF_CR4_SHADOW, XF_CR4_MASK}},
    {XEN_GUEST, "cr3 actual #", {XF_CR3}},
    {XEN_GUEST, "cr3 #", {XF_CR3}},
    {XEN_GUEST, "pdpte0 #", {XF_PDPTE0}},
    {XEN_GUEST, "pdpte1 #", {XF_PDPTE1}},
    {XEN_GUEST, "pdpte2 #", {XF_PDPTE2}},
    {XEN_GUEST, "pdpte3 #", {XF_PDPTE3}},
    {XEN_GUEST, "sysenter rsp # cs rip # #",
     {XF_SYSENTER_ESP, XF_SYSENTER_CS, XF_SYSENTER_EIP}},
    {XEN_GUEST, "sysenter esp # cs eip # #",
     {XF_SYSENTER_ESP, XF_SYSENTER_CS, XF_SYSENTER_EIP}},
    {XEN_GUEST, "rsp #", {XF_RSP}},
    {XEN_GUEST, "rip #", {XF_RIP}},
    {XEN_GUEST, "rflags #", {XF_RFLAGS}},
    {XEN_GUEST, "dr7 #", {XF_DR7}},
    XEN_SEGMENT(CS, "cs"),
    XEN_SEGMENT(DS, "ds"),
    XEN_SEGMENT(SS, "ss"),
    XEN_SEGMENT(ES, "es"),
    XEN_SEGMENT(FS, "fs"),
    XEN_SEGMENT(GS, "gs"),
    XEN_SEGMENT(LDTR, "ldtr"),
    XEN_SEGMENT(TR, "tr"),
    XEN_TABLE(GDTR, "gdtr"),
    XEN_TABLE(IDTR, "idtr"),
    {XEN_GUEST, "efer #", {XF_EFER}},
    {XEN_GUEST, "efer vmcs #", {XF_EFER}},
    {XEN_GUEST, "efer msr ll #", {XF_EFER}},
    {XEN_GUEST, "pat #", {XF_PAT}},
    {XEN_GUEST, "debugctl #", {XF_DEBUGCTL}},
    {XEN_GUEST, "debugexceptions #", {XF_PENDING_DEBUG}},
    {XEN_GUEST, "interruptibility #", {XF_INTERRUPTIBILITY}},
    {XEN_GUEST, "activitystate #", {XF_ACTIVITY}},

    {XEN_HOST, "sysenter rsp # cs rip # #",
     {XF_HOST_SYSENTER_ESP, XF_HOST_SYSENTER_CS, XF_HOST_SYSENTER_EIP}},
    {XEN_HOST, "sysenter esp # cs eip # #",
     {XF_HOST_SYSENTER_ESP, XF_HOST_SYSENTER_CS, XF_HOST_SYSENTER_EIP}},
    {XEN_HOST, "rsp #", {XF_HOST_RSP}},
    {XEN_HOST, "rip #", {XF_HOST_RIP}},
    {XEN_HOST, "cs #", {XF_HOST_CS}},
    {XEN_HOST, "ss #", {XF_HOST_SS}},
    {XEN_HOST, "ds #", {XF_HOST_DS}},
    {XEN_HOST, "es #", {XF_HOST_ES}},
    {XEN_HOST, "fs #", {XF_HOST_FS}},
    {XEN_HOST, "gs #", {XF_HOST_GS}},
    {XEN_HOST, "tr #", {XF_HOST_TR}},
    {XEN_HOST, "fsbase #", {XF_HOST_FS_BASE}},
    {XEN_HOST, "gsbase #", {XF_HOST_GS_BASE}},
    {XEN_HOST, "trbase #", {XF_HOST_TR_BASE}},
    {XEN_HOST, "gdtbase #", {XF_HOST_GDTR_BASE}},
    {XEN_HOST, "idtbase #", {XF_HOST_IDTR_BASE}},
    {XEN_HOST, "cr0 #", {XF_HOST_CR0}},
    {XEN_HOST, "cr3 #", {XF_HOST_CR3}},
    {XEN_HOST, "cr4 #", {XF_HOST_CR4}},
    {XEN_HOST, "efer #", {XF_HOST_EFER}},
    {XEN_HOST, "pat #", {XF_HOST_PAT}},

    {XEN_CONTROL, "pinbased #", {XF_PIN}},
    {XEN_CONTROL, "cpubased #", {XF_CPU}},
    {XEN_CONTROL, "secondaryexec #", {XF_CPU2}},
    {XEN_CONTROL, "entrycontrols #", {XF_ENTRY}},
    {XEN_CONTROL, "exitcontrols #", {XF_EXIT}},
    {XEN_CONTROL, "exceptionbitmap #", {XF_EXCEPTIONS}},
    {XEN_CONTROL, "vmentry intr_info # errcode # ilen #",
     {XF_ENTRY_INFO, XF_ENTRY_ERROR, XF_ENTRY_LENGTH}},
    {XEN_CONTROL, "reason # qualification #",
     {XF_EXIT_REASON, XF_EXIT_QUALIFICATION}},
    {XEN_CONTROL, "tpr threshold #", {XF_TPR_THRESHOLD}},
    {XEN_CONTROL, "ept pointer #", {XF_EPTP}},
    {XEN_CONTROL, "virtual processor id #", {XF_VPID}},

    {OURS, "exitcode # info1 # info2 # intinfo #",
     {XF_EXITCODE, XF_EXITINFO1, XF_EXITINFO2, XF_EXITINTINFO}},
    {OURS, "exceptions # i1 # i2 #",
     {XF_EXCEPTIONS, XF_INTERCEPTS1, XF_INTERCEPTS2}},
    {OURS, "asid % tlb % vintr # int_state # event_inj #",
     {XF_ASID, XF_TLB_CONTROL, XF_VINTR, XF_INT_STATE, XF_EVENT_INJ}},
    {OURS, "np # n_cr3 # iopm # msrpm #",
     {XF_NP_CONTROL, XF_N_CR3, XF_IOPM, XF_MSRPM}},
    {OURS, "cr0 # cr2 # cr3 # cr4 #", {XF_CR0, XF_CR2, XF_CR3, XF_CR4}},
    {OURS, "rip # rsp # rflags # efer # cpl %",
     {XF_RIP, XF_RSP, XF_RFLAGS, XF_EFER, XF_CPL}},
    {OURS, "dr6 # dr7 # pat #", {XF_DR6, XF_DR7, XF_PAT}},
    OUR_SEGMENT(CS, "cs"),
    OUR_SEGMENT(SS, "ss"),
    OUR_SEGMENT(DS, "ds"),
    OUR_SEGMENT(ES, "es"),
    OUR_SEGMENT(FS, "fs"),
    OUR_SEGMENT(GS, "gs"),
    OUR_SEGMENT(TR, "tr"),
    OUR_SEGMENT(LDTR, "ldtr"),
    OUR_SEGMENT(GDTR, "gdtr"),
    OUR_SEGMENT(IDTR, "idtr"),
};

static const struct {
    const char *words;
    enum place place;
} marks[] = {
    {"vmcs area", XEN_GUEST},
    {"guest state", XEN_GUEST},
    {"host state", XEN_HOST},
    {"control state", XEN_CONTROL},
    {"vmcb control area", OURS},
    {"*", OUTSIDE},
    {"domain_crash called", OUTSIDE},
    {"exits so far", OUTSIDE},
    {"end of dump", OUTSIDE},
};
/* clang-format on */

struct reader {
    const char *text;
    size_t size;
    size_t pos;
};

/* Length of the next element of a phrase; 0 at its end. */
static size_t element_length(const char *words)
{
    const char *blank = strchr(words, ' ');

    return blank ? (size_t)(blank - words) : strlen(words);
}

/* Matches `words` from r->pos on; numbers go to `out`. @return the position
 * behind the match, 0 if there is none. */
static size_t phrase_match(const struct reader *r, const char *words,
                           uint64_t out[PHRASE_FIELDS])
{
    struct word w;
    size_t pos = r->pos;
    unsigned n = 0;

    while (*words) {
        size_t length = element_length(words);

        if (!word_next(r->text, r->size, pos, &w)) {
            return 0;
        }
        if (*words == '#' || *words == '%') {
            if (!word_number(&w, *words == '#' ? 16 : 10, &out[n++])) {
                return 0;
            }
        } else if (strlen(w.text) != length ||
                   memcmp(w.text, words, length) != 0) {
            return 0;
        }
        pos = w.end;
        words += length + (words[length] == ' ');
    }
    return pos;
}

static bool starts_with(const char *words, const struct word *first)
{
    size_t n = element_length(words);

    return strncmp(words, first->text, n) == 0 && !first->text[n];
}

/* A mark at r->pos: its row, with the position behind it; -1 if none. */
static int mark_match(const struct reader *r, const struct word *first,
                      size_t *behind)
{
    uint64_t unused[PHRASE_FIELDS];

    for (unsigned i = 0; i < ARRAY_SIZE(marks); i++) {
        *behind = 0;
        if (starts_with(marks[i].words, first)) {
            *behind = phrase_match(r, marks[i].words, unused);
        }
        if (*behind) {
            return (int)i;
        }
    }
    return -1;
}

static bool is_start(int mark)
{
    return mark == 0 || (mark >= 0 && marks[mark].place == OURS);
}

static size_t phrase_take(const struct reader *r, enum place place,
                          const struct word *first, struct explain_snapshot *s)
{
    uint64_t v[PHRASE_FIELDS];

    for (unsigned i = 0; i < ARRAY_SIZE(phrases); i++) {
        const struct phrase *p = &phrases[i];
        size_t behind;

        if (p->place != place || !starts_with(p->words, first) ||
            !(behind = phrase_match(r, p->words, v))) {
            continue;
        }
        for (unsigned n = 0; n < PHRASE_FIELDS && p->field[n]; n++) {
            if (!explain_is_known(s, p->field[n])) {
                explain_value_set(s, p->field[n], v[n]);
            }
        }
        return behind;
    }
    return 0;
}

/* Reads from behind the start mark to the end of the dump. */
static bool dump_read(struct reader *r, enum place place,
                      struct explain_snapshot *s)
{
    bool any = false;
    size_t behind;
    struct word w;

    while (place != OUTSIDE && word_next(r->text, r->size, r->pos, &w)) {
        int mark = mark_match(r, &w, &behind);

        if (is_start(mark)) {
            break;
        }
        if (mark >= 0) {
            place = marks[mark].place;
        } else if ((behind = phrase_take(r, place, &w, s))) {
            any = true;
        } else {
            behind = w.end;
        }
        r->pos = behind;
    }
    return any;
}

bool explain_parse_next(const char *text, size_t size, size_t *pos,
                        struct explain_snapshot *s)
{
    struct reader r = {text, size, *pos};
    bool found = false;
    size_t behind;
    struct word w;

    while (!found && word_next(text, size, r.pos, &w)) {
        int mark = mark_match(&r, &w, &behind);

        if (!is_start(mark)) {
            r.pos = w.end;
            continue;
        }
        r.pos = behind;
        explain_snapshot_init(s, mark == 0 ? &explain_vmx : &explain_svm);
        found = dump_read(&r, marks[mark].place, s);
    }
    *pos = found ? r.pos : size;
    return found;
}
