/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_version and console_io.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "public/version.h"
#include "ravelin/console.h"
#include "ravelin/vconsole.h"

#define NR __HYPERVISOR_xen_version
#define CON __HYPERVISOR_console_io

static void version_is_4_17(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, NR, XENVER_version, 0, 0),
                     4 << 16 | 17);
    assert_int_equal(hc_call(HC_PLAIN, true, NR, XENVER_version, 0, 0),
                     4 << 16 | 17);
}

static void version_pagesize_with_argument_returns_einval(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, NR, XENVER_pagesize, 0, 0), 4096);
    assert_int_equal(hc_call(HC_PLAIN, false, NR, XENVER_pagesize, HC_ARG, 0),
                     -RV_EINVAL);
}

/* Whole fields are written, zero behind the text: nothing of a stack leaks. */
static void version_texts_fill_their_fields(void **state)
{
    static const struct {
        uint64_t op;
        size_t size;
    } texts[] = {
        {XENVER_extraversion, 16},   {XENVER_compile_info, 144},
        {XENVER_capabilities, 1024}, {XENVER_changeset, 64},
        {XENVER_commandline, 1024},
    };

    (void)state;
    hypercall_commandline_set("console=mux loglvl=debug");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char buf[1100];

        memset(buf, 0x5a, sizeof(buf));
        assert_int_equal(hc(HC_PLAIN, NR, texts[i].op, buf, sizeof(buf)), 0);
        assert_int_equal(buf[texts[i].size - 1], 0);
        assert_int_equal(buf[texts[i].size], 0x5a);
        assert_true(strlen(buf) > 0);
        for (size_t j = strlen(buf); j < texts[i].size && texts[i].size != 144;
             j++) {
            assert_int_equal(buf[j], 0);
        }
        assert_int_equal(hc_call(HC_PLAIN, false, NR, texts[i].op, HC_BAD, 0),
                         -RV_EFAULT);
    }
}

static void version_commandline_is_for_control_domains(void **state)
{
    char buf[1024];

    (void)state;
    hypercall_commandline_set("secret=1");
    assert_int_equal(hc(HC_PLAIN, NR, XENVER_commandline, buf, sizeof(buf)), 0);
    assert_string_equal(buf, "<denied>");
    assert_int_equal(hc(HC_CONTROL, NR, XENVER_commandline, buf, sizeof(buf)),
                     0);
    assert_string_equal(buf, "secret=1");
}

static void version_features_are_those_of_a_pvh_guest(void **state)
{
    struct xen_feature_info info = {0, 0};

    (void)state;
    assert_int_equal(hc(HC_PLAIN, NR, XENVER_get_features, &info, sizeof(info)),
                     0);
    assert_true(info.submap & 1u << XENFEAT_hvm_callback_vector);
    assert_true(info.submap & 1u << XENFEAT_auto_translated_physmap);
    assert_true(info.submap & 1u << XENFEAT_memory_op_vnode_supported);
    assert_false(info.submap & 1u << XENFEAT_dom0);
    assert_false(info.submap & 1u << XENFEAT_hvm_pirqs);
    assert_int_equal(
        hc32(HC_HARDWARE, NR, XENVER_get_features, &info, sizeof(info)), 0);
    assert_true(info.submap & 1u << XENFEAT_dom0);
    info.submap_idx = 1;
    assert_int_equal(hc(HC_PLAIN, NR, XENVER_get_features, &info, sizeof(info)),
                     -RV_EINVAL);
    assert_int_equal(
        hc_call(HC_PLAIN, false, NR, XENVER_get_features, HC_BAD, 0),
        -RV_EFAULT);
}

static void version_platform_parameters_follow_the_caller(void **state)
{
    uint64_t both = UINT64_MAX;

    (void)state;
    assert_int_equal(
        hc32(HC_PLAIN, NR, XENVER_platform_parameters, &both, sizeof(both)), 0);
    assert_int_equal(both, 0xffffffff00000000u);
    assert_int_equal(
        hc(HC_PLAIN, NR, XENVER_platform_parameters, &both, sizeof(both)), 0);
    assert_int_equal(both, 0);
    assert_int_equal(
        hc_call(HC_PLAIN, false, NR, XENVER_platform_parameters, HC_BAD, 0),
        -RV_EFAULT);
}

static void version_guest_handle_is_the_uuid(void **state)
{
    xen_domain_handle_t handle;

    (void)state;
    memset(hc_domain[HC_PLAIN]->uuid, 0x42, 16);
    assert_int_equal(
        hc(HC_PLAIN, NR, XENVER_guest_handle, handle, sizeof(handle)), 0);
    assert_memory_equal(handle, hc_domain[HC_PLAIN]->uuid, 16);
    assert_int_equal(
        hc_call(HC_PLAIN, false, NR, XENVER_guest_handle, HC_BAD, 0),
        -RV_EFAULT);
}

static void version_build_id_returns_enodata(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, NR, XENVER_build_id, 0, 0),
                     -RV_EPERM);
    assert_int_equal(hc_call(HC_CONTROL, false, NR, XENVER_build_id, 0, 0),
                     -RV_ENODATA);
}

static void version_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("xen_version");
}

static void assist_knows_the_runstate_flag_only(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, __HYPERVISOR_vm_assist,
                             VMASST_CMD_enable,
                             VMASST_TYPE_runstate_update_flag, 0),
                     0);
    assert_true(hc_domain[HC_PLAIN]->runstate_update_flag);
    assert_int_equal(hc_call(HC_PLAIN, true, __HYPERVISOR_vm_assist,
                             VMASST_CMD_disable,
                             VMASST_TYPE_runstate_update_flag, 0),
                     0);
    assert_false(hc_domain[HC_PLAIN]->runstate_update_flag);
    for (unsigned cmd = 0; cmd < 2; cmd++) {
        assert_int_equal(
            hc_call(HC_PLAIN, false, __HYPERVISOR_vm_assist, cmd, 0, 0),
            -RV_EINVAL);
    }
    hc_errors_all_provoked("vm_assist");
}

/* ---- console_io -------------------------------------------------------- */

static void console_write_shows_on_the_line(void **state)
{
    static const char text[] = "hello from a guest\n";

    (void)state;
    fixture_console_clear();
    hc_put(HC_PLAIN, HC_BUF, text, sizeof(text));
    assert_int_equal(hc_call(HC_PLAIN, false, CON, CONSOLEIO_write,
                             sizeof(text) - 1, HC_BUF),
                     0);
    assert_non_null(strstr(fixture_console_text(), "hello from a guest"));
    assert_non_null(strstr(fixture_console_text(), "[plain]"));
}

/* Longer than one piece and one call: continued to the last byte. */
static void console_write_long_text_is_continued(void **state)
{
    enum { LENGTH = 10000 };
    static char text[LENGTH];
    size_t count = 0;

    (void)state;
    fixture_console_clear();
    memset(text, 'x', sizeof(text));
    for (size_t i = 63; i < sizeof(text); i += 64) {
        text[i] = '\n';
    }
    hc_put(HC_PLAIN, HC_BUF, text, sizeof(text));
    assert_int_equal(
        hc_call(HC_PLAIN, true, CON, CONSOLEIO_write, sizeof(text), HC_BUF), 0);
    for (const char *p = fixture_console_text(); *p; p++) {
        count += *p == 'x';
    }
    assert_int_equal(count, LENGTH - LENGTH / 64);
}

static void console_write_bad_arguments_are_refused(void **state)
{
    (void)state;
    assert_int_equal(
        hc_call(HC_PLAIN, false, CON, CONSOLEIO_write, 0x80000000u, HC_BUF),
        -RV_EINVAL);
    assert_int_equal(
        hc_call(HC_PLAIN, false, CON, CONSOLEIO_read, 0xffffffffu, HC_BUF),
        -RV_EINVAL);
    assert_int_equal(hc_call(HC_PLAIN, false, CON, CONSOLEIO_write, 5, HC_BAD),
                     -RV_EFAULT);
    assert_int_equal(hc_call(HC_PLAIN, false, CON, CONSOLEIO_write, 0, HC_BAD),
                     0);
}

static void console_without_console_returns_eperm(void **state)
{
    static const struct manifest_domain none = {
        .console = MANIFEST_CONSOLE_NONE,
    };

    (void)state;
    hc_domain[HC_HARDWARE]->manifest = &none;
    assert_int_equal(
        hc_call(HC_HARDWARE, false, CON, CONSOLEIO_write, 1, HC_BUF),
        -RV_EPERM);
    assert_int_equal(
        hc_call(HC_HARDWARE, false, CON, CONSOLEIO_read, 1, HC_BUF), -RV_EPERM);
    hc_domain[HC_HARDWARE]->manifest = NULL;
}

static void console_read_returns_waiting_input(void **state)
{
    unsigned channel = console_channel_of_domain(hc_domain[HC_PLAIN]->id);
    char buf[16] = "";

    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, CON, CONSOLEIO_read, 10, HC_BUF),
                     0);
    vconsole_input(channel, "typed", 5);
    assert_int_equal(hc_call(HC_PLAIN, false, CON, CONSOLEIO_read, 3, HC_BUF),
                     3);
    assert_int_equal(
        hc_call(HC_PLAIN, false, CON, CONSOLEIO_read, 10, HC_BUF + 3), 2);
    hc_get(HC_PLAIN, HC_BUF, buf, 5);
    assert_string_equal(buf, "typed");
    vconsole_input(channel, "x", 1);
    assert_int_equal(hc_call(HC_PLAIN, false, CON, CONSOLEIO_read, 1, HC_BAD),
                     -RV_EFAULT);
}

static void console_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("console_io");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_4_17),
        cmocka_unit_test(version_pagesize_with_argument_returns_einval),
        cmocka_unit_test(version_texts_fill_their_fields),
        cmocka_unit_test(version_commandline_is_for_control_domains),
        cmocka_unit_test(version_features_are_those_of_a_pvh_guest),
        cmocka_unit_test(version_platform_parameters_follow_the_caller),
        cmocka_unit_test(version_guest_handle_is_the_uuid),
        cmocka_unit_test(version_build_id_returns_enodata),
        cmocka_unit_test(version_documented_errors_are_all_provoked),
        cmocka_unit_test(assist_knows_the_runstate_flag_only),
        cmocka_unit_test(console_write_shows_on_the_line),
        cmocka_unit_test(console_write_long_text_is_continued),
        cmocka_unit_test(console_write_bad_arguments_are_refused),
        cmocka_unit_test(console_without_console_returns_eperm),
        cmocka_unit_test(console_read_returns_waiting_input),
        cmocka_unit_test(console_documented_errors_are_all_provoked),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
