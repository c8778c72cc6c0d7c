# SPDX-License-Identifier: BSD-2-Clause
"""A case on Bochs instead of QEMU: the same modules in an ISO, a terminal that
nobody looks at, and the serial line in a file. Bochs' own status says nothing,
so the hypervisor's log must say that it ended the machine."""

import os
import select
import signal
import subprocess
import time

import machine
import verdict

CONFIG = """\
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, \
serial=1, iodebug=1
config_interface: textconfig
display_library: term
megs: {memory}
cpu: model={model}, count={cpus}, ips={speed}, reset_on_triple_fault=0, \
ignore_bad_msrs=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={line}
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
log: {log}
clock: sync=none, time0=1700000000
"""
# Instructions that take one emulated second; the emulator does some more.
SPEED = 10000000
MEMORY_LEAST = 256
# Seconds for it to quit.
GRACE = 5
MACHINE_OFF = "machine off, code 0"


def can_run(case):
    """Nobody types there, and nothing is read before the end."""
    return not case.dialogue and all(d.ends() for d in case.domains)


def status_of(log):
    """As QEMU's would be."""
    return verdict.STATUS_GOOD if MACHINE_OFF in log else 0


class BochsMachine(machine.Machine):
    """Files and process of one case."""
    prefix = "bochs."

    def run(self):
        """Boots the case on Ravelin."""
        if not can_run(self.case):
            raise machine.CannotRun("Bochs' line is read when it has ended")
        _, args = self.modules_build()
        iso = self.iso_build(args[args.index("-append") + 1])
        self.write("bochsrc", CONFIG.format(
            memory=max(int(args[args.index("-m") + 1]), MEMORY_LEAST),
            model=self.options.bochs, cpus=self.case.smp, speed=SPEED,
            iso=iso, line=self.path("serial.log"),
            log=self.path("bochs.log")))
        self.write("start.rc", "c\nq\n")
        for name in "serial.log", "bochs.log":
            self.write(name, "")
        return self.emulate_bochs()

    def path(self, name):
        return os.path.join(self.dir, name)

    def iso_build(self, words):
        boot = self.path("iso")
        self.bundle_build("-o", boot, "--iso", "--append", words)
        return os.path.join(boot, "ravelin.iso")

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def emulate_bochs(self):
        """Runs Bochs until it ends or time is up. An interrupt leads it to the
        next command, which is to quit, with all its files written."""
        started = time.monotonic()
        limit = self.case.timeout * self.options.slow
        master, slave = os.openpty()
        process = subprocess.Popen(
            ["timeout", str(limit + GRACE), "bochs-bin", "-q", "-f",
             self.path("bochsrc"), "-rc", self.path("start.rc")],
            stdin=slave, stdout=slave, stderr=slave,
            env={**os.environ, "TERM": "xterm"}, start_new_session=True)
        os.close(slave)
        has_ended = self.wait(process, master, started + limit)
        if not has_ended:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(master)
        logs = machine.split_channels(self.read("serial.log"))
        for number, text in logs.items():
            self.write(f"channel{number}.log", text)
        said = self.read("bochs.log")
        return machine.Outcome(logs=logs,
                               status=status_of(logs[0]) if has_ended
                               else None,
                               timed_out=not has_ended,
                               errors=said.decode(errors="replace"),
                               emulator="Bochs",
                               seconds=time.monotonic() - started)

    @staticmethod
    def wait(process, master, deadline):
        """Empties the terminal, which would block the emulator when full."""
        while time.monotonic() < deadline:
            if select.select([master], [], [], 0.2)[0]:
                try:
                    os.read(master, 65536)
                except OSError:
                    return True
            if process.poll() is not None:
                return True
        return False
