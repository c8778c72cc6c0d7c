/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups in the boot information. Names come from the boot loader's
 * configuration and are bounded and terminated already.
 */
#include "ravelin/boot_info.h"

#include "ravelin/string.h"

const struct boot_module *boot_module_find(const struct boot_info *info,
                                           const char *name)
{
    for (unsigned i = 0; i < info->module_count; i++) {
        if (strcmp(info->module[i].name, name) == 0) {
            return &info->module[i];
        }
    }
    return NULL;
}
