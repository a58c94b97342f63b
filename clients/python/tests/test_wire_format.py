"""What goes over the socket for every command."""
from __future__ import annotations

import unittest

from case import DaemonCase

from sluice_client import BakerySession

HASH = -6863858015672933803
CLASS = {"interface": "eth1", "parent": "0x1:0x3", "classid": "0x4", "rate_mbps": 1.0, "ceil_mbps": 105.0}
ARGUMENTS = ("eth1", "0x1:0x3", "0x4", 1, 105.0)


class WireFormatTest(DaemonCase):
    """Commands as JSON"""

    def sent(self, acknowledged: bool) -> object:
        """The one command that came."""
        self.assertTrue(acknowledged, self.session.last_error)
        self.assertEqual(len(self.daemon.commands), 1)
        return self.daemon.commands[0]

    def test_clear_prior_settings(self) -> None:
        self.assertEqual(self.sent(self.session.clear_prior_settings()), {"command": "ClearPriorSettings"})

    def test_mq_setup(self) -> None:
        self.assertEqual(self.sent(self.session.mq_setup()), {"command": "MqSetup"})

    def test_add_structural_htb_class(self) -> None:
        wanted = {"command": "AddStructuralHTBClass", **CLASS, "site_hash": str(HASH), "r2q": 2084}
        self.assertEqual(self.sent(self.session.add_structural_htb_class(*ARGUMENTS, HASH, 2084)), wanted)

    def test_add_circuit_htb_class(self) -> None:
        wanted = {"command": "AddCircuitHTBClass", **CLASS, "circuit_hash": str(HASH), "comment": "9", "r2q": 2084}
        self.assertEqual(self.sent(self.session.add_circuit_htb_class(*ARGUMENTS, HASH, "9", 2084)), wanted)

    def test_add_circuit_htb_class_with_defaults(self) -> None:
        wanted = {"command": "AddCircuitHTBClass", **CLASS, "circuit_hash": str(HASH), "r2q": 10}
        self.assertEqual(self.sent(self.session.add_circuit_htb_class(*ARGUMENTS, HASH)), wanted)

    def test_add_circuit_qdisc(self) -> None:
        wanted = {
            "command": "AddCircuitQdisc",
            "interface": "eth1",
            "parent_major": 1,
            "parent_minor": 4,
            "circuit_hash": str(HASH),
            "sqm_params": ["cake", "diffserv4"],
        }
        self.assertEqual(self.sent(self.session.add_circuit_qdisc("eth1", 1, 4, HASH, ("cake", "diffserv4"))), wanted)

    def test_execute_tc_commands(self) -> None:
        lines = ["qdisc del dev eth1 root", "qdisc add dev eth1 root handle 7FFF: mq"]
        wanted = {"command": "ExecuteTCCommands", "commands": lines, "force_mode": True}
        self.assertEqual(self.sent(self.session.execute_tc_commands(lines, True)), wanted)

    def test_request_line_and_type(self) -> None:
        self.session.mq_setup()
        with BakerySession(self.daemon.socket_path, wait=False) as session:
            session.mq_setup()
        targets = [request.target for request in self.daemon.requests]
        self.assertEqual(targets, ["/v1/bakery/commands?wait=true", "/v1/bakery/commands?wait=false"])
        self.assertEqual({request.content_type for request in self.daemon.requests}, {"application/json"})

    def test_a_text_where_a_list_is_wanted_raises(self) -> None:
        with self.assertRaisesRegex(TypeError, "sqm_params is one text"):
            self.session.add_circuit_qdisc("eth1", 1, 4, HASH, "cake diffserv4")
        with self.assertRaisesRegex(TypeError, "commands is one text"):
            self.session.execute_tc_commands("qdisc del dev eth1 root", False)
        self.assertEqual(self.daemon.requests, [])


if __name__ == "__main__":
    unittest.main()
