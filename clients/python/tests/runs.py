"""A small recorded run, and a stand-in's writer that gives each command its lines of it."""
from __future__ import annotations

import json
from typing import Any, Callable, Dict, List

MQ_LINES = ["qdisc replace dev eth1 root handle 7FFF: mq", "qdisc add dev eth1 parent 7FFF:0x1 handle 0x1: htb default 2"]
LINES = [
    *MQ_LINES,
    "class add dev eth1 parent 0x1: classid 0x3 htb rate 1.0gbit ceil 1.0gbit prio 3 quantum 59980",
    "class add dev eth1 parent 0x1:0x3 classid 0x4 htb rate 1.0mbit ceil 105.0mbit prio 3 quantum 6298",
    "qdisc add dev eth1 parent 0x1:0x4 cake diffserv4",
]
CLEAR_LINES = ["qdisc delete dev eth0 root", "qdisc delete dev eth1 root"]

_CLASS = {"interface": "eth1", "rate_mbps": 1.0, "ceil_mbps": 105.0, "r2q": 2084}
CALLS: List[Dict[str, Any]] = [
    {"call": "mq_setup"},
    {"call": "add_structural_htb_class", **_CLASS, "parent": "0x1:", "classid": "0x3", "site_hash": -2**63},
    {
        "call": "add_circuit_htb_class",
        **_CLASS,
        "parent": "0x1:0x3",
        "classid": "0x4",
        "circuit_hash": 2**63 - 1,
        "comment": "CircuitID: 9",
    },
    {
        "call": "add_circuit_qdisc",
        "interface": "eth1",
        "parent_major": 1,
        "parent_minor": 4,
        "circuit_hash": 2**63 - 1,
        "sqm_params": ["cake", "diffserv4"],
    },
    {"call": "clear_prior_settings"},
    {"call": "execute_tc_commands", "count": len(LINES), "force_mode": False},
]


def jsonl(calls: List[Dict[str, Any]]) -> str:
    """Calls as they are recorded."""
    return "".join(f"{json.dumps(call)}\n" for call in calls)


def writer(lines: List[str], mq_lines: int) -> Callable[[Dict[str, Any]], List[str]]:
    """Gives MqSetup the first lines of a run and each further command the next one, as a daemon that is right writes."""
    rest = iter(lines[mq_lines:])

    def write(command: Dict[str, Any]) -> List[str]:
        kind = command["command"]
        if kind == "ExecuteTCCommands":
            return list(command["commands"])
        if kind == "ClearPriorSettings":
            return CLEAR_LINES
        return lines[:mq_lines] if kind == "MqSetup" else [next(rest)]

    return write
