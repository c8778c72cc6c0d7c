/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decompression of Linux kernels. The kernel's build appends the uncompressed
 * size to every payload, so the result's size is known and must match.
 * Ref: Linux Documentation/arch/x86/boot.rst "The Real-Mode Kernel Header".
 */
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "unpack.h"

#define LZ4_BLOCK_MAX (8u << 20) /* of the legacy frame, uncompressed */

/* bzImage header offsets. */
#define HDR_SETUP_SECTS 0x1f1u
#define HDR_BOOT_FLAG 0x1feu
#define HDR_MAGIC 0x202u
#define HDR_VERSION 0x206u
#define HDR_PAYLOAD_OFFSET 0x248u
#define HDR_PAYLOAD_LENGTH 0x24cu
#define HDR_END 0x250u

static uint32_t load_le32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static size_t unpack_gzip(const unsigned char *data, size_t len,
                          unsigned char *to, size_t size)
{
    z_stream z = {0};
    size_t done;
    int rc;

    /* 15 bits of window, +16: a gzip header. */
    if (len > UINT32_MAX || inflateInit2(&z, 15 + 16) != Z_OK) {
        return 0;
    }
    z.next_in = (Bytef *)(uintptr_t)data; /* zlib has no const; not written */
    z.avail_in = (uInt)len;
    z.next_out = to;
    z.avail_out = (uInt)size;
    rc = inflate(&z, Z_FINISH);
    done = rc == Z_STREAM_END ? z.total_out : 0;
    inflateEnd(&z);
    return done;
}

/* Legacy frames: a magic number, then blocks with a length word each. */
static size_t unpack_lz4(const unsigned char *data, size_t len,
                         unsigned char *to, size_t size)
{
    size_t at = 4;
    size_t done = 0;

    while (done < size && len - at > 4) {
        uint32_t block = load_le32(data + at);
        size_t room = rv_min(size - done, (size_t)LZ4_BLOCK_MAX);
        int n;

        at += 4;
        if (block == 0 || block > len - at) {
            return 0;
        }
        n = LZ4_decompress_safe((const char *)data + at, (char *)to + done,
                                (int)block, (int)room);
        if (n <= 0) {
            return 0;
        }
        at += block;
        done += (size_t)n;
    }
    return done;
}

static size_t unpack_lzma(const unsigned char *data, size_t len,
                          unsigned char *to, size_t size)
{
    lzma_stream s = LZMA_STREAM_INIT;
    lzma_ret rc;

    if (lzma_auto_decoder(&s, UINT64_MAX, 0) != LZMA_OK) {
        return 0;
    }
    s.next_in = data;
    s.avail_in = len;
    s.next_out = to;
    s.avail_out = size;
    do {
        rc = lzma_code(&s, LZMA_RUN);
    } while (rc == LZMA_OK && s.avail_out > 0 && s.avail_in > 0);
    lzma_end(&s);
    /* An lzma file without end mark just stops when the output is full. */
    return rc == LZMA_STREAM_END || rc == LZMA_OK ? size - s.avail_out : 0;
}

static size_t unpack_zstd(const unsigned char *data, size_t len,
                          unsigned char *to, size_t size)
{
    size_t frame = ZSTD_findFrameCompressedSize(data, len);
    size_t done;

    if (ZSTD_isError(frame)) {
        return 0;
    }
    done = ZSTD_decompress(to, size, data, frame);
    return ZSTD_isError(done) ? 0 : done;
}

static const struct packing {
    unsigned char magic[6];
    size_t magic_len;
    size_t (*unpack)(const unsigned char *data, size_t len, unsigned char *to,
                     size_t size); /* NULL: known by name only */
    const char *name;
} packings[] = {
    {{0x1f, 0x8b}, 2, unpack_gzip, "gzip"},
    {{0x02, 0x21, 0x4c, 0x18}, 4, unpack_lz4, "LZ4"},
    {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, unpack_lzma, "xz"},
    {{0x5d, 0, 0}, 3, unpack_lzma, "lzma"},
    {{0x28, 0xb5, 0x2f, 0xfd}, 4, unpack_zstd, "zstd"},
    {{'B', 'Z', 'h'}, 3, NULL, "the payload is packed with bzip2"},
    {{0x89, 'L', 'Z', 'O'}, 4, NULL, "the payload is packed with LZO"},
};

static const struct packing *packing_find(const unsigned char *data, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(packings); i++) {
        const struct packing *p = &packings[i];

        if (len > 8 && memcmp(data, p->magic, p->magic_len) == 0) {
            return p;
        }
    }
    return NULL;
}

bool unpack_data(const unsigned char *data, size_t len, size_t size,
                 struct blob *out, const char **why)
{
    const struct packing *p = packing_find(data, len);

    if (p == NULL || p->unpack == NULL) {
        *why = p == NULL ? "the payload's compression is unknown" : p->name;
        return false;
    }
    if (size == 0 || size > UNPACK_SIZE_MAX) {
        *why = "the uncompressed size is not plausible";
        return false;
    }
    out->data = xalloc(size + 1);
    out->len = p->unpack(data, len, out->data, size);
    if (out->len != size) {
        blob_free(out);
        *why = "the compressed payload is damaged";
        return false;
    }
    return true;
}

static bool is_elf(const unsigned char *data, size_t len)
{
    return len > 64 && memcmp(data, "\177ELF", 4) == 0;
}

static bool unpack_bzimage(const struct blob *file, struct blob *elf,
                           const char **why)
{
    const unsigned char *b = file->data;
    unsigned int version = b[HDR_VERSION] | (unsigned int)b[HDR_VERSION + 1]
                                                << 8;
    unsigned int sectors = b[HDR_SETUP_SECTS] != 0 ? b[HDR_SETUP_SECTS] : 4;
    uint64_t start = (sectors + 1) * 512ull + load_le32(b + HDR_PAYLOAD_OFFSET);
    uint64_t len = load_le32(b + HDR_PAYLOAD_LENGTH);

    if (version < 0x208) {
        *why = "the bzImage is older than boot protocol 2.08";
        return false;
    }
    if (len < 16 || start > file->len || len > file->len - start) {
        *why = "the bzImage's payload lies outside the file";
        return false;
    }
    if (!unpack_data(b + start, len, load_le32(b + start + len - 4), elf,
                     why)) {
        return false;
    }
    if (!is_elf(elf->data, elf->len)) {
        blob_free(elf);
        *why = "the bzImage's payload is not an ELF file";
        return false;
    }
    return true;
}

bool unpack_kernel(const struct blob *file, struct blob *elf, const char **why)
{
    const unsigned char *b = file->data;

    elf->data = NULL;
    elf->len = 0;
    if (is_elf(b, file->len)) {
        elf->data = xalloc(file->len + 1);
        memcpy(elf->data, b, file->len);
        elf->len = file->len;
        return true;
    }
    if (file->len > HDR_END && b[HDR_BOOT_FLAG] == 0x55 &&
        b[HDR_BOOT_FLAG + 1] == 0xaa && memcmp(b + HDR_MAGIC, "HdrS", 4) == 0) {
        return unpack_bzimage(file, elf, why);
    }
    if (file->len > 18 && b[0] == 0x1f && b[1] == 0x8b &&
        unpack_data(b, file->len, load_le32(b + file->len - 4), elf, why)) {
        if (is_elf(elf->data, elf->len)) {
            return true;
        }
        blob_free(elf);
    }
    *why = "it is neither a bzImage nor an ELF file";
    return false;
}
