#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ravelin v4v against a machine that really runs.

usage: test_v4v.py PROGRAM BUILD

Boots tests/cli/v4v.yaml in QEMU: an agent in the control domain, a domain that
sends to another all the time, an agent without the role. One machine serves
all tests of the class; each leaves the rules as it found them.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = BUILD = ""
SLOW = float(os.environ.get("SLOW", "1"))
PATIENCE = 60 * SLOW
FIRST_RULE = {"position": 1, "from": "client:*", "to": "web:99",
              "action": "deny", "hits": 0}


def ravelin(*args, **more):
    env = dict(os.environ, LC_ALL="C", RAVELIN_BUILD=BUILD, **more)
    return subprocess.run([PROGRAM, *map(str, args)], env=env, text=True,
                          timeout=120 * SLOW, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Machine:
    """A machine that runs until it is stopped."""

    def __init__(self, manifest, **env):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ravelin-test-"))
        self.run = self.dir / "run"
        self.output = open(self.dir / "output", "wb")
        self.process = subprocess.Popen(
            [PROGRAM, "run", str(manifest), "-o", str(self.run), "--timeout",
             str(600 * SLOW)],
            env=dict(os.environ, RAVELIN_BUILD=BUILD, **env),
            stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=subprocess.STDOUT)
        try:
            self.wait(lambda: (self.run / "console.sock").exists())
        except BaseException:
            self.stop()
            raise

    def text(self):
        return (self.dir / "output").read_text(errors="replace")

    def wait(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("the machine: " + self.text()[-3000:])
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30 * SLOW)
        self.output.close()
        shutil.rmtree(self.dir)

    def v4v(self, verb, *args, timeout="30"):
        return ravelin("v4v", verb, "--machine", self.run, "--timeout",
                       timeout, *args)


class Managed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = Machine(HERE / "v4v.yaml")
        cls.addClassCleanup(cls.machine.stop)
        cls.machine.wait(lambda: "talker: heard" in cls.machine.text())

    def good(self, *args):
        r = self.machine.v4v(*args)
        self.assertEqual((r.returncode, r.stderr), (0, ""), args)
        return r.stdout

    def data(self, *args):
        return json.loads(self.good(*args, "--json"))

    def bad(self, status, text, *args, **more):
        r = self.machine.v4v(*args, **more)
        self.assertEqual(r.returncode, status, r.stderr)
        self.assertIn(text, r.stderr)
        self.assertEqual(r.stdout, "")

    def stat(self, domain):
        return self.data("stats", domain)[0]

    def grows(self, value):
        """The number that `value` gives becomes larger by itself."""
        before = value()
        end = time.monotonic() + PATIENCE
        while value() <= before:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_list_shows_the_rings_of_every_domain(self):
        rings = self.data("list")
        self.assertEqual([(r["domain"], r["id"], r["port"], r["from"])
                          for r in rings],
                         [("web", 2, 10, "client"), ("client", 3, 10, "web")])
        web = rings[0]
        self.assertEqual(web["size"], 8 * 4096 - 64)
        # A message may come between the two readings.
        self.assertLessEqual(abs(web["bytes"] - web["messages"] * 64), 64)
        self.assertEqual((web["abi"], web["orphan"], web["waiting"]),
                         ("v4v", False, 0))
        self.assertLessEqual(web["used"], web["size"])
        self.assertEqual(rings[1]["messages"], 0)
        self.grows(lambda: self.data("list", "web")[0]["messages"])

    def test_list_is_a_table_for_people(self):
        head, *rows = self.good("list").splitlines()
        self.assertEqual(head.split()[:8], ["DOMAIN", "ID", "PORT", "FROM",
                                            "SIZE", "USED", "%", "WAITING"])
        self.assertEqual([r.split()[:4] for r in rows],
                         [["web", "2", "10", "client"],
                          ["client", "3", "10", "web"]])
        self.assertEqual(len(self.good("list", "3").splitlines()), 2)
        self.assertEqual(len(self.good("list", "nobody").splitlines()), 1)

    def test_rules_of_the_manifest_and_the_default(self):
        self.assertEqual(self.data("rules")["rules"], [FIRST_RULE])
        self.assertEqual(self.data("rules")["default"], "accept")
        self.grows(lambda: self.data("rules")["default_hits"])
        lines = self.good("rules").splitlines()
        self.assertEqual(lines[1].split(), ["1", "0", "deny", "client:*",
                                            "web:99"])
        self.assertRegex(lines[2], r"^default: accept, \d+ hits$")

    def test_deny_stops_the_traffic_and_counts(self):
        text = self.good("add", "1", "client:* -> web:10 deny")
        self.assertEqual(text, "position 1: client:* -> web:10 deny\n")
        try:
            first, second = self.data("rules")["rules"]
            self.assertEqual((first["from"], first["to"], first["action"]),
                             ("client:*", "web:10", "deny"))
            self.assertEqual(second, dict(FIRST_RULE, position=2))
            self.grows(lambda: self.data("rules")["rules"][0]["hits"])
            self.grows(lambda: self.stat("client")["refused"])
            # What was under way has arrived; nothing follows it.
            before = self.stat("client")["sent_messages"]
            self.grows(lambda: self.stat("client")["refused"])
            self.assertEqual(self.stat("client")["sent_messages"], before)
            e = self.data("explain", "client:10", "web:10")
            self.assertEqual((e["action"], e["position"]), ("deny", 1))
            self.assertGreater(e["hits"], 0)
            self.assertEqual((e["rule"]["from"], e["rule"]["to"]),
                             ("client:*", "web:10"))
            self.assertRegex(self.good("explain", "3:10", "2:10"),
                             r"^deny: rule 1 decides, client:\* -> web:10 deny "
                             r"\(\d+ hits\)\n$")
            # The way back is another matter.
            back = self.data("explain", "web:10", "client:10")
            self.assertEqual((back["action"], back["position"], back["rule"]),
                             ("accept", None, None))
        finally:
            self.good("del", "client:* -> web:10 deny")
        self.assertEqual(self.data("rules")["rules"], [FIRST_RULE])
        self.grows(lambda: self.stat("client")["sent_messages"])

    def test_explain_names_the_default(self):
        self.assertRegex(
            self.good("explain", "client:1", "web:1"),
            r"^accept: no rule matches, the default decides \(\d+ hits\)\n$")
        self.assertEqual(self.data("explain", "client:1", "web:99")["rule"],
                         FIRST_RULE)

    def test_add_and_del_by_position_count_from_one(self):
        self.assertEqual(self.data("add", "9:9 -> 8:8 accept"),
                         {"position": 2})
        self.assertEqual(self.data("add", "2", "* -> control:5 accept"),
                         {"position": 2})
        self.assertEqual([(r["from"], r["to"], r["position"])
                          for r in self.data("rules")["rules"]],
                         [("client:*", "web:99", 1), ("*:*", "control:5", 2),
                          ("domain-9:9", "domain-8:8", 3)])
        self.bad(1, "position 5 is out of range: the table has 3 rules",
                 "add", "5", "1:1 -> 2:2 deny")
        self.bad(1, "no rule at position 4: the table has 3", "del", "4")
        self.assertEqual(self.good("del", "3"), "deleted 1\n")
        self.assertEqual(self.data("del", "2"), {"deleted": 1})
        self.assertEqual(self.data("rules")["rules"], [FIRST_RULE])

    def test_many_rules_come_in_pieces_and_all_go(self):
        for i in range(1, 40):
            self.good("add", f"9:{i} -> 8:8 accept")
        rules = self.data("rules")["rules"]
        self.assertEqual([r["position"] for r in rules], list(range(1, 41)))
        self.assertEqual([r["from"] for r in rules[1:]],
                         [f"domain-9:{i}" for i in range(1, 40)])
        self.assertEqual(self.data("del", "--all"), {"deleted": 40})
        self.assertEqual(self.data("rules")["rules"], [])
        self.good("add", "client -> web:99 deny")

    def test_refusals_say_what_is_wrong(self):
        self.bad(1, "there is no such rule", "del", "1:1 -> 2:2 deny")
        for position in ("0", "-1", "x"):
            self.bad(2, "a position is a number from 1 on", "del", "--",
                     position)
        self.bad(2, "a rule ends in accept or deny", "add", "1:1 -> 2:2 drop")
        self.bad(2, "there is no such domain", "add", "x:1 -> web:2 deny")
        self.bad(2, "a port is a number", "add", "1:0 -> web:2 deny")
        self.bad(2, "usage: ravelin v4v add", "add")
        self.bad(2, "usage: ravelin v4v del", "del")
        self.bad(2, "usage: ravelin v4v explain", "explain", "1:1")
        self.bad(2, "one domain and one port", "explain", "1:*", "2:2")
        self.bad(1, "there is no such domain", "stats", "77")
        self.bad(1, "there is no such domain", "list", "x")
        self.bad(2, "there is no domain 'x'", "list", "--via", "x")
        self.assertEqual(self.data("rules")["rules"], [FIRST_RULE])

    def test_without_the_role_everything_is_denied(self):
        for verb in (["list"], ["rules"], ["stats"], ["add", "1 -> 2 deny"],
                     ["del", "1"], ["explain", "1:1", "2:2"],
                     ["limits", "web", "max-rings=1"]):
            self.bad(1, "denied: domain 'nobody' has no control role",
                     *verb, "--via", "nobody")
        self.assertEqual(self.data("rules")["rules"], [FIRST_RULE])

    def test_without_an_agent_the_time_runs_out(self):
        self.bad(4, "did not answer within 1 s", "list", "--via", "web",
                 timeout="1")

    def test_stats_are_a_row_for_each_domain(self):
        rows = self.data("stats")
        self.assertEqual([(r["domain"], r["state"], r["rings"])
                          for r in rows],
                         [("control", "running", 0), ("web", "running", 1),
                          ("client", "running", 1), ("nobody", "running", 0)])
        client = rows[2]
        self.assertLessEqual(
            abs(client["sent_bytes"] - client["sent_messages"] * 64), 64)
        self.assertEqual(client["max-rings"], 128)
        self.assertEqual(len(self.good("stats").splitlines()), 5)

    def test_limits_are_shown_and_set(self):
        before = self.data("limits", "web")[0]
        self.assertEqual(before, {"domain": "web", "id": 2, "max-rings": 128,
                                  "max-sendv": 128, "max-notify": 256,
                                  "max-send-size": 33554432})
        self.data("limits", "web", "max-rings=7", "max-sendv=5")
        self.assertEqual(self.data("limits", "web"),
                         [dict(before, **{"max-rings": 7, "max-sendv": 5})])
        self.bad(1, "out of range", "limits", "web", "max-rings=4097")
        self.bad(2, "limits are max-rings", "limits", "web", "rings=1")
        self.bad(2, "a limit is a number", "limits", "web", "max-rings=x")
        self.good("limits", "web", "max-rings=128", "max-sendv=128")
        self.assertEqual(self.data("limits", "web"), [before])
        self.assertEqual(len(self.data("limits")), 4)

    def test_frames_are_not_shown_and_text_among_them_is_kept(self):
        self.data("rules")
        text = self.machine.text()
        self.assertIn("v4v-agent: ready", text)
        self.assertNotIn("\x02", text)
        log = (self.machine.run / "logs" / "control.log").read_text()
        self.assertIn("v4v-agent: ready", log)
        self.assertNotIn("\x02", log)

    def test_nonsense_on_the_console_does_not_stop_the_agent(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.machine.run / "console.sock"))
            s.sendall(b"control\n")
            self.assertEqual(s.recv(3), b"ok\n")
            s.sendall(b"\x02v00000001 flush" + b"0" * 8 + b"\n" +
                      b"\x02" * 300 + b"\x02v" + b"x" * 500 + b"\x00\xff\n")
            time.sleep(0.2)
        self.assertEqual(
            self.talk(b"frames v control\nnonsense\n00000001 nonsense 1\n", 3),
            b"ok\n00000000 bad no id\n00000001 bad no such verb\n")
        self.assertEqual(self.data("rules")["rules"], [FIRST_RULE])

    def talk(self, text, lines):
        """Says something on the socket; the answer, so many lines of it or up
        to its end."""
        got = b""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.machine.run / "console.sock"))
            s.settimeout(PATIENCE)
            s.sendall(text)
            while got.count(b"\n") < lines:
                try:
                    piece = s.recv(4096)
                except ConnectionResetError:
                    break
                if not piece:
                    break
                got += piece
        return got

    def test_a_repeated_request_is_done_once(self):
        request = b"abcdef01 add 1 9 9 9 9 1\n"
        self.assertEqual(
            self.talk(b"frames v control\n" + request + request, 3),
            b"ok\nabcdef01 ok\nabcdef01 ok\n")
        self.good("del", "1")
        self.assertEqual(self.data("rules")["rules"], [FIRST_RULE])

    def test_the_socket_refuses_what_it_does_not_know(self):
        self.assertEqual((self.machine.run / "console.sock").stat().st_mode
                         & 0o777, 0o600)
        self.assertEqual(self.talk(b"frames v nobody-there\n", 9),
                         b"error there is no such domain\n")
        self.assertEqual(self.talk(b"frames 7 control\n", 9),
                         b"error frames of which kind?\n")
        self.assertEqual(self.talk(b"frames v\n", 9),
                         b"error frames of which kind?\n")
        # A line without end, and one longer than any payload.
        self.assertEqual(self.talk(b"x" * 10000, 9), b"")
        self.assertIn(
            self.talk(b"frames v control\n" + b"x" * 10000, 9),
            (b"ok\n", b""))
        self.assertEqual(self.data("rules")["rules"], [FIRST_RULE])

    def test_two_at_once_get_their_own_answers(self):
        many = [subprocess.Popen(
            [PROGRAM, "v4v", "explain", "--json", "--machine",
             str(self.machine.run), "--timeout", "60", "client:1",
             f"web:{port}"], stdout=subprocess.PIPE,
            env=dict(os.environ, RAVELIN_BUILD=BUILD)) for port in (98, 99) * 3]
        actions = [json.loads(p.communicate(timeout=120 * SLOW)[0])["action"]
                   for p in many]
        self.assertEqual(actions, ["accept", "deny"] * 3)


class Unmanaged(unittest.TestCase):
    def test_no_machine_is_running(self):
        with tempfile.TemporaryDirectory() as empty:
            r = ravelin("v4v", "list", "--build-dir", empty)
            self.assertEqual(r.returncode, 1)
            self.assertIn("no machine is running below", r.stderr)
            self.assertIn("fix: ", r.stderr)
            r = ravelin("v4v", "list", "--machine", empty)
            self.assertEqual(r.returncode, 1)
            self.assertIn("no machine is running there", r.stderr)

    def test_no_control_domain(self):
        with tempfile.TemporaryDirectory() as there:
            manifest = pathlib.Path(there) / "plain.yaml"
            manifest.write_text(
                "domains:\n  - name: plain\n"
                "    kernel: ${BUILD}/guests/v4v-agent-pvh64\n"
                "    memory: 16M\n    console: xen\n")
            machine = Machine(manifest)
            self.addCleanup(machine.stop)
            r = machine.v4v("list")
            self.assertEqual(r.returncode, 1)
            self.assertIn("no domain has the control role", r.stderr)
            self.assertIn("fix: ", r.stderr)

    def test_usage(self):
        r = ravelin("v4v")
        self.assertEqual(r.returncode, 2)
        self.assertIn("Usage: ravelin v4v", r.stderr)
        self.assertEqual(ravelin("v4v", "--help").returncode, 0)
        r = ravelin("v4v", "frobnicate")
        self.assertEqual(r.returncode, 2)
        self.assertIn("no verb 'frobnicate'", r.stderr)
        for verb in ("list", "rules", "add", "del", "explain", "stats",
                     "limits"):
            r = ravelin("v4v", verb, "--help")
            self.assertEqual(r.returncode, 0)
            self.assertIn("ravelin v4v " + verb, r.stdout)
            self.assertIn("Example", r.stdout)
            self.assertEqual(ravelin("v4v", verb, "--no-such").returncode, 2)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    BUILD = os.path.abspath(sys.argv[2])
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
