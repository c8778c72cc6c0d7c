/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sizes: of the image as loaded, and of the source without blanks and comments.
 */
#include <elf.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { CODE, LINE_COMMENT, BLOCK_COMMENT, STRING, CHARACTER };

/* State after the character at @p; may look at the one after. */
static int next_state(int state, const char *p, const char *end, size_t *skip)
{
    char more = p + 1 < end ? p[1] : '\0';

    switch (state) {
    case CODE:
        if (*p == '/' && more == '*') {
            *skip = 1;
            return BLOCK_COMMENT;
        }
        if (*p == '/' && more == '/') {
            return LINE_COMMENT;
        }
        return *p == '"' ? STRING : *p == '\'' ? CHARACTER : CODE;
    case LINE_COMMENT:
        return *p == '\n' ? CODE : LINE_COMMENT;
    case BLOCK_COMMENT:
        if (*p == '*' && more == '/') {
            *skip = 1;
            return CODE;
        }
        return BLOCK_COMMENT;
    default:
        if (*p == '\\') {
            *skip = 1;
            return state;
        }
        /* Strings end with their line: assembler has lone apostrophes. */
        return *p == '\n' || *p == (state == STRING ? '"' : '\'') ? CODE
                                                                  : state;
    }
}

uint64_t lines_count_text(const char *text, size_t len)
{
    const char *end = text + len;
    bool has_code = false;
    uint64_t lines = 0;
    int state = CODE;

    for (const char *p = text; p < end; p++) {
        size_t skip = 0;
        int next = next_state(state, p, end, &skip);
        bool is_comment = state == LINE_COMMENT || state == BLOCK_COMMENT ||
                          next == LINE_COMMENT || next == BLOCK_COMMENT;

        if (!is_comment && strchr(" \t\r\n\f", *p) == NULL) {
            has_code = true;
        }
        if (*p == '\n') {
            lines += has_code;
            has_code = false;
        }
        state = next;
        p += skip;
    }
    return lines + has_code;
}

static uint64_t total;

static bool is_source(const char *path)
{
    static const char *const suffixes[] = {".c", ".h", ".S", ".def"};
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot != NULL && i < ARRAY_SIZE(suffixes); i++) {
        if (strcmp(dot, suffixes[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int count_file(const char *path, const struct stat *st, int type,
                      struct FTW *place)
{
    struct blob file;

    (void)st;
    (void)place;
    /* The hosted backend is not part of the hypervisor. */
    if (type == FTW_F && is_source(path) &&
        strstr(path, "/arch/fake/") == NULL && file_read(path, &file) == 0) {
        total += lines_count_text((const char *)file.data, file.len);
        blob_free(&file);
    }
    return 0;
}

uint64_t lines_count_hypervisor(const char *root)
{
    static const char *const dirs[] = {"src", "include"};

    total = 0;
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        char *dir = path_join(root, dirs[i]);

        nftw(dir, count_file, 16, FTW_PHYS);
        free(dir);
    }
    return total;
}

uint64_t image_bytes(const char *path)
{
    struct blob file;
    Elf64_Ehdr h;
    uint64_t sum;

    if (file_read(path, &file) != 0) {
        return 0;
    }
    sum = file.len;
    if (file.len >= sizeof(h) && memcmp(file.data, ELFMAG, SELFMAG) == 0 &&
        file.data[EI_CLASS] == ELFCLASS64) {
        memcpy(&h, file.data, sizeof(h));
        sum = 0;
        for (uint64_t i = 0; i < h.e_phnum; i++) {
            uint64_t at = h.e_phoff + i * sizeof(Elf64_Phdr);
            Elf64_Phdr p;

            if (at > file.len || file.len - at < sizeof(p)) {
                break;
            }
            memcpy(&p, file.data + at, sizeof(p));
            sum += p.p_type == PT_LOAD ? p.p_filesz : 0;
        }
    }
    blob_free(&file);
    return sum;
}
