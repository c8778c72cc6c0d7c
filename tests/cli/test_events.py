#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ravelin events: usage: test_events.py PROGRAM

Logs of monitors, made here, go through the real program; the exports are read
by readers of their formats that know nothing of this one.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import xml.etree.ElementTree

PROGRAM = ""
NAMES = {0x1000: "sh /init", 0x2000: "ping 1000", 0x3000: "pong 1000"}


def ravelin(*args, cwd=None, text=None):
    return subprocess.run([PROGRAM, *map(str, args)], cwd=cwd, timeout=60,
                          env=dict(os.environ, LC_ALL="C"), text=True,
                          input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)


def cr3(seq, ns, vcpu, value):
    return (f"@mon event seq={seq} time={ns} domain=1 vcpu={vcpu} kind=cr3 "
            f"new=0x{value:x}")


def a_log():
    """Eleven events on two virtual CPUs, as a console writes lines."""
    lines = ["monitor: watches another domain (pvh64)",
             "@mon start version=1 domain=1 vcpus=2 time=500 mode=sync"]
    lines += [f'@mon name domain=1 cr3=0x{base:x} text="{text}"'
              for base, text in NAMES.items()]
    for i in range(8):
        lines.append(cr3(i + 1, 1000000000 + i * 1000000, 0,
                         0x2000 if i % 2 else 0x3000))
    lines += [
        cr3(9, 1001500000, 1, 0x1000),
        "@mon event seq=10 time=1009000000 domain=1 vcpu=1 kind=access "
        "access=w gfn=0x10cd offset=0xef1 gla=0x438e5d552ef1 cr3=0x1000 "
        "rip=0xffffffff81a077c6",
        "@mon bytes seq=10 before=0f1f440000 after=cc1f440000",
        '@mon note domain=1 time=1009500000 text="patch \\"end\\" \\x1b[2J"',
        "@mon event seq=11 time=1010000000 domain=1 vcpu=1 kind=int3 gla=0x77",
        "@mon count domain=1 kind=cr3 count=9",
        "@mon end domain=1 time=1010000000 count=11", "11 events",
        "Test result: SUCCESS"]
    return "\r\n".join(lines) + "\r\n"


BUNDLE = {
    "format": 1, "memory_mib": 128,
    "domains": [
        {"name": "linux", "domid": 1, "roles": [], "console": True},
        {"name": "mon", "domid": 2, "roles": ["monitor"], "console": True},
    ],
    "modules": [{"name": "manifest", "bytes": 1, "source": "m.yaml"}],
}


class Events(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ravelin-test-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.log = self.dir / "mon.log"
        self.log.write_text(a_log(), newline="")

    def events(self, *args, log=None):
        return ravelin("events", *args, log or self.log, cwd=self.dir)

    def bundle(self):
        dir = self.dir / "bundle"
        (dir / "logs").mkdir(parents=True)
        (dir / "bundle.json").write_text(json.dumps(BUNDLE))
        (dir / "logs/mon.log").write_text(a_log(), newline="")
        # A watched guest that speaks like a monitor is not believed.
        (dir / "logs/linux.log").write_text(
            "@mon event seq=99 time=1 domain=1 vcpu=0 kind=cr3 new=0x6660000\n")
        return dir

    # ---- Views

    def test_text(self):
        r = self.events()
        self.assertEqual(r.returncode, 0, r.stderr)
        lines = r.stdout.splitlines()
        self.assertEqual(len(lines), 13)
        self.assertRegex(lines[0], r"^ +1\.000000000 domain 1/0 cr3 +0x3000  "
                                   r"pong 1000$")
        self.assertIn("-w- at 0x10cdef1 through 0x438e5d552ef1 by "
                      "0xffffffff81a077c6", r.stdout)
        self.assertIn("event 10: 0f1f440000 -> cc1f440000", r.stdout)
        self.assertIn('patch "end" \\x1b[2J', r.stdout)
        self.assertNotIn("\x1b", r.stdout)
        self.assertIn("11 events in 0.010 s, cr3 9, int3 1, access 1",
                      r.stderr)

    def test_json_lines(self):
        r = self.events("--json")
        self.assertEqual(r.returncode, 0, r.stderr)
        records = [json.loads(line) for line in r.stdout.splitlines()]
        self.assertEqual(records[0]["record"], "start")
        events = [x for x in records if x["record"] == "event"]
        self.assertEqual([x["seq"] for x in events], list(range(1, 12)))
        self.assertEqual(events[0]["process"], "pong 1000")
        self.assertEqual(events[0]["new"], "0x3000")
        last = records[-1]
        self.assertEqual((last["record"], last["events"], last["lost"],
                          last["missing"], last["ended"]),
                         ("summary", 11, 0, 0, True))
        ping = next(p for p in last["processes"] if p["name"] == "ping 1000")
        self.assertEqual((ping["loads"], ping["busy_ns"]),
                         (4, 3000000 + 3000000))

    def test_filters(self):
        def seqs(*args):
            r = self.events("--json", *args)
            return [x["seq"] for x in map(json.loads, r.stdout.splitlines())
                    if x["record"] == "event"]
        self.assertEqual(seqs("--kind=access,int3"), [10, 11])
        self.assertEqual(seqs("--vcpu=1"), [9, 10, 11])
        self.assertEqual(seqs("--kind=cr3", "--cr3=0x1000"), [9])
        self.assertEqual(seqs("--kind=cr3", "--process=ping"), [2, 4, 6, 8])
        self.assertEqual(seqs("--since=1.0065", "--until=1.0095"), [8, 10])
        self.assertEqual(seqs("--domain=1"), list(range(1, 12)))
        self.assertEqual(seqs("--domain=2"), [])

    def test_standard_input(self):
        r = ravelin("events", "--summary", "-", text=a_log())
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn("11 events", r.stdout)

    # ---- Exit codes

    def test_exit_codes(self):
        self.assertEqual(ravelin("events").returncode, 2)
        self.assertEqual(self.events("--kind=cr9").returncode, 2)
        self.assertEqual(self.events("--cr3=x").returncode, 2)
        self.assertEqual(self.events("--since=soon").returncode, 2)
        self.assertEqual(self.events(log="absent.log").returncode, 1)
        self.assertEqual(ravelin("events", "-", text="hello\n").returncode, 1)

    def test_malformed_lines_are_counted_and_fail(self):
        bad = a_log() + "@mon event seq=x\n@mon later thing=1\n"
        r = ravelin("events", "--json", "-", text=bad)
        self.assertEqual(r.returncode, 1)
        self.assertIn("1 malformed", r.stderr)
        last = json.loads(r.stdout.splitlines()[-1])
        self.assertEqual((last["malformed"], last["unknown"]), (1, 1))

    def test_strict_wants_every_event(self):
        self.assertEqual(self.events("--strict").returncode, 0)
        gap = a_log().replace("seq=5 ", "seq=4 ")
        self.assertEqual(ravelin("events", "-", text=gap).returncode, 0)
        lost = a_log() + "@mon lost domain=1 count=3\n"
        self.assertEqual(ravelin("events", "-", text=lost).returncode, 0)
        self.assertEqual(ravelin("events", "--strict", "-",
                                 text=lost).returncode, 1)
        without = re.sub(r"@mon event seq=5 [^\n]*\n", "", a_log())
        r = ravelin("events", "--strict", "-", text=without)
        self.assertEqual(r.returncode, 1)
        self.assertIn("missing in this log 1", r.stderr)

    # ---- Bundles

    def test_bundle_reads_monitors_only(self):
        r = ravelin("events", "--json", self.bundle())
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertNotIn("0x6660000", r.stdout)
        self.assertIn('"domain_name":"linux"', r.stdout)

    def test_bundle_monitor_option(self):
        dir = self.bundle()
        r = ravelin("events", "--monitor=linux", "--json", dir)
        self.assertIn("0x6660000", r.stdout)
        self.assertEqual(ravelin("events", "--monitor=x", dir).returncode, 2)

    def test_follow_until_the_machine_has_ended(self):
        dir = self.bundle()
        log = dir / "logs/mon.log"
        head, tail = a_log()[:700], a_log()[700:]
        log.write_text(head, newline="")
        machine = socket.socket(socket.AF_UNIX)
        machine.bind(str(dir / "console.sock"))
        machine.listen(8)
        machine.settimeout(0.05)

        def play():
            time.sleep(0.3)
            with log.open("a", newline="") as f:
                f.write(tail)
            time.sleep(0.2)
            machine.close()
            (dir / "console.sock").unlink()

        player = threading.Thread(target=play)
        player.start()
        r = ravelin("events", "--follow", "--strict", "--json", dir)
        player.join()
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(json.loads(r.stdout.splitlines()[-1])["events"], 11)

    def test_follow_ends_by_a_signal_with_its_exports(self):
        dir = self.bundle()
        machine = socket.socket(socket.AF_UNIX)
        self.addCleanup(machine.close)
        machine.bind(str(dir / "console.sock"))
        machine.listen(64)
        p = subprocess.Popen([PROGRAM, "events", "-f", "--export=t.svg", dir],
                             cwd=self.dir, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        time.sleep(0.5)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=20)
        self.assertEqual(p.returncode, 0, err)
        self.assertIn(b"pong 1000", out)
        self.assertTrue((self.dir / "t.svg").exists())

    # ---- Exports

    def test_ctf_is_read_by_babeltrace(self):
        r = self.events("--summary", "--export=t.ctf")
        self.assertEqual(r.returncode, 0, r.stderr)
        r = subprocess.run(["babeltrace2", "t.ctf"], cwd=self.dir, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=60)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        lines = r.stdout.splitlines()
        self.assertEqual(len(lines), 12)
        self.assertIn("cr3: { domain = 1, cpu_id = 0 }, { seq = 1, "
                      "new = 0x3000, process = \"pong 1000\" }", lines[0])
        # In the order of time across the streams.
        self.assertIn("cpu_id = 1 }, { seq = 9", lines[2])
        self.assertIn("physical = 0x10CDEF1", r.stdout)

    def test_ctf_of_many_packets(self):
        text = "".join(cr3(i, 1000 + i * 10, i % 3, (i % 7 + 1) << 12) + "\n"
                       for i in range(1, 30001))
        r = ravelin("events", "--summary", "--strict", "--export=t.ctf", "-",
                    cwd=self.dir, text=text)
        self.assertEqual(r.returncode, 0, r.stderr)
        r = subprocess.run(["babeltrace2", "--component=sink.utils.counter",
                            "t.ctf"], cwd=self.dir, text=True, timeout=60,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertRegex(r.stdout, r"\b30,?000 Event messages")
        self.assertGreater((self.dir / "t.ctf/domain1_vcpu0").stat().st_size,
                           262144)

    def test_ctf_is_not_mixed_into_another(self):
        self.assertEqual(self.events("--export=t.ctf").returncode, 0)
        r = self.events("--export=t.ctf")
        self.assertEqual(r.returncode, 1)
        self.assertIn("exists", r.stderr)

    def test_perfetto(self):
        r = self.events("--summary", "--export=t.json")
        self.assertEqual(r.returncode, 0, r.stderr)
        entries = json.loads((self.dir / "t.json").read_text())["traceEvents"]
        names = {(e["pid"], e["tid"]): e["args"]["name"] for e in entries
                 if e["ph"] == "M" and e["name"] == "thread_name"}
        slices = [e for e in entries if e["ph"] == "X"]
        by_track = {}
        for e in slices:
            by_track.setdefault(names[e["pid"], e["tid"]], []).append(e)
        self.assertEqual(set(by_track), {"vCPU 0", "vCPU 1", *NAMES.values()})
        self.assertEqual(len(by_track["ping 1000"]), 4)
        for track in by_track.values():
            track.sort(key=lambda e: e["ts"])
            for a, b in zip(track, track[1:]):
                self.assertLessEqual(a["ts"] + a["dur"], b["ts"] + 1e-6)
        instants = [e["name"] for e in entries if e["ph"] == "i"]
        self.assertEqual(len(instants), 3)
        self.assertNotIn("\x1b", "".join(instants))

    def test_picture(self):
        r = self.events("--summary", "--export=t.svg")
        self.assertEqual(r.returncode, 0, r.stderr)
        root = xml.etree.ElementTree.parse(self.dir / "t.svg").getroot()
        texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
        for name in NAMES.values():
            self.assertIn(name, texts)
        self.assertGreater(len(root), 20)

    def test_export_of_unknown_name(self):
        self.assertEqual(self.events("--export=t.txt").returncode, 1)
        self.assertEqual(self.events("--export=no/dir/t.json").returncode, 1)
        self.assertEqual(self.events("--export=no/dir/t.svg").returncode, 1)

    def test_hostile_names_stay_data(self):
        text = ('@mon name domain=1 cr3=0x1000 text="<script>&\\"\\x1b]0;\\xff'
                '\\x0a"\n' + cr3(1, 5, 0, 0x1000) + "\n" +
                cr3(2, 500000, 0, 0x2000) + "\n")
        r = ravelin("events", "--json", "--export=t.svg", "--export=t.json",
                    "--export=t.ctf", "-", cwd=self.dir, text=text)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertNotIn("\x1b", r.stdout)
        xml.etree.ElementTree.parse(self.dir / "t.svg")
        json.loads((self.dir / "t.json").read_text())
        r = subprocess.run(["babeltrace2", "t.ctf"], cwd=self.dir, timeout=60,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((r.returncode, r.stderr), (0, b""))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
