/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firmware configuration device at 0x510: a read-only table of items that the
 * platform fills before the domain runs, read by selector and data port, or by
 * its DMA interface at 0x514.
 *
 * Threat surface: selectors, and the address and length of transfers into the
 * guest's own memory. One transfer moves at most LEGACY_FW_CFG_DMA_MAX bytes.
 * Ref: QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device".
 */
#pragma once

#include "ravelin/legacy_host.h"

#define LEGACY_FW_CFG_SELECTOR 0x510u
#define LEGACY_FW_CFG_DATA 0x511u
#define LEGACY_FW_CFG_DMA 0x514u /* to 0x51b */

#define LEGACY_FW_CFG_ITEMS_MAX 48u
#define LEGACY_FW_CFG_NAME_MAX 56u /* terminator included */
#define LEGACY_FW_CFG_DMA_MAX (1u << 20)

#define FW_CFG_SIGNATURE 0x00u
#define FW_CFG_ID 0x01u
#define FW_CFG_RAM_SIZE 0x03u  /* u64 */
#define FW_CFG_NB_CPUS 0x05u   /* u16 */
#define FW_CFG_BOOT_MENU 0x0eu /* u16 */
#define FW_CFG_MAX_CPUS 0x0fu  /* u16 */
#define FW_CFG_FILE_DIR 0x19u
#define FW_CFG_FILE_FIRST 0x20u
#define FW_CFG_IRQ0_OVERRIDE 0x8002u /* u8 */

struct legacy_fw_cfg_item {
    uint16_t key;
    uint32_t size;
    const void *data; /* NULL: `small` */
    uint8_t small[8];
    char name[LEGACY_FW_CFG_NAME_MAX]; /* "": no file */
};

struct legacy_fw_cfg {
    unsigned item_count;
    unsigned file_count;
    const struct legacy_fw_cfg_item *selected; /* NULL: none, or directory */
    uint16_t key;
    uint32_t offset;
    uint32_t dma_high;
    const struct legacy_host *host;
    struct legacy_fw_cfg_item item[LEGACY_FW_CFG_ITEMS_MAX];
};

/** Has signature, id and an empty directory. */
void legacy_fw_cfg_init(struct legacy_fw_cfg *fw,
                        const struct legacy_host *host);
void legacy_fw_cfg_reset(struct legacy_fw_cfg *fw);

/** Ports 0x510 and 0x511 with `size` 1 or 2, 0x514..0x51b with 1, 2, 4;
 * accesses wider than their register read as zero and write nothing. */
uint32_t legacy_fw_cfg_read(struct legacy_fw_cfg *fw, uint16_t port,
                            unsigned size);
void legacy_fw_cfg_write(struct legacy_fw_cfg *fw, uint16_t port, unsigned size,
                         uint32_t value);
/** Several bytes of the data register at once, for string input; all `n` are
 * written, zeros behind the item's end. */
void legacy_fw_cfg_data_read(struct legacy_fw_cfg *fw, uint8_t *buf, size_t n);

/*
 * All of these: before the domain runs; `data` stays the caller's, is read at
 * each access and must live as long as the device. 0; -ENOSPC no room;
 * -EEXIST the key or name is taken; -EINVAL bad key, name or size.
 */
int rv_must_check legacy_fw_cfg_add(struct legacy_fw_cfg *fw, uint16_t key,
                                    const void *data, uint32_t size);
/** `size` 1, 2, 4 or 8: little-endian number, copied. */
int rv_must_check legacy_fw_cfg_number_add(struct legacy_fw_cfg *fw,
                                           uint16_t key, uint64_t value,
                                           unsigned size);
/** A named file, e.g. "etc/e820", "bootorder", "opt/..."; keys are given out
 * in the order of the calls. */
int rv_must_check legacy_fw_cfg_file_add(struct legacy_fw_cfg *fw,
                                         const char *name, const void *data,
                                         uint32_t size);
int rv_must_check legacy_fw_cfg_file_number_add(struct legacy_fw_cfg *fw,
                                                const char *name,
                                                uint64_t value, unsigned size);
