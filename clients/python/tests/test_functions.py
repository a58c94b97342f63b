"""The functions, on their common session."""
from __future__ import annotations

import os
import unittest
from unittest import mock

from case import DaemonCase
from fake_daemon import problem, refusal

import sluice_client
from sluice_client import default_session, default_socket


class FunctionsTest(DaemonCase):
    """bakery_*()"""

    def setUp(self) -> None:
        super().setUp()
        patched = mock.patch.dict(os.environ, {"SLUICE_ROOT": self.daemon.root})
        patched.start()
        self.addCleanup(patched.stop)
        default_session.cache_clear()
        self.addCleanup(default_session.cache_clear)
        self.addCleanup(lambda: default_session().close())

    def test_each_sends_its_command(self) -> None:
        done = [
            sluice_client.bakery_clear_prior_settings(),
            sluice_client.bakery_mq_setup(),
            sluice_client.bakery_add_structural_htb_class("eth1", "0x1:", "0x3", 10.0, 20.0, 5, 30),
            sluice_client.bakery_add_circuit_htb_class("eth1", "0x1:0x3", "0x4", 1.0, 2.0, 6, "a comment", 30),
            sluice_client.bakery_add_circuit_qdisc("eth1", 1, 4, 6, ["fq_codel"]),
            sluice_client.bakery_execute_tc_commands(["qdisc del dev eth1 root"], False),
        ]
        self.assertEqual(done, [True] * 6)
        self.assertEqual(
            [command["command"] for command in self.daemon.commands],
            [
                "ClearPriorSettings",
                "MqSetup",
                "AddStructuralHTBClass",
                "AddCircuitHTBClass",
                "AddCircuitQdisc",
                "ExecuteTCCommands",
            ],
        )
        self.assertEqual(self.daemon.commands[3]["comment"], "a comment")
        self.assertEqual(self.daemon.commands[3]["r2q"], 30)
        self.assertEqual(self.daemon.connections, 1)

    def test_last_error(self) -> None:
        self.assertIsNone(sluice_client.last_error())
        self.daemon.answer = lambda command: refusal(503, problem("BAKERY_BUSY", "The bakery is busy"))
        self.assertIs(sluice_client.bakery_mq_setup(), False)
        self.assertEqual(sluice_client.last_error(), "The bakery is busy. Mend it.")

    def test_the_usual_socket(self) -> None:
        self.assertEqual(default_socket(), self.daemon.socket_path)
        for environment in ({}, {"SLUICE_ROOT": ""}):
            with mock.patch.dict(os.environ, environment, clear=True):
                self.assertEqual(default_socket(), "/run/sluice/sluice.sock")


if __name__ == "__main__":
    unittest.main()
