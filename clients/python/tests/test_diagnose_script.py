"""diagnose_bakery.py against the stand-in."""
from __future__ import annotations

import unittest

from case import DaemonCase
from fake_daemon import problem, refusal
from script import Ran, run_script

PROBE = "qdisc del dev sluice-diag0 root"
NO_DEVICE = f'ExecuteTCCommands failed on 1 of 1 lines: line 1 "{PROBE}": Cannot find device "sluice-diag0"'


class DiagnoseTest(DaemonCase):
    """diagnose_bakery.py"""

    def diagnose(self) -> Ran:
        """Runs it."""
        return run_script("diagnose_bakery.py", "--socket", self.daemon.socket_path)

    def test_file_mode_shows_what_was_appended(self) -> None:
        with open(self.daemon.file, "w", encoding="utf-8") as file:
            file.write("what stood there before\n")
        ran = self.diagnose()
        self.assertEqual((ran.code, ran.err), (0, ""), ran)
        for part in ("sluiced 0.1.0, pid 42, ready: at rest", "file: commands go to", "0 of at most 1024", "Ack;"):
            self.assertIn(part, ran.out)
        self.assertIn(f"\n  {PROBE}\n", ran.out)
        self.assertNotIn("what stood there before", ran.out)
        self.assertEqual(
            self.daemon.commands, [{"command": "ExecuteTCCommands", "commands": [PROBE], "force_mode": False}]
        )

    def test_file_mode_without_the_line(self) -> None:
        self.daemon.lines = lambda command: []
        ran = self.diagnose()
        self.assertEqual(ran.code, 1)
        self.assertIn("its line is not in the file", ran.out)

    def test_file_mode_refused(self) -> None:
        self.daemon.answer = lambda command: refusal(409, problem("BAKERY_UNCONFIGURED", "There is no [shaper]"))
        ran = self.diagnose()
        self.assertEqual((ran.code, ran.err), (1, ""))
        self.assertIn("Fail: There is no [shaper]. Mend it.", ran.out)

    def test_execute_mode_reports_the_kernels_reason(self) -> None:
        self.daemon.mode = "execute"
        self.daemon.answer = lambda command: refusal(422, problem("BAKERY_LINES", NO_DEVICE))
        ran = self.diagnose()
        self.assertEqual(ran.code, 0, ran)
        self.assertIn(NO_DEVICE, ran.out)
        self.assertIn("failures are reported, as they should be", ran.out)

    def test_execute_mode_that_acknowledges_the_impossible(self) -> None:
        self.daemon.mode = "execute"
        ran = self.diagnose()
        self.assertEqual(ran.code, 1)
        self.assertIn("failures are not reported", ran.out)

    def test_execute_mode_that_fails_before_the_kernel(self) -> None:
        self.daemon.mode = "execute"
        self.daemon.answer = lambda command: refusal(503, problem("BAKERY_BUSY", "The bakery is busy"))
        ran = self.diagnose()
        self.assertEqual(ran.code, 1)
        self.assertIn("did not get to the kernel", ran.out)

    def test_daemon_absent(self) -> None:
        ran = run_script("diagnose_bakery.py", "--socket", f"{self.daemon.root}/nobody.sock")
        self.assertEqual((ran.code, ran.out), (69, ""))
        self.assertIn("Start it: systemctl start sluiced", ran.err)

    def test_help(self) -> None:
        ran = run_script("diagnose_bakery.py", "--help")
        self.assertEqual(ran.code, 0)
        self.assertIn("69 the daemon is not there", ran.out)


if __name__ == "__main__":
    unittest.main()
