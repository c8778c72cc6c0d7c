/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom the attacks on the message engine are about: one domain that attacks,
 * one that is attacked, and a pair of bystanders that exchanges numbered
 * messages before, during and after. The machine is taken apart after each
 * attack, and every frame must be back.
 */
#pragma once

#include "v4v_fixture.h"

#define VA_LEN 4032u

extern struct domain *va_evil;      /* 5 */
extern struct domain *va_victim;    /* 6 */
extern struct domain *va_control;   /* 3 */
extern struct domain *va_bystander; /* 8, the one that sends */

int va_setup(void **state);
int va_teardown(void **state);

#define VA_CASE(f) cmocka_unit_test_setup_teardown(f, va_setup, va_teardown)

/** Nobody else's traffic is lost, changed or out of order. */
void va_bystanders_go_on(void);
