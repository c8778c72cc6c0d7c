# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the runner: it must tell a good run from each kind of bad one."""

import io
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bochs  # noqa: E402
import cases  # noqa: E402
import machine  # noqa: E402
import verdict  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
GOOD_END = "frames: 1000 free at the end, 0 leaked\n"


def make_case(*domains):
    return cases.Case(name="x/pvh64/1", smp=1, env="pvh64", timeout=1,
                      reference="no", domains=list(domains))


def domain(index=1, **fields):
    return cases.Domain(name=f"d{index}", guest="hello-pvh64", **fields)


def outcome(hypervisor, *domains, status=1, timed_out=False):
    logs = {0: hypervisor}
    for i, text in enumerate(domains):
        logs[i + 2] = text
    return machine.Outcome(logs=logs, status=status, timed_out=timed_out)


def list_loads_and_names_existing_guests():
    guests = os.path.join(HERE, "..", "..", "guests")
    all_cases = cases.load(os.path.join(HERE, "list.toml"))
    assert len(all_cases) > 50
    for case in all_cases + cases.load(os.path.join(HERE, "bochs.toml")):
        for d in case.domains:
            if d.guest:
                name = d.guest.rsplit("-", 1)[0]
                assert os.path.isdir(os.path.join(guests, name)), name


def bochs_list_has_nothing_that_bochs_cannot_run():
    for case in cases.load(os.path.join(HERE, "bochs.toml")):
        assert bochs.can_run(case), case.name
    case = make_case(domain())
    assert bochs.can_run(case)
    case.dialogue = (("prompt", "answer"),)
    assert not bochs.can_run(case)
    assert not bochs.can_run(make_case(domain(), domain(2, expect="alive")))


def bochs_must_end_by_the_hypervisors_own_hand():
    text = GOOD_END + bochs.MACHINE_OFF + "\n"
    assert bochs.status_of(text) == verdict.STATUS_GOOD
    assert bochs.status_of(GOOD_END) != verdict.STATUS_GOOD


def split_channels_cut_text_returns_each_domain():
    logs = machine.split_channels(
        b"boot\n\x1e0002\x1fhel\x1e0000\x1flog\n\x1e0002\x1flo\r\n")
    assert logs == {0: "boot\nlog\n", 2: "hello\n"}


def judge_good_run_passes():
    case = make_case(domain())
    assert verdict.judge(case, outcome(
        GOOD_END, "title\nTest result: SUCCESS\n")) == []


def judge_failure_is_reported():
    case = make_case(domain())
    problems = verdict.judge(case, outcome(
        GOOD_END, "FAILURE: x.c:1: y\nTest result: FAILURE\n", status=1))
    assert len(problems) == 2


def judge_no_verdict_is_reported():
    assert verdict.judge(make_case(domain()), outcome(GOOD_END, "title\n"))


def judge_text_after_verdict_is_reported():
    assert verdict.judge(make_case(domain()), outcome(
        GOOD_END, "Test result: SUCCESS\nmore\n"))


def judge_timeout_is_reported():
    assert verdict.judge(make_case(domain()), outcome(
        GOOD_END, "Test result: SUCCESS\n", timed_out=True))


def judge_panic_is_reported():
    assert verdict.judge(make_case(domain()), outcome(
        "panic: x\n" + GOOD_END, "Test result: SUCCESS\n"))


def judge_leak_is_reported():
    assert verdict.judge(make_case(domain()), outcome(
        GOOD_END.replace("0 leaked", "3 leaked"), "Test result: SUCCESS\n"))


def judge_missing_statistics_is_reported():
    assert verdict.judge(make_case(domain()), outcome(
        "", "Test result: SUCCESS\n"))


def judge_wrong_status_is_reported():
    assert verdict.judge(make_case(domain()), outcome(
        GOOD_END, "Test result: SUCCESS\n", status=3))


def judge_expected_crash_passes():
    case = make_case(domain(expect="crash", cause="triple fault"))
    assert verdict.judge(case, outcome(
        "d1: crashed: triple fault\n" + GOOD_END, "Expect crash\n")) == []


def judge_crash_of_another_domain_is_reported():
    case = make_case(domain(expect="crash", cause="triple fault"))
    assert verdict.judge(case, outcome(
        "d2: crashed: triple fault\n" + GOOD_END, "Expect crash\n"))


def judge_crash_for_another_cause_is_reported():
    case = make_case(domain(expect="crash", cause="triple fault"))
    assert verdict.judge(case, outcome(
        "d1: crashed: bad state\n" + GOOD_END, "Expect crash\n"))


def judge_survived_crash_is_reported():
    case = make_case(domain(expect="crash", cause="triple fault"))
    assert verdict.judge(case, outcome(
        "d1: triple fault\n" + GOOD_END, "Test result: FAILURE\n"))


def only_alive_left_waits_for_the_others():
    case = make_case(domain(expect="alive"), domain(2))
    assert not verdict.only_alive_left(case, {0: "", 2: "x", 3: "y"})
    assert verdict.only_alive_left(
        case, {0: "", 2: "x\n", 3: "Test result: SUCCESS\n"})


def only_alive_left_waits_for_the_end_of_a_line():
    case = make_case(domain(expect="alive"), domain(2))
    assert not verdict.only_alive_left(
        case, {0: "", 2: "x", 3: "Test result: SUCCESS\n"})
    assert not verdict.only_alive_left(
        case, {0: "", 2: "x\n", 3: "Test result: SUCCESS"})


def judge_domain_that_stays_passes_without_an_end():
    case = make_case(domain(stays=True))
    assert verdict.judge(case, outcome(
        "", "Test result: SUCCESS\n", status=None)) == []
    assert verdict.judge(case, outcome("", "title\n", status=None))


def manifest_has_every_field_that_is_set():
    text = machine.manifest_text(make_case(
        domain(args="a=1 b", roles=("control",), weight=7, vcpus=3)))
    for word in ("cmdline: \"a=1 b\"", "roles: [control]", "weight: 7",
                 "vcpus: 3", "kernel: ${BUILD}/guests/hello-pvh64"):
        assert word in text, word


def owner_of_the_line_is_heard_on_it():
    case = make_case(domain(console="serial"))
    assert "  console: off\n" in machine.manifest_text(case)
    assert verdict.judge(case, outcome(
        "boot\nTest result: SUCCESS\n" + GOOD_END)) == [
            "d1 (hello-pvh64): SUCCESS, expected SUCCESS"]
    case = make_case(domain(console="serial", kernel="linux"))
    assert verdict.judge(case, outcome(
        "boot\nTest result: SUCCESS\n" + GOOD_END)) == []


def typist_answers_in_order_and_once():
    keyboard = io.BytesIO()
    typist = machine.Typist(keyboard, [("one", "1"), ("two", "2")])
    typist.look(b"two o")
    assert keyboard.getvalue() == b""
    typist.look(b"two one")
    typist.look(b"two one ")
    assert keyboard.getvalue() == b"1"
    typist.look(b"two one two two")
    assert keyboard.getvalue() == b"12"


def list_with_unknown_field_is_refused():
    try:
        cases.check_keys({"nmae": 1}, cases.TEST_KEYS, "x")
    except cases.ListError:
        return
    raise AssertionError("accepted")


def diagnosis_tells_how_it_ended_and_the_last_lines():
    log = "".join(f"line {n}\n" for n in range(40))
    ends = {
        -6: "killed by signal 6 (SIGABRT)",
        0: "status 0: power off or reset",
        1: "status 1: QEMU's own failure",
        3: "the hypervisor's code 0x1",
        None: "stopped by the runner",
    }
    for status, words in ends.items():
        lines = verdict.diagnosis(outcome(log, status=status))
        assert words in lines[0], lines[0]
        assert lines[1:] == [f"log: line {n}" for n in range(25, 40)], lines
    good = verdict.how_it_ended(outcome(GOOD_END))
    assert good == "status 1: powered off in order", good
    late = verdict.how_it_ended(outcome("", status=None, timed_out=True))
    assert "time was over" in late, late
    crashed = "domain 1 (d1) crashed: why\n" + log
    lines = verdict.diagnosis(outcome(crashed))
    assert lines[1] == "crash: domain 1 (d1) crashed: why", lines
    assert lines[2:9] == [f"crash: line {n}" for n in range(7)], lines
    dead = outcome("", status=-11)
    dead.errors = "one\n\ntwo\n"
    assert verdict.diagnosis(dead)[1:] == ["QEMU said: one", "QEMU said: two"]


TESTS = [
    list_loads_and_names_existing_guests,
    bochs_list_has_nothing_that_bochs_cannot_run,
    bochs_must_end_by_the_hypervisors_own_hand,
    list_with_unknown_field_is_refused,
    split_channels_cut_text_returns_each_domain,
    judge_good_run_passes,
    judge_failure_is_reported,
    judge_no_verdict_is_reported,
    judge_text_after_verdict_is_reported,
    judge_timeout_is_reported,
    judge_panic_is_reported,
    judge_leak_is_reported,
    judge_missing_statistics_is_reported,
    judge_wrong_status_is_reported,
    judge_expected_crash_passes,
    judge_crash_of_another_domain_is_reported,
    judge_crash_for_another_cause_is_reported,
    judge_survived_crash_is_reported,
    only_alive_left_waits_for_the_others,
    only_alive_left_waits_for_the_end_of_a_line,
    judge_domain_that_stays_passes_without_an_end,
    manifest_has_every_field_that_is_set,
    owner_of_the_line_is_heard_on_it,
    typist_answers_in_order_and_once,
    diagnosis_tells_how_it_ended_and_the_last_lines,
]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}")
        except Exception as error:  # a broken test is a failed one
            failed += 1
            print(f"not ok {number} - {test.__name__}: {error!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
