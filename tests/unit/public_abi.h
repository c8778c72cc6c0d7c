/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest ABI as a table of numbers, made once from our headers and once from
 * the reference's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct abi_row {
    const char *name;
    uint64_t value;
};

extern const struct abi_row abi_ours[];
extern const struct abi_row abi_theirs[];
extern const size_t abi_ours_count;
extern const size_t abi_theirs_count;

#define ABI_CONST(name) {#name, (uint64_t)(name)},
#define ABI_SIZE(tag) {"sizeof " #tag, sizeof(struct tag)},
#define ABI_OFFSET(tag, member) \
    {"offsetof " #tag "." #member, offsetof(struct tag, member)},
