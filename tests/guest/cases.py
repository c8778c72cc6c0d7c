# SPDX-License-Identifier: BSD-2-Clause
"""The test list: entries of list.toml, expanded into one case for each
environment and number of CPUs. A mistake in the list stops everything."""

import dataclasses
import tomllib

DOMAIN_KEYS = ("guest", "kernel", "ramdisk", "vcpus", "memory", "args",
               "roles", "weight", "abi", "console", "expect", "cause", "stays",
               "reference_expect", "monitors", "settings")
TEST_KEYS = DOMAIN_KEYS + ("name", "rules", "envs", "smp", "timeout", "domain",
                           "reference", "dialogue", "image", "options")
OUTCOMES = ("SUCCESS", "SKIP", "ERROR", "FAILURE", "crash", "alive")
# In "bios" the guest is the firmware of its domain.
ENVIRONMENTS = ("pvh64", "pvh32", "pvh32pse", "pvh32pae", "debian", "bios")
# The reference hangs with PAE paging in 32-bit guests.
REFERENCE_ENVIRONMENTS = ("pvh64", "pvh32", "pvh32pse")


class ListError(Exception):
    """A mistake in the list itself."""


@dataclasses.dataclass
class Domain:
    """One domain of a test."""
    name: str
    guest: str          # with its environment; "" for another kernel
    kernel: str = ""
    ramdisk: str = ""
    vcpus: int = 1
    memory: str = "16M"
    args: str = ""
    roles: tuple = ()
    weight: int = 0
    abi: str = ""
    console: str = "xen"
    expect: str = "SUCCESS"
    cause: str = ""
    stays: bool = False
    reference_expect: str = ""
    monitors: tuple = ()    # names of the domains it watches
    settings: dict = dataclasses.field(default_factory=dict)

    def ends(self):
        return self.expect != "alive" and not self.stays

    def memory_mib(self):
        return int(self.memory.rstrip("M"))


@dataclasses.dataclass
class Case:
    """One boot of the machine."""
    name: str
    smp: int
    env: str
    timeout: int
    reference: str
    domains: list
    rules: tuple = ()
    dialogue: tuple = ()    # of (text to wait for, text to type)
    image: str = "ravelin"  # or ravelin-debug
    options: str = ""       # words for the hypervisor's command line

    def on_reference(self):
        return self.reference != "no" and self.env in REFERENCE_ENVIRONMENTS


def check_keys(entry, allowed, where):
    unknown = set(entry) - set(allowed)
    if unknown:
        raise ListError(f"{where}: unknown field {', '.join(sorted(unknown))}")


def with_environment(guest, env):
    """A guest of a list entry may name its environment or take the test's."""
    if guest.rsplit("-", 1)[-1] in ENVIRONMENTS:
        return guest
    return f"{guest}-{env}"


def domain_make(entry, test, env, index):
    fields = {key: test[key] for key in DOMAIN_KEYS if key in test}
    if entry is not test:
        for key in ("args", "expect", "cause"):
            fields.pop(key, None)
        fields.update(entry)
    fields["roles"] = tuple(fields.get("roles", ()))
    fields["monitors"] = tuple(fields.get("monitors", ()))
    guest = fields.pop("guest", test["name"])
    if fields.get("kernel"):
        guest = ""
    else:
        guest = with_environment(guest, env)
    domain = Domain(name=f"d{index + 1}", guest=guest, **fields)
    if domain.expect not in OUTCOMES:
        raise ListError(f"{test['name']}: no outcome {domain.expect}")
    if (domain.expect == "crash") != bool(domain.cause):
        raise ListError(f"{test['name']}: a crash needs a cause, and only it")
    return domain


def case_make(test, env, smp):
    entries = test.get("domain", [test])
    for entry in entries:
        if entry is not test:
            check_keys(entry, DOMAIN_KEYS, test["name"])
    domains = [domain_make(e, test, env, i) for i, e in enumerate(entries)]
    if all(d.expect == "alive" for d in domains):
        raise ListError(f"{test['name']}: nothing would end the test")
    return Case(name=f"{test['name']}/{env}/{smp}", smp=smp, env=env,
                timeout=test["timeout"], reference=test["reference"],
                domains=domains, rules=tuple(test.get("rules", ())),
                dialogue=tuple(map(tuple, test.get("dialogue", ()))),
                image=test.get("image", "ravelin"),
                options=test.get("options", ""))


def load(path):
    """All cases of the list, in its order."""
    with open(path, "rb") as file:
        content = tomllib.load(file)
    check_keys(content, ("defaults", "test"), path)
    result = []
    for entry in content["test"]:
        check_keys(entry, TEST_KEYS, entry.get("name", "a test without name"))
        test = {**content["defaults"], **entry}
        for env in test["envs"]:
            if env not in ENVIRONMENTS:
                raise ListError(f"{test['name']}: no environment {env}")
            for smp in test["smp"]:
                result.append(case_make(test, env, smp))
    names = [case.name for case in result]
    if len(names) != len(set(names)):
        raise ListError("two tests have the same name")
    return result
