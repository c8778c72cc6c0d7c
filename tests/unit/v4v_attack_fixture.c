/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See v4v_attack_fixture.h.
 */
#include "v4v_attack_fixture.h"

struct domain *va_evil;
struct domain *va_victim;
struct domain *va_control;
struct domain *va_bystander;
static struct vt_ring quiet; /* of the other bystander, 9 */
static uint32_t number;

int va_setup(void **state)
{
    (void)state;
    vt_machine_create(2);
    va_evil = vt_domain_plain(5);
    va_victim = vt_domain_plain(6);
    va_control = vt_domain(&(struct vt_setup){.id = 3, .roles = ROLE_CONTROL});
    va_bystander = vt_domain(&(struct vt_setup){.id = 8, .pages = 320});
    quiet = vt_ring(vt_domain(&(struct vt_setup){.id = 9, .pages = 320}), 4, 8,
                    VA_LEN);
    number = 0;
    return 0;
}

void va_bystanders_go_on(void)
{
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(vt_send(va_bystander, 2, 9, 4, number + i, 50 + i),
                         50 + i);
    }
    for (unsigned i = 0; i < 3; i++) {
        vt_expect(&quiet, 8, 2, number + i, 50 + i);
    }
    number += 3;
}

int va_teardown(void **state)
{
    (void)state;
    va_bystanders_go_on();
    vt_machine_destroy(); /* fails if a frame is missing */
    return 0;
}
