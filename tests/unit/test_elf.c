/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel image parser: what it takes from good images of both classes, and
 * each reason to refuse a bad one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "elf_image.h"

#include "platform/elf.h"
#include "ravelin/errno.h"

static uint8_t image[ELF_IMAGE_SIZE];
static struct elf_image out;
static const char *why;

static int parse(void)
{
    why = NULL;
    return elf_parse(image, sizeof(image), &out, &why);
}

static void assert_refused(const char *reason)
{
    assert_int_equal(parse(), -RV_ENOEXEC);
    assert_string_equal(why, reason);
}

static void parse_good_image_gives_segments_and_entry(void **state)
{
    (void)state;
    for (unsigned class = ELFCLASS32; class <= ELFCLASS64; class ++) {
        struct elf_image_plan p = elf_image_default(class);

        elf_image_make(image, &p);
        assert_int_equal(parse(), 0);
        assert_int_equal(out.entry, 0x100040);
        assert_int_equal(out.count, 2);
        assert_int_equal(out.segment[0].paddr, 0x100000);
        assert_int_equal(out.segment[0].offset, ELF_IMAGE_DATA_AT);
        assert_int_equal(out.segment[0].file_size, 0x800);
        assert_int_equal(out.segment[0].mem_size, 0x800);
        assert_int_equal(out.segment[1].paddr, 0x110000);
        assert_int_equal(out.segment[1].offset, ELF_IMAGE_DATA_AT + 0x800);
        assert_int_equal(out.segment[1].file_size, 0x400);
        assert_int_equal(out.segment[1].mem_size, 0x3000);
    }
}

static void parse_entry_note_of_either_size_succeeds(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    p.entry_size = 4;
    elf_image_make(image, &p);
    assert_int_equal(parse(), 0);
    assert_int_equal(out.entry, 0x100040);
    p = elf_image_default(ELFCLASS32);
    p.entry_size = 8;
    elf_image_make(image, &p);
    assert_int_equal(parse(), 0);
    assert_int_equal(out.entry, 0x100040);
}

static void parse_segments_out_of_order_are_sorted(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    p.loads = 3;
    p.paddr[0] = 0x300000;
    p.paddr[1] = 0x100000;
    p.paddr[2] = 0x200000;
    p.filesz[2] = p.memsz[2] = 0x10;
    elf_image_make(image, &p);
    assert_int_equal(parse(), 0);
    assert_int_equal(out.segment[0].paddr, 0x100000);
    assert_int_equal(out.segment[1].paddr, 0x200000);
    assert_int_equal(out.segment[2].paddr, 0x300000);
}

static void parse_empty_segment_is_skipped(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    p.filesz[1] = p.memsz[1] = 0;
    elf_image_make(image, &p);
    assert_int_equal(parse(), 0);
    assert_int_equal(out.count, 1);
}

static void parse_unaligned_image_succeeds(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);
    uint8_t *moved = malloc(ELF_IMAGE_SIZE + 1);

    (void)state;
    elf_image_make(image, &p);
    memcpy(moved + 1, image, ELF_IMAGE_SIZE);
    assert_int_equal(elf_parse(moved + 1, ELF_IMAGE_SIZE, &out, &why), 0);
    free(moved);
}

static void parse_wrong_identity_is_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    elf_image_make(image, &p);
    image[1] = 'e';
    assert_refused("not an ELF file");
    elf_image_make(image, &p);
    image[EI_DATA] = ELFDATA2MSB;
    assert_refused("ELF file for another processor");
    elf_image_make(image, &p);
    image[offsetof(Elf64_Ehdr, e_machine)] = EM_AARCH64;
    assert_refused("ELF file for another processor");
    elf_image_make(image, &p);
    image[offsetof(Elf64_Ehdr, e_type)] = ET_REL;
    assert_refused("ELF file is no executable");
    elf_image_make(image, &p);
    image[EI_CLASS] = 3;
    assert_refused("ELF header is damaged");
}

static void parse_damaged_program_headers_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint64_t value;
        size_t size;
    } damage[] = {
        {offsetof(Elf64_Ehdr, e_phnum), 0, 2},
        {offsetof(Elf64_Ehdr, e_phnum), 65, 2},
        {offsetof(Elf64_Ehdr, e_phentsize), sizeof(Elf64_Phdr) - 1, 2},
        {offsetof(Elf64_Ehdr, e_phentsize), 0xffff, 2},
        {offsetof(Elf64_Ehdr, e_phoff), ELF_IMAGE_SIZE - 10, 8},
        {offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX, 8},
        {offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX - 100, 8},
    };
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    for (unsigned i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
        elf_image_make(image, &p);
        memcpy(image + damage[i].at, &damage[i].value, damage[i].size);
        assert_refused("ELF program headers are missing or damaged");
    }
}

static void parse_segment_outside_file_is_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    p.filesz[1] = p.memsz[1] = 0x1801; /* one byte past the end */
    p.paddr[1] = 0x200000;
    elf_image_make(image, &p);
    assert_refused("ELF segment is not inside the file");
    p.filesz[1] = p.memsz[1] = UINT64_MAX;
    elf_image_make(image, &p);
    assert_refused("ELF segment is not inside the file");
    p = elf_image_default(ELFCLASS64);
    p.memsz[0] = 0x7ff; /* less than the file has */
    elf_image_make(image, &p);
    assert_refused("ELF segment is not inside the file");
}

static void parse_absurd_address_is_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    p.paddr[1] = UINT64_MAX - 0x100;
    elf_image_make(image, &p);
    assert_refused("ELF segment has an absurd address");
    p = elf_image_default(ELFCLASS64);
    p.memsz[1] = UINT64_MAX - 0x1000;
    elf_image_make(image, &p);
    assert_refused("ELF segment has an absurd address");
}

static void parse_overlapping_segments_are_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS32);

    (void)state;
    p.paddr[1] = p.paddr[0] + p.memsz[0] - 1;
    elf_image_make(image, &p);
    assert_refused("ELF segments overlap");
    p.paddr[1] = p.paddr[0];
    elf_image_make(image, &p);
    assert_refused("ELF segments overlap");
}

static void parse_nothing_to_load_is_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS32);

    (void)state;
    p.loads = 0;
    elf_image_make(image, &p);
    assert_refused("ELF file has nothing to load");
}

static void parse_too_many_segments_are_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    elf_image_make(image, &p);
    for (unsigned i = 0; i < ELF_SEGMENT_MAX + 1; i++) {
        elf_image_phdr(image, &p, i + 1, PT_LOAD, ELF_IMAGE_DATA_AT,
                       0x100000 + i * 0x1000, 0x800, 0x800);
    }
    /* The headers now run over the notes: those move. */
    size_t notes = elf_image_notes(image + 0x800, &p);

    elf_image_phdr(image, &p, 0, PT_NOTE, 0x800, 0, notes, notes);
    image[offsetof(Elf64_Ehdr, e_phnum)] = ELF_SEGMENT_MAX + 2;
    assert_refused("ELF file has too many segments");
    image[offsetof(Elf64_Ehdr, e_phnum)] = ELF_SEGMENT_MAX + 1;
    assert_int_equal(parse(), 0);
    assert_int_equal(out.count, ELF_SEGMENT_MAX);
}

static void parse_missing_entry_note_is_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    p.entry_size = 0;
    elf_image_make(image, &p);
    assert_refused("ELF file has no PVH entry note");
    p = elf_image_default(ELFCLASS64);
    elf_image_make(image, &p);
    image[ELF_IMAGE_NOTE_AT + 28 + 12] = 'x'; /* another owner's note 18 */
    assert_refused("ELF file has no PVH entry note");
}

static void parse_damaged_notes_are_refused(void **state)
{
    /* Offsets of name and descriptor sizes of the first note. */
    static const uint32_t sizes[] = {0xffffffff, 0xfffffff0, 0x80000000,
                                     0x1000};
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        for (unsigned field = 0; field < 2; field++) {
            elf_image_make(image, &p);
            memcpy(image + ELF_IMAGE_NOTE_AT + 4 * field, &sizes[i], 4);
            assert_refused("ELF file has no PVH entry note");
        }
    }
}

static void parse_note_segment_outside_file_is_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    elf_image_make(image, &p);
    elf_image_phdr(image, &p, 0, PT_NOTE, UINT64_MAX - 4, 0, 64, 64);
    assert_refused("ELF file has no PVH entry note");
    elf_image_phdr(image, &p, 0, PT_NOTE, ELF_IMAGE_SIZE - 8, 0, 64, 64);
    assert_refused("ELF file has no PVH entry note");
}

static void parse_notes_cut_by_their_segment_are_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);
    size_t whole = 28 + 24;

    (void)state;
    elf_image_make(image, &p);
    for (size_t n = 0; n < whole; n++) {
        elf_image_phdr(image, &p, 0, PT_NOTE, ELF_IMAGE_NOTE_AT, 0, n, n);
        assert_refused("ELF file has no PVH entry note");

        /* The same at the end of the file, exact for the sanitizer. */
        uint8_t *cut = malloc(ELF_IMAGE_NOTE_AT + n);

        memcpy(cut, image, ELF_IMAGE_NOTE_AT + n);
        assert_int_equal(elf_parse(cut, ELF_IMAGE_NOTE_AT + n, &out, &why),
                         -RV_ENOEXEC);
        free(cut);
    }
    elf_image_phdr(image, &p, 0, PT_NOTE, ELF_IMAGE_NOTE_AT, 0, whole, whole);
    assert_int_equal(parse(), 0);
}

static void parse_entry_outside_image_is_refused(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);

    (void)state;
    p.entry = 0x100800;
    elf_image_make(image, &p);
    assert_refused("PVH entry point is outside the loaded image");
    p.entry = 0x110400; /* zeroed part of the second segment */
    elf_image_make(image, &p);
    assert_refused("PVH entry point is outside the loaded image");
    p.entry = 1UL << 32 | 0x100040;
    elf_image_make(image, &p);
    assert_refused("PVH entry point is above 4 GiB");
}

static void parse_every_truncation_is_refused_or_complete(void **state)
{
    struct elf_image_plan p = elf_image_default(ELFCLASS64);
    const size_t needed = ELF_IMAGE_DATA_AT + 0xc00;

    (void)state;
    elf_image_make(image, &p);
    for (size_t n = 0; n <= needed; n++) {
        uint8_t *cut = malloc(n == 0 ? 1 : n); /* exact, for the sanitizer */
        int rc;

        memcpy(cut, image, n);
        rc = elf_parse(cut, n, &out, &why);
        free(cut);
        assert_int_equal(rc, n == needed ? 0 : -RV_ENOEXEC);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_good_image_gives_segments_and_entry),
        cmocka_unit_test(parse_entry_note_of_either_size_succeeds),
        cmocka_unit_test(parse_segments_out_of_order_are_sorted),
        cmocka_unit_test(parse_empty_segment_is_skipped),
        cmocka_unit_test(parse_unaligned_image_succeeds),
        cmocka_unit_test(parse_wrong_identity_is_refused),
        cmocka_unit_test(parse_damaged_program_headers_are_refused),
        cmocka_unit_test(parse_segment_outside_file_is_refused),
        cmocka_unit_test(parse_absurd_address_is_refused),
        cmocka_unit_test(parse_overlapping_segments_are_refused),
        cmocka_unit_test(parse_nothing_to_load_is_refused),
        cmocka_unit_test(parse_too_many_segments_are_refused),
        cmocka_unit_test(parse_missing_entry_note_is_refused),
        cmocka_unit_test(parse_damaged_notes_are_refused),
        cmocka_unit_test(parse_note_segment_outside_file_is_refused),
        cmocka_unit_test(parse_notes_cut_by_their_segment_are_refused),
        cmocka_unit_test(parse_entry_outside_image_is_refused),
        cmocka_unit_test(parse_every_truncation_is_refused_or_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
