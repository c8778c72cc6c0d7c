/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8259 pair is masked for good. It is initialised first, because even a
 * masked one can raise a spurious interrupt, which must not look like an
 * exception.
 * Ref: Intel 8259A data sheet, "Initialization Command Words".
 */
#include "platform/pic.h"

#include "cpu/interrupt.h"
#include "cpu/regs.h"

#define MASTER_COMMAND 0x20u
#define MASTER_DATA 0x21u
#define SLAVE_COMMAND 0xa0u
#define SLAVE_DATA 0xa1u

#define ICW1_INIT_ICW4 0x11u
#define ICW3_MASTER_SLAVE_AT_2 0x04u
#define ICW3_SLAVE_ID_2 0x02u
#define ICW4_8086 0x01u
#define MASK_ALL 0xffu

void pic_disable(void)
{
    outb(MASTER_COMMAND, ICW1_INIT_ICW4);
    outb(SLAVE_COMMAND, ICW1_INIT_ICW4);
    outb(MASTER_DATA, VECTOR_FIRST_DEVICE);
    outb(SLAVE_DATA, VECTOR_FIRST_DEVICE + 8);
    outb(MASTER_DATA, ICW3_MASTER_SLAVE_AT_2);
    outb(SLAVE_DATA, ICW3_SLAVE_ID_2);
    outb(MASTER_DATA, ICW4_8086);
    outb(SLAVE_DATA, ICW4_8086);
    outb(MASTER_DATA, MASK_ALL);
    outb(SLAVE_DATA, MASK_ALL);
}
