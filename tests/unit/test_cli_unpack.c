/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel files: every compression, damaged files of every kind, ELF files with
 * impossible headers, and Debian's kernel if one is installed.
 */
#include <elf.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lz4.h>
#include <lz4hc.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "unpack.h"

#define PLAIN_SIZE 100000u
#define ROOM (PLAIN_SIZE + 4096u)

/* An ELF file with one loaded segment and a PVH note, padded with noise. */
static unsigned char plain[PLAIN_SIZE];

struct note {
    Elf64_Nhdr h;
    char name[4];
    uint32_t entry;
};

static Elf64_Ehdr *header(void)
{
    return (void *)plain;
}

static Elf64_Phdr *segment(unsigned int i)
{
    return (void *)(plain + sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr));
}

static int good_elf(void **state)
{
    struct note note = {{4, 4, 18}, "Xen", 0x100020};
    Elf64_Ehdr h = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = 1,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 3,
        .e_shoff = 90000,
        .e_shnum = 5,
    };
    uint32_t x = 7;

    (void)state;
    for (size_t i = 0; i < PLAIN_SIZE; i++) {
        x = x * 1664525u + 1013904223u;
        plain[i] = (unsigned char)(i % 3 == 0 ? x >> 24 : 'a');
    }
    memcpy(plain, &h, sizeof(h));
    *segment(0) = (Elf64_Phdr){
        .p_type = PT_LOAD,
        .p_offset = 8192,
        .p_vaddr = 0xffffffff80100010,
        .p_paddr = 0x100010,
        .p_filesz = 50000,
        .p_memsz = 70000,
    };
    *segment(1) = (Elf64_Phdr){
        .p_type = PT_NOTE,
        .p_offset = 4096,
        .p_filesz = sizeof(note),
        .p_memsz = sizeof(note),
    };
    *segment(2) = (Elf64_Phdr){.p_type = PT_GNU_STACK};
    memcpy(plain + 4096, &note, sizeof(note));
    return 0;
}

static size_t pack_gzip(unsigned char *to)
{
    z_stream z = {0};

    assert_int_equal(
        deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = plain;
    z.avail_in = PLAIN_SIZE;
    z.next_out = to;
    z.avail_out = ROOM;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static size_t pack_lz4(unsigned char *to)
{
    static const unsigned char magic[] = {0x02, 0x21, 0x4c, 0x18};
    int n = LZ4_compress_HC((const char *)plain, (char *)to + 8, PLAIN_SIZE,
                            ROOM - 8, 9);

    assert_true(n > 0);
    memcpy(to, magic, 4);
    memcpy(to + 4, &n, 4);
    return (size_t)n + 8;
}

static size_t pack_xz(unsigned char *to)
{
    size_t n = 0;

    assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, plain,
                                             PLAIN_SIZE, to, &n, ROOM),
                     LZMA_OK);
    return n;
}

static size_t pack_lzma(unsigned char *to)
{
    lzma_stream s = LZMA_STREAM_INIT;
    lzma_options_lzma options;

    assert_false(lzma_lzma_preset(&options, 1));
    assert_int_equal(lzma_alone_encoder(&s, &options), LZMA_OK);
    s.next_in = plain;
    s.avail_in = PLAIN_SIZE;
    s.next_out = to;
    s.avail_out = ROOM;
    assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
    lzma_end(&s);
    return ROOM - s.avail_out;
}

static size_t pack_zstd(unsigned char *to)
{
    size_t n = ZSTD_compress(to, ROOM, plain, PLAIN_SIZE, 3);

    assert_false(ZSTD_isError(n));
    return n;
}

static size_t (*const packers[])(unsigned char *to) = {
    pack_gzip, pack_lz4, pack_xz, pack_lzma, pack_zstd,
};

#define PACKERS (sizeof(packers) / sizeof(packers[0]))

/* A bzImage: five sectors of setup, then the payload with its size. */
static struct blob bzimage(size_t (*pack)(unsigned char *to))
{
    struct blob b = {calloc(1, 5 * 512 + 16 + ROOM), 0};
    uint32_t offset = 16, size = PLAIN_SIZE, len;
    size_t start = 5 * 512 + offset;

    assert_non_null(b.data);
    len = (uint32_t)pack(b.data + start);
    b.data[0x1f1] = 4;
    b.data[0x1fe] = 0x55;
    b.data[0x1ff] = 0xaa;
    memcpy(b.data + 0x202, "HdrS\x0f\x02", 6);
    if (pack != pack_gzip) { /* gzip ends with its size already */
        memcpy(b.data + start + len, &size, 4);
        len += 4;
    }
    memcpy(b.data + 0x248, &offset, 4);
    memcpy(b.data + 0x24c, &len, 4);
    b.len = start + len;
    return b;
}

static void unpack_kernel_every_packing_gives_the_elf(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKERS; i++) {
        struct blob file = bzimage(packers[i]), elf;
        const char *why = NULL;

        assert_true(unpack_kernel(&file, &elf, &why));
        assert_int_equal(elf.len, PLAIN_SIZE);
        assert_memory_equal(elf.data, plain, PLAIN_SIZE);
        blob_free(&elf);
        blob_free(&file);
    }
}

static void unpack_kernel_damaged_payload_is_refused_or_differs(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKERS; i++) {
        struct blob file = bzimage(packers[i]);

        for (size_t at = 5 * 512 + 16; at < file.len; at += 997) {
            const char *why = NULL;
            struct blob elf;

            file.data[at] ^= 0x55;
            if (unpack_kernel(&file, &elf, &why)) {
                assert_int_equal(elf.len, PLAIN_SIZE);
                blob_free(&elf);
            } else {
                assert_non_null(why);
                assert_null(elf.data);
            }
            file.data[at] ^= 0x55;
        }
        blob_free(&file);
    }
}

static void unpack_kernel_truncated_file_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKERS; i++) {
        struct blob file = bzimage(packers[i]);

        for (size_t len = 0; len < file.len; len += len < 3000 ? 7 : 499) {
            struct blob cut = {malloc(len + 1), len};
            const char *why = NULL;
            struct blob elf;

            memcpy(cut.data, file.data, len);
            assert_false(unpack_kernel(&cut, &elf, &why));
            assert_non_null(why);
            blob_free(&cut);
        }
        blob_free(&file);
    }
}

/* Sets four bytes of a good bzImage; it must be refused. */
static void assert_header_refused(size_t at, uint32_t value)
{
    struct blob file = bzimage(pack_lz4), elf;
    const char *why = NULL;

    memcpy(file.data + at, &value, 4);
    assert_false(unpack_kernel(&file, &elf, &why));
    assert_non_null(why);
    blob_free(&file);
}

static void unpack_kernel_impossible_header_is_refused(void **state)
{
    (void)state;
    assert_header_refused(0x206, 0x0207);     /* old protocol */
    assert_header_refused(0x248, 0xfffffff0); /* payload far outside */
    assert_header_refused(0x24c, 0xffffffff);
    assert_header_refused(0x24c, 0);
    assert_header_refused(5 * 512 + 16, 0x12345678);     /* unknown packing */
    assert_header_refused(5 * 512 + 16 + 4, 0xffffffff); /* LZ4 block */
}

static void unpack_data_names_what_it_cannot_do(void **state)
{
    static const unsigned char bzip2[16] = "BZh91AY";
    const char *why = NULL;
    struct blob out;

    (void)state;
    assert_false(unpack_data(bzip2, sizeof(bzip2), 100, &out, &why));
    assert_non_null(strstr(why, "bzip2"));
}

static struct blob plain_blob(void)
{
    return (struct blob){plain, PLAIN_SIZE};
}

static void elf_trim_keeps_what_is_loaded(void **state)
{
    struct blob elf = plain_blob(), out, again;
    const char *why = NULL;
    struct elf_facts facts;
    Elf64_Ehdr h;
    Elf64_Phdr p;

    (void)state;
    assert_true(elf_trim(&elf, &out, &facts, &why));
    assert_true(out.len < 60000);
    assert_int_equal(facts.pvh_entry, 0x100020);
    assert_int_equal(facts.load_end, 0x100010 + 70000);
    assert_int_equal(facts.segment_count, 1);
    assert_true(facts.is_64bit);
    memcpy(&h, out.data, sizeof(h));
    assert_int_equal(h.e_phnum, 2);
    assert_int_equal(h.e_shnum, 0);
    memcpy(&p, out.data + h.e_phoff, sizeof(p));
    assert_int_equal(p.p_offset % 4096, 0x10);
    assert_memory_equal(out.data + p.p_offset, plain + 8192, 50000);
    /* What was made can be read again. */
    assert_true(elf_trim(&out, &again, &facts, &why));
    assert_int_equal(again.len, out.len);
    blob_free(&out);
    blob_free(&again);
}

static void assert_trim_refused(const char *part_of_why)
{
    struct blob elf = plain_blob(), out;
    const char *why = NULL;
    struct elf_facts facts;

    assert_false(elf_trim(&elf, &out, &facts, &why));
    assert_non_null(strstr(why, part_of_why));
    good_elf(NULL);
}

static void elf_trim_impossible_headers_are_refused(void **state)
{
    (void)state;
    header()->e_machine = EM_ARM;
    assert_trim_refused("x86");
    header()->e_ident[EI_DATA] = ELFDATA2MSB;
    assert_trim_refused("little-endian");
    header()->e_phoff = UINT64_MAX - 10;
    assert_trim_refused("program headers");
    header()->e_phnum = 65535;
    assert_trim_refused("program headers");
    segment(0)->p_offset = UINT64_MAX;
    assert_trim_refused("outside");
    segment(0)->p_filesz = PLAIN_SIZE;
    assert_trim_refused("outside");
    segment(0)->p_memsz = 1;
    assert_trim_refused("impossible");
    segment(0)->p_paddr = UINT64_MAX - 5;
    assert_trim_refused("impossible");
    segment(0)->p_type = PT_NULL;
    assert_trim_refused("loads nothing");
    segment(1)->p_type = PT_NULL;
    assert_trim_refused("PVH");
}

static void elf_trim_broken_notes_have_no_entry(void **state)
{
    Elf64_Nhdr *note = (void *)(plain + 4096);

    (void)state;
    note->n_namesz = 0xffffffff;
    assert_trim_refused("PVH");
    note->n_descsz = 0xfffffffd;
    assert_trim_refused("PVH");
    note->n_type = 17;
    assert_trim_refused("PVH");
    plain[4096 + 12] = 'x';
    assert_trim_refused("PVH");
}

static void unpack_debian_kernel_gives_a_pvh_kernel(void **state)
{
    struct blob file, elf, out;
    const char *why = NULL;
    struct elf_facts facts;
    glob_t found;

    (void)state;
    if (glob("/boot/vmlinuz-*-cloud-amd64", 0, NULL, &found) != 0) {
        skip();
    }
    assert_int_equal(file_read(found.gl_pathv[0], &file), 0);
    assert_true(unpack_kernel(&file, &elf, &why));
    assert_true(elf_trim(&elf, &out, &facts, &why));
    assert_true(facts.pvh_entry >= 0x1000000);
    assert_int_equal(facts.segment_count, 4);
    assert_true(out.len < elf.len);
    blob_free(&file);
    blob_free(&elf);
    blob_free(&out);
    globfree(&found);
}

#define CASE(name) cmocka_unit_test_setup(name, good_elf)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(unpack_kernel_every_packing_gives_the_elf),
        CASE(unpack_kernel_damaged_payload_is_refused_or_differs),
        CASE(unpack_kernel_truncated_file_is_refused),
        CASE(unpack_kernel_impossible_header_is_refused),
        CASE(unpack_data_names_what_it_cannot_do),
        CASE(elf_trim_keeps_what_is_loaded),
        CASE(elf_trim_impossible_headers_are_refused),
        CASE(elf_trim_broken_notes_have_no_entry),
        CASE(unpack_debian_kernel_gives_a_pvh_kernel),
    };

    return cmocka_run_group_tests_name("cli_unpack", tests, NULL, NULL);
}
