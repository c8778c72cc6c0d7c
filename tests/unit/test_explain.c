/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of VM entry: whole dumps against their recorded explanation, and
 * single changes of a sound state, each of which must break the named rule.
 * Arguments: pairs of a dump and its explanation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain_fixture.h"

static char **files;
static int file_count;

static char *file_text(const char *path, size_t *size)
{
    static char text[2][65536];
    static unsigned turn;
    FILE *f = fopen(path, "r");
    char *to = text[turn++ % 2];

    assert_non_null(f);
    *size = fread(to, 1, sizeof(text[0]) - 1, f);
    to[*size] = '\0';
    fclose(f);
    return to;
}

struct output {
    char text[65536];
    size_t used;
};

static void line_keep(void *ctx, const char *line)
{
    struct output *o = ctx;

    o->used += (size_t)snprintf(o->text + o->used, sizeof(o->text) - o->used,
                                "%s\n", line);
}

static void finding_keep(void *ctx, const struct explain_finding *f)
{
    explain_text_finding(ctx, f);
}

static void parse_dump_gives_recorded_explanation(void **state)
{
    static struct output out;

    (void)state;
    assert_true(file_count >= 2);
    for (int i = 0; i + 1 < file_count; i += 2) {
        struct explain_text to = {line_keep, &out, NULL};
        struct explain_snapshot s;
        size_t size, want_size, pos = 0;
        char *text = file_text(files[i], &size);

        out.used = 0;
        assert_true(explain_parse_next(text, size, &pos, &s));
        assert_int_not_equal(explain_check(&s, finding_keep, &to), 0);
        assert_string_equal(out.text, file_text(files[i + 1], &want_size));
        assert_false(explain_parse_next(text, size, &pos, &s));
    }
}

static void svm_sound(struct explain_snapshot *s)
{
    explain_snapshot_init(s, &explain_svm);
    explain_value_set(s, XF_CR0, 0x80010033);
    explain_value_set(s, XF_CR3, 0x1000);
    explain_value_set(s, XF_CR4, 0x20);
    explain_value_set(s, XF_EFER, 0x1d01);
    explain_value_set(s, XF_DR6, 0xffff0ff0);
    explain_value_set(s, XF_DR7, 0x400);
    explain_value_set(s, XF_ASID, 1);
    explain_value_set(s, XF_INTERCEPTS2, 1);
    explain_value_set(s, XF_EVENT_INJ, 0);
    explain_value_set(s, XF_NP_CONTROL, 1);
    explain_value_set(s, XF_N_CR3, 0x2000);
    explain_value_set(s, XF_PAT, 0x0007040600070406);
    explain_value_set(s, XF_IOPM, 0x3000);
    explain_value_set(s, XF_MSRPM, 0x6000);
    explain_segment_set(s, SEG_CS, 8, 0x29b, 0, 0);
}

static void check_svm_change_breaks_its_rule(void **state)
{
    static const struct {
        unsigned field;
        uint64_t value;
        const char *id;
    } row[] = {
        {XF_EFER, 0xd01, "SVM-EFER-SVME"},
        {XF_EFER, 0x1f01, "SVM-EFER-MBZ"},
        {XF_CR0, 0xa0010033, "SVM-CR0-NW"},
        {XF_CR0, 0x180010033, "SVM-CR0-HIGH"},
        {XF_CR0, 0x80010032, "SVM-LONG-PE"},
        {XF_CR3, 1UL << 63, "SVM-CR3-MBZ"},
        {XF_CR4, 1UL << 40, "SVM-CR4-MBZ"},
        {XF_CR4, 0, "SVM-LONG-PAE"},
        {XF_DR6, 1UL << 32, "SVM-DR6-HIGH"},
        {XF_DR7, 1UL << 32, "SVM-DR7-HIGH"},
        {XF_SEGMENT(SEG_CS, EXPLAIN_ATTR), 0x69b, "SVM-LONG-CS"},
        {XF_INTERCEPTS2, 2, "SVM-INTERCEPT-VMRUN"},
        {XF_ASID, 0, "SVM-ASID"},
        {XF_EVENT_INJ, 0x80000603, "SVM-EVENT-TYPE"},
        {XF_EVENT_INJ, 0x80000302, "SVM-EVENT-VECTOR"},
        {XF_N_CR3, 1UL << 52, "SVM-NCR3-MBZ"},
        {XF_PAT, 2, "SVM-GPAT"},
        {XF_IOPM, ~0xfffUL, "SVM-IOPM-RANGE"},
        {XF_MSRPM, ~0xfffUL, "SVM-MSRPM-RANGE"},
    };
    struct explain_snapshot s;

    (void)state;
    svm_sound(&s);
    assert_int_equal(explain_check(&s, NULL, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
        const char *want = row[i].id;

        svm_sound(&s);
        explain_value_set(&s, row[i].field, row[i].value);
        assert_int_not_equal(explain_check(&s, finding_find, &want), 0);
        if (want) {
            fail_msg("%s is not found", want);
        }
    }
}

static void check_vmx_v86_segments_repaired_is_sound(void **state)
{
    struct explain_snapshot s;
    size_t size, pos = 0;
    char *text;

    (void)state;
    text = file_text(files[0], &size);
    assert_true(explain_parse_next(text, size, &pos, &s));
    assert_int_equal(explain_check(&s, NULL, NULL), 3);
    for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++) {
        explain_segment_set(&s, seg, 0x1234, 0xf3, 0xffff, 0x12340);
    }
    assert_int_equal(explain_check(&s, NULL, NULL), 0);
    /* Outside vm86 mode the same segments break the protected-mode rules;
     * one of them names the RPL of another segment. */
    explain_value_set(&s, XF_RFLAGS, 0x202);
    explain_segment_set(&s, SEG_CS, 0x61, 0xc09b, 0xffffffff, 0);
    static struct output out;
    struct explain_text to = {line_keep, &out, NULL};
    assert_int_not_equal(explain_check(&s, finding_keep, &to), 0);
    assert_non_null(strstr(out.text, "VMX-SEG-SS-RPL: SS\n"));
    assert_non_null(strstr(out.text, "CS selector 0061\n"));
}

static void check_nothing_known_finds_nothing(void **state)
{
    struct explain_snapshot s;

    (void)state;
    explain_snapshot_init(&s, &explain_vmx);
    assert_int_equal(explain_check(&s, NULL, NULL), 0);
    explain_snapshot_init(&s, &explain_svm);
    assert_int_equal(explain_check(&s, NULL, NULL), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_dump_gives_recorded_explanation),
        cmocka_unit_test(check_svm_change_breaks_its_rule),
        cmocka_unit_test(check_vmx_v86_segments_repaired_is_sound),
        cmocka_unit_test(check_nothing_known_finds_nothing),
    };

    files = argv + 1;
    file_count = argc - 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
