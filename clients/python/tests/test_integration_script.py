"""test_bakery_integration.py against the stand-in."""
from __future__ import annotations

import gzip
import os
import unittest
from typing import Any, Dict, List

import runs
from case import DaemonCase
from fake_daemon import ACK, SILENCE, Reply, problem, refusal
from places import GOLDEN
from script import Ran, run_script

SCRIPT = "test_bakery_integration.py"
CLEARED = "clear-prior-settings: the generator runs these itself and does not write them"


class IntegrationTest(DaemonCase):
    """test_bakery_integration.py"""

    def setUp(self) -> None:
        super().setUp()
        self.daemon.lines = runs.writer(runs.LINES, len(runs.MQ_LINES))
        self.expected = self.put("linux_tc.txt", "".join(f"{line}\n" for line in runs.LINES))
        self.calls = self.put("bakery_calls.jsonl", runs.jsonl(runs.CALLS))

    def put(self, name: str, text: str) -> str:
        """Writes a file."""
        path = os.path.join(self.daemon.root, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def replay(self, *flags: str) -> Ran:
        """Runs it."""
        return run_script(SCRIPT, self.calls, self.expected, "--socket", self.daemon.socket_path, *flags)

    def kinds(self) -> List[str]:
        """The commands that came."""
        return [command["command"] for command in self.daemon.commands]

    def test_the_same_run(self) -> None:
        self.put("bakery.txt", "what stood there before\n")
        ran = self.replay()
        self.assertEqual((ran.code, ran.err), (0, ""), ran)
        for part in ("calls sent         6", "acknowledged       6", "5 call by call", "5 in bulk", f"{CLEARED} (2 lines)"):
            self.assertIn(part, ran.out)
        self.assertIn("verdict            the daemon wrote what the generator wrote", ran.out)
        self.assertEqual(self.daemon.commands[1]["site_hash"], str(-2**63))
        self.assertEqual(self.daemon.commands[-1]["commands"], runs.LINES)

    def test_bulk_only_and_no_bulk(self) -> None:
        self.assertEqual(self.replay("--bulk-only").code, 0)
        self.assertEqual(self.kinds(), ["ExecuteTCCommands"])
        self.daemon.requests.clear()
        self.assertEqual(self.replay("--no-bulk").code, 0)
        self.assertNotIn("ExecuteTCCommands", self.kinds())
        self.assertEqual(len(self.kinds()), 5)

    def test_a_line_that_differs(self) -> None:
        right = self.daemon.lines
        self.daemon.lines = lambda command: [line.replace("105.0mbit", "105mbit") for line in right(command)]
        ran = self.replay("--no-bulk")
        self.assertEqual(ran.code, 1)
        for part in (f"--- {self.expected}", "+++ sluiced, call by call", "\n-class add", "\n+class add", "different"):
            self.assertIn(part, ran.out)
        self.assertNotIn("configuration", ran.out)

    def test_another_configuration_is_told_apart(self) -> None:
        right = self.daemon.lines
        self.daemon.lines = lambda command: [line.replace("7FFF:0x1", "7FFF:0x2") for line in right(command)]
        ran = self.replay()
        self.assertEqual(ran.code, 1)
        self.assertIn("come from the daemon's own configuration", ran.out)

    def test_a_bulk_that_differs_in_one_byte(self) -> None:
        right = self.daemon.lines
        self.daemon.lines = lambda command: [line + "\r" * ("commands" in command) for line in right(command)]
        ran = self.replay()
        self.assertEqual(ran.code, 1)
        self.assertIn("+++ sluiced, in bulk", ran.out)

    def test_calls_that_are_not_acknowledged(self) -> None:
        def refuse_qdiscs(command: Dict[str, Any]) -> Reply:
            lines = refusal(422, problem("BAKERY_LINES", "No such thing"))
            return lines if command["command"] == "AddCircuitQdisc" else ACK

        self.daemon.answer = refuse_qdiscs
        ran = self.replay()
        self.assertEqual(ran.code, 1)
        self.assertIn("acknowledged       5\n  call 4, add_circuit_qdisc: No such thing. Mend it.\n", ran.out)
        self.assertIn("\n-qdisc add dev eth1 parent 0x1:0x4 cake", ran.out)

    def test_an_answer_that_is_lost_is_a_call_that_failed(self) -> None:
        self.daemon.answer = lambda command: SILENCE if command["command"] == "MqSetup" else ACK
        ran = self.replay()
        self.assertEqual(ran.code, 1)
        self.assertIn("call 1, mq_setup: Cannot tell what became of MqSetup", ran.out)

    def test_a_file_that_is_put_aside_meanwhile(self) -> None:
        right = self.daemon.lines

        def put_aside(command: Dict[str, Any]) -> List[str]:
            if command["command"] == "AddCircuitQdisc":
                os.rename(self.daemon.file, f"{self.daemon.file}.1")
                self.put("bakery.txt", "qdisc add dev eth1 parent 0x1:0x4 cake diffserv4\n")
                right(command)
                return []
            return right(command)

        self.daemon.lines = put_aside
        self.assertEqual(self.replay().code, 0)

    def test_execute_mode_is_refused_unless_asked_for(self) -> None:
        self.daemon.mode = "execute"
        ran = self.replay()
        self.assertEqual((ran.code, self.kinds()), (1, []))
        self.assertIn("give --execute", ran.err)

    def test_execute_mode_clears_first_and_leaves_the_bulk_out(self) -> None:
        self.daemon.mode = "execute"
        ran = self.replay("--execute")
        self.assertEqual(ran.code, 0, ran)
        self.assertEqual(
            self.kinds(),
            ["ClearPriorSettings", "MqSetup", "AddStructuralHTBClass", "AddCircuitHTBClass", "AddCircuitQdisc"],
        )
        self.daemon.answer = lambda command: refusal(422, problem("BAKERY_LINES", "No such device"))
        ran = self.replay("--execute")
        self.assertEqual(ran.code, 1)
        self.assertIn("acknowledged       0", ran.out)

    def test_daemon_absent(self) -> None:
        ran = run_script(SCRIPT, self.calls, self.expected, "--socket", f"{self.daemon.root}/nobody.sock")
        self.assertEqual(ran.code, 69)
        self.assertIn("Start it: systemctl start sluiced", ran.err)

    def test_files_that_cannot_be_used(self) -> None:
        wrong = {
            "this is not JSON": self.put("a", "{\n"),
            "wanted one of": self.put("b", '{"call":"reboot"}\n'),
            "missing a required argument": self.put("c", '{"call":"add_circuit_qdisc","interface":"eth1"}\n'),
            "There are no calls": self.put("d", "\n"),
            "but the run executed 7": self.put("e", '{"call":"execute_tc_commands","count":7}\n'),
            "No such file": os.path.join(self.daemon.root, "f"),
        }
        for part, path in wrong.items():
            with self.subTest(part):
                self.calls = path
                ran = self.replay()
                self.assertEqual((ran.code, self.daemon.commands), (1, []))
                self.assertIn(part, ran.err)
                self.assertNotIn("Traceback", ran.err)

    def test_help_and_wrong_usage(self) -> None:
        self.assertIn("--bulk-only", run_script(SCRIPT, "--help").out)
        self.assertEqual(self.replay("--bulk-only", "--no-bulk").code, 2)
        self.assertEqual(self.replay("--bulk-only", "--execute").code, 2)


RECORDED = sorted((GOLDEN / "bakery-calls").glob("*/bakery_calls.jsonl.gz"))


class RecordedRunsTest(DaemonCase):
    """test_bakery_integration.py with runs of LibreQoS itself"""

    @unittest.skipUnless(RECORDED, f"there are no recorded runs in {GOLDEN}")
    def test_recorded_runs(self) -> None:
        for path in RECORDED:
            with self.subTest(path.parent.name):
                expected = GOLDEN / path.parent.name / "linux_tc.txt"
                lines = expected.read_text(encoding="utf-8").splitlines()
                calls = gzip.decompress(path.read_bytes()).decode().splitlines()
                # Of all calls, mq_setup, clear_prior_settings and the bulk one are not one line each.
                self.daemon.lines = runs.writer(lines, len(lines) - (len(calls) - 3))
                ran = run_script(SCRIPT, str(path), str(expected), "--socket", self.daemon.socket_path)
                self.assertEqual(ran.code, 0, ran)
                self.assertIn(f"acknowledged       {len(calls)}", ran.out)


if __name__ == "__main__":
    unittest.main()
