# SPDX-License-Identifier: BSD-2-Clause
"""One emulated machine: the manifest and modules of a case, QEMU under a
time-out, and the serial line taken apart by domain."""

import dataclasses
import gzip
import os
import re
import selectors
import shutil
import subprocess
import time

import verdict

MARKER = re.compile(rb"\x1e([0-9a-f]{4})\x1f")
REFERENCE_MEMORY = "1024"


class CannotRun(Exception):
    """The test could not be started at all."""


@dataclasses.dataclass
class Outcome:
    """What a run left behind."""
    logs: dict          # channel -> text; 0 is the hypervisor's
    status: int         # of the emulator; None if it was stopped
    timed_out: bool
    errors: str = ""    # what the emulator itself had to say
    seconds: float = 0
    emulator: str = "QEMU"


def processors(guest_cpus):
    """Of QEMU, for that many that run guests: TCG's first one runs none if it
    has company."""
    return guest_cpus if guest_cpus == 1 else guest_cpus + 1


def manifest_text(case):
    lines = ["machine:", "  on-last-domain-end: poweroff"]
    if any(d.console == "serial" for d in case.domains):
        lines.append("  console: off")
    lines.append("domains:")
    for domain in case.domains:
        kernel = domain.kernel or "${BUILD}/guests/" + domain.guest
        key = "firmware" if kernel.endswith("-bios") else "kernel"
        lines += [f"  - name: {domain.name}", f"    {key}: {kernel}",
                  f"    memory: {domain.memory}", f"    vcpus: {domain.vcpus}",
                  f"    console: {domain.console}"]
        if domain.ramdisk:
            lines.append(f"    ramdisk: {domain.ramdisk}")
        if domain.args:
            lines.append(f"    cmdline: \"{domain.args}\"")
        if domain.roles:
            lines.append(f"    roles: [{', '.join(domain.roles)}]")
        if domain.monitors:
            lines.append(f"    monitors: [{', '.join(domain.monitors)}]")
        for key, value in domain.settings.items():
            lines.append(f"    {key}: {value}")
        if domain.weight:
            lines.append(f"    weight: {domain.weight}")
        if domain.abi:
            lines.append(f"    message-abi: {domain.abi}")
    if case.rules:
        lines += ["v4v:", "  rules:"]
        lines += [f"    - {{{rule}}}" for rule in case.rules]
    return "\n".join(lines) + "\n"


def cpio_entry(name, data):
    """One file in the cpio format "newc"."""
    fields = (1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields)
    head += name.encode() + b"\0"
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def split_channels(data):
    """Text of each channel of a multiplexed line."""
    logs = {0: b""}
    pieces = MARKER.split(data)
    logs[0] += pieces[0]
    for channel, piece in zip(pieces[1::2], pieces[2::2]):
        number = int(channel, 16)
        logs[number] = logs.get(number, b"") + piece
    return {n: text.decode(errors="replace").replace("\r", "")
            for n, text in logs.items()}


def reference_unpack(options):
    """QEMU wants the image of the reference unpacked."""
    if not os.path.exists(options.xen):
        raise SystemExit(f"no {options.xen}: install xen-hypervisor-4.17-amd64")
    options.xen_image = os.path.join(options.build, "guest-tests", "xen")
    os.makedirs(os.path.dirname(options.xen_image), exist_ok=True)
    with gzip.open(options.xen) as packed, \
            open(options.xen_image, "wb") as image:
        shutil.copyfileobj(packed, image)


class Typist:
    """Types the answers of a dialogue as their questions appear."""

    def __init__(self, keyboard, dialogue):
        self.keyboard = keyboard
        self.steps = [(wait.encode(), text.encode())
                      for wait, text in dialogue]
        self.seen = 0

    def look(self, data):
        while self.steps:
            wait, text = self.steps[0]
            found = data.find(wait, self.seen)
            if found < 0:
                return
            self.seen = found + len(wait)
            self.keyboard.write(text)
            self.keyboard.flush()
            del self.steps[0]


class Machine:
    """Files and process of one case."""
    prefix = ""  # of its directory

    def __init__(self, case, options):
        self.case = case
        self.options = options
        self.dir = os.path.join(options.build, "guest-tests",
                                self.prefix + case.name.replace("/", "."))
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def write(self, name, data):
        with open(os.path.join(self.dir, name), "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())

    def bundle_build(self, *words):
        """`ravelin build` of the case's manifest and image."""
        tool = os.path.join(self.options.build, "tools", "ravelin", "ravelin")
        result = subprocess.run(
            [tool, "build", "--build-dir", self.options.build, *words,
             "--image", os.path.join(self.options.build, "image",
                                     self.case.image),
             os.path.join(self.dir, "manifest.yaml")],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60, check=False)
        self.write("build.log", result.stdout + result.stderr)
        if result.returncode:
            raise CannotRun("ravelin build: " +
                            (result.stderr.strip() or result.stdout.strip())
                            .replace("\n", "; "))

    def modules_build(self):
        """Boot modules, and QEMU's arguments for them."""
        self.write("manifest.yaml", manifest_text(self.case))
        boot = os.path.join(self.dir, "boot")
        self.bundle_build("-o", boot)
        with open(os.path.join(boot, "run.args"), encoding="utf-8") as file:
            args = file.read().splitlines()
        args[args.index("-smp") + 1] = str(processors(self.case.smp))
        if self.case.options:
            args[args.index("-append") + 1] += " " + self.case.options
        return boot, args

    def run(self):
        """Boots the case on Ravelin."""
        boot, args = self.modules_build()

        def finished(data):
            return verdict.only_alive_left(self.case, split_channels(data))

        endless = not all(d.ends() for d in self.case.domains)
        return self.emulate(args, boot, split_channels,
                            finished if endless else None)

    def run_reference(self):
        """Boots the case on the reference hypervisor."""
        guests = os.path.join(self.options.build, "guests")
        if self.case.reference == "dom0":
            first = self.case.domains[0]
            initrd = f"{guests}/{first.guest} {first.args} reference=1"
            vcpus = max(first.vcpus, 1)
        else:
            self.write("plan.cpio", self.plan_archive(guests))
            initrd = f"{guests}/launch-pvh64 timeout={self.case.timeout}," + \
                os.path.join(self.dir, "plan.cpio")
            vcpus = 1
        args = ["qemu-system-x86_64", "-nodefaults", "-machine", "pc",
                "-accel", "tcg", "-cpu", "max", "-m", REFERENCE_MEMORY,
                "-smp", str(max(self.case.smp, vcpus)), "-display", "none",
                "-no-reboot", "-serial", "stdio",
                "-kernel", self.options.xen_image, "-initrd", initrd,
                "-append", "xen loglvl=all guest_loglvl=all console=com1 "
                "dom0=pvh dom0-iommu=none dom0_mem=256M "
                f"dom0_max_vcpus={vcpus}"]
        return self.emulate(args, self.dir, lambda data: {
            0: data.decode(errors="replace").replace("\r", "")},
            lambda data: b"halting machine" in data)

    def plan_archive(self, guests):
        plan, files = "", {}
        for domain in self.case.domains:
            plan += f"{domain.guest} {domain.memory_mib()} {domain.vcpus} " \
                f"{domain.args} reference=1\n"
            with open(os.path.join(guests, domain.guest), "rb") as file:
                files[domain.guest] = file.read()
        return cpio_entry("plan", plan.encode()) + \
            b"".join(cpio_entry(n, d) for n, d in files.items()) + \
            cpio_entry("TRAILER!!!", b"")

    def emulate(self, args, cwd, split, finished):
        """Runs QEMU until it ends, `finished` says so, or time is up."""
        started = time.monotonic()
        deadline = started + self.case.timeout * self.options.slow
        self.write("qemu.args", "\n".join(args) + "\n")
        with open(os.path.join(self.dir, "qemu.err"), "wb") as errors:
            process = subprocess.Popen(args, cwd=cwd, stderr=errors,
                                       stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        data, why = self.read_until(process, deadline, finished)
        process.stdin.close()
        if why != "end":
            process.kill()
        status = process.wait()
        process.stdout.close()
        self.write("serial.log", data)
        logs = split(data)
        for number, text in logs.items():
            self.write(f"channel{number}.log", text)
        with open(os.path.join(self.dir, "qemu.err"), "rb") as errors:
            said = errors.read().decode(errors="replace")
        return Outcome(logs=logs, status=status if why == "end" else None,
                       timed_out=why == "time", errors=said,
                       seconds=time.monotonic() - started)

    def read_until(self, process, deadline, finished):
        data = b""
        typist = Typist(process.stdin, self.case.dialogue)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    return data, "time"
                if not selector.select(min(left, 1)):
                    continue
                piece = os.read(process.stdout.fileno(), 65536)
                if not piece:
                    return data, "end"
                data += piece
                typist.look(data)
                if finished and finished(data):
                    return data, "finished"

    def finish(self, keep):
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)
