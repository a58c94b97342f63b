"""True, False, and what last_error says."""
from __future__ import annotations

import unittest

from case import DaemonCase
from fake_daemon import Reply, problem, refusal


class AnswersTest(DaemonCase):
    """What the daemon answers"""

    def answer(self, reply: Reply) -> None:
        """All commands are answered by this."""
        self.daemon.answer = lambda command: reply

    def test_an_acknowledged_command_is_true_and_clears_the_last_error(self) -> None:
        self.assertIsNone(self.session.last_error)
        accepted = self.daemon.answer
        self.answer(refusal(422, problem("BAKERY_LINES", "MqSetup failed")))
        self.assertIs(self.session.mq_setup(), False)
        self.assertIsNotNone(self.session.last_error)
        self.daemon.answer = accepted
        self.assertIs(self.session.mq_setup(), True)
        self.assertIsNone(self.session.last_error)
        self.assertIsNone(self.session.last_code)

    def test_busy(self) -> None:
        busy = "The bakery is busy: 1024 commands wait, and it takes no more"
        self.answer(refusal(503, problem("BAKERY_BUSY", busy, "Send the command again later")))
        self.assertIs(self.session.mq_setup(), False)
        self.failed("BAKERY_BUSY", f"{busy}. Send the command again later.")

    def test_all_problems_are_named_and_a_common_remedy_once(self) -> None:
        self.answer(refusal(422, problem("BAKERY_COMMAND", "No classid"), problem("BAKERY_COMMAND", "No parent")))
        self.assertIs(self.session.mq_setup(), False)
        self.assertEqual(self.session.last_error, "No classid. No parent. Mend it.")

    def test_where_a_problem_stands_is_said(self) -> None:
        where = {"where": {"file": "/etc/sluice/sluice.toml", "line": 3}}
        self.answer(refusal(422, {**problem("CONFIG", "Unknown key"), **where}))
        self.session.mq_setup()
        self.failed("CONFIG", "/etc/sluice/sluice.toml:3: Unknown key.")

    def test_answers_that_cannot_be_read(self) -> None:
        bodies = {
            "is not JSON": Reply(200, b"<html>"),
            "is no object": Reply(200, b"[]"),
            "wanted Ack": Reply(200, b'{"answer":"Maybe"}'),
            "names no problem": Reply(500, b'{"problems":[]}'),
            "status 502": Reply(502, b"\xff"),
            "status 500": Reply(500, b'{"problems":["no"]}'),
            "which is not JSON": Reply(200, b"[" * 100_000),
        }
        for part, reply in bodies.items():
            with self.subTest(part):
                self.answer(reply)
                self.assertIs(self.session.mq_setup(), False)
                self.failed("DAEMON_ANSWER", part)

    def test_a_rate_that_is_no_number_is_false_and_not_sent(self) -> None:
        self.assertIs(self.session.add_circuit_htb_class("eth1", "0x1:", "0x4", float("nan"), 1.0, 1), False)
        self.failed("BAKERY_COMMAND", "Cannot send AddCircuitHTBClass")
        self.assertEqual(self.daemon.requests, [])

    def test_the_reason_is_logged(self) -> None:
        self.answer(refusal(503, problem("BAKERY_BUSY", "The bakery is busy")))
        with self.assertLogs("sluice_client", "ERROR") as logged:
            self.session.mq_setup()
        self.assertIn("MqSetup: The bakery is busy. Mend it. [BAKERY_BUSY]", logged.output[0])

    def test_status_and_bakery(self) -> None:
        status, bakery = self.session.status(), self.session.bakery()
        self.assertEqual((status or {}).get("state"), "ready")
        self.assertEqual((bakery or {}).get("file"), self.daemon.file)


if __name__ == "__main__":
    unittest.main()
