/* SPDX-License-Identifier: BSD-2-Clause */
/* The two 8259 interrupt controllers, which are not used. */
#pragma once

/** Moves their vectors out of the exceptions' way and masks everything. */
void pic_disable(void);
