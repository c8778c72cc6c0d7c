# SPDX-License-Identifier: BSD-2-Clause
"""Whether a run was as expected: the verdict line of each domain, the cause of
each crash in the hypervisor's log, and the hypervisor's own last words."""

import re
import signal

RESULT = "Test result: "
VERDICTS = ("SUCCESS", "SKIP", "ERROR", "FAILURE")
# isa-debug-exit turns the code c into the status 2c + 1.
STATUS_GOOD = 1
# The hypervisor's last line counts what its domains left behind.
STATISTICS = re.compile(r"frames: (\d+) free at the end, (\d+) leaked")
# How much of the hypervisor's log a failure shows.
LOG_LINES = 15
CRASH_LINES = 8
PANIC = re.compile(r"panic|PANIC|BUG at|ASSERT")


def last_line(text):
    lines = [line for line in text.split("\n") if line.strip()]
    return lines[-1].strip() if lines else ""


def result_of(text):
    """Verdict word at the end of a domain's output, or None; a word that is
    still being written is none yet."""
    for line in reversed(text.split("\n")):
        if line.startswith(RESULT):
            word = line[len(RESULT):].strip()
            return word if word in VERDICTS else None
    return None


def domain_log(logs, index, domain):
    """Domain ids follow the order of the manifest, from 1; so do channels,
    one further on. Who owns the line writes where the hypervisor left off."""
    return logs.get(0 if domain.console == "serial" else index + 2, "")


def crash_is_told(log, name, cause):
    """The hypervisor's log names the domain, and the cause near it."""
    lines = log.split("\n")
    for i, line in enumerate(lines):
        if re.search(rf"\b{re.escape(name)}\b", line):
            near = "\n".join(lines[i:i + 40])
            if cause.lower() in near.lower():
                return True
    return False


def failures_in(text):
    return [line for line in text.split("\n")
            if line.startswith(("FAILURE:", "ERROR:"))][:4]


def judge_domain(index, domain, logs):
    text = domain_log(logs, index, domain)
    got = result_of(text)
    who = f"{domain.name} ({domain.guest or domain.kernel})"
    if domain.expect == "crash":
        if got is not None:
            return [f"{who}: ended with {got}, expected a crash"]
        if not crash_is_told(logs[0], domain.name, domain.cause):
            return [f"{who}: no crash with '{domain.cause}' in the log"]
        return []
    if domain.expect == "alive":
        if got is not None:
            return [f"{who}: ended with {got}, expected to run for ever"]
        return [] if text else [f"{who}: printed nothing"]
    if got == domain.expect and last_line(text).startswith(RESULT):
        return []
    if domain.kernel and got == domain.expect:
        return []  # another kernel says more after its verdict
    problems = [f"{who}: {got or 'no verdict'}, expected {domain.expect}"]
    if got is None:
        problems.append(f"{who}: last line: {last_line(text)[:120]}")
    return problems + [f"{who}: {line[:160]}" for line in failures_in(text)]


def judge_hypervisor(case, outcome):
    problems = []
    log = outcome.logs[0]
    if PANIC.search(log):
        line = next(x for x in log.split("\n") if PANIC.search(x))
        problems.append(f"hypervisor: {line.strip()[:160]}")
    if outcome.timed_out:
        return problems + ["time is over; hypervisor: " + last_line(log)[:120]]
    if not all(d.ends() for d in case.domains):
        return problems
    if outcome.status != STATUS_GOOD:
        problems.append(f"{outcome.emulator} ended with status "
                        f"{outcome.status}")
    found = STATISTICS.search(log)
    if not found:
        problems.append("hypervisor: no statistics at its end")
    elif int(found.group(2)):
        problems.append(f"hypervisor: {found.group(0)}")
    return problems


def judge(case, outcome):
    """List of what was wrong; empty if nothing."""
    problems = []
    for index, domain in enumerate(case.domains):
        problems += judge_domain(index, domain, outcome.logs)
    return problems + judge_hypervisor(case, outcome)


def how_it_ended(outcome):
    """The emulator's end in words."""
    if outcome.timed_out:
        return "stopped by the runner, time was over"
    if outcome.status is None:
        return "stopped by the runner, all was said"
    if outcome.status < 0:
        try:
            name = signal.Signals(-outcome.status).name
        except ValueError:
            name = "unknown"
        return f"killed by signal {-outcome.status} ({name})"
    if outcome.status == 0:
        return "status 0: power off or reset without a code of the hypervisor"
    if outcome.status == STATUS_GOOD:
        if STATISTICS.search(outcome.logs[0]):
            return "status 1: powered off in order"
        return f"status 1: {outcome.emulator}'s own failure, " \
            "or power off without statistics"
    if outcome.status % 2:
        return f"status {outcome.status}: the hypervisor's code " \
            f"{outcome.status // 2:#x}"
    return f"status {outcome.status}"


def crashes_in(log):
    """The first crashes of domains, each with the start of its dump."""
    result = []
    for i, line in enumerate(log):
        if " crashed: " in line and len(result) < 2 * CRASH_LINES:
            result += log[i:i + CRASH_LINES]
    return result


def diagnosis(outcome):
    """What else one wants to know of a run that failed, line by line."""
    who = outcome.emulator
    lines = [f"{who} after {outcome.seconds:.1f} s: {how_it_ended(outcome)}"]
    lines += [f"{who} said: {line[:200]}"
              for line in outcome.errors.split("\n")[-6:] if line.strip()]
    log = [line for line in outcome.logs.get(0, "").split("\n")
           if line.strip()]
    lines += [f"crash: {line[:160]}" for line in crashes_in(log)]
    lines += [f"log: {line[:160]}" for line in log[-LOG_LINES:]]
    return lines


def only_alive_left(case, logs):
    """All domains that shall end have a verdict, the others have spoken; what
    is not a whole line yet may still turn out to be something else."""
    logs = {n: text[:text.rfind("\n") + 1] for n, text in logs.items()}
    for index, domain in enumerate(case.domains):
        text = domain_log(logs, index, domain)
        if domain.expect == "alive":
            if not text:
                return False
        elif domain.expect == "crash":
            if not crash_is_told(logs[0], domain.name, domain.cause):
                return False
        elif result_of(text) is None:
            return False
    return True


def reference_domain_lines(log, number):
    """What `launch` printed for one domain."""
    prefix = f"[{number}] "
    return "\n".join(line[len(prefix):] for line in log.split("\n")
                     if line.startswith(prefix))


def judge_reference_domain(number, domain, text):
    expect = domain.reference_expect or domain.expect
    got = result_of(text)
    ended = re.search(r"^end: (.*)$", text, re.MULTILINE)
    if expect == "crash":
        # A triple fault counts as a reboot there.
        if got or not ended or ended.group(1) not in ("crash", "reboot"):
            return [f"{domain.guest}: did not crash ({got})"]
        return []
    if got == expect:
        return []
    return [f"{domain.guest}: {got or 'no verdict'}, expected {expect}"] + \
        [f"{domain.guest}: {line[:160]}" for line in failures_in(text)]


def judge_reference(case, outcome):
    log = outcome.logs[0]
    problems = ["time is over"] if outcome.timed_out else []
    if case.reference == "dom0":
        start = log.find("init memory")
        return problems + judge_reference_domain(1, case.domains[0],
                                                 log[max(start, 0):])
    for index, domain in enumerate(case.domains):
        problems += judge_reference_domain(
            index + 1, domain, reference_domain_lines(log, index + 1))
    return problems
