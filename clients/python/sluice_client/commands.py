"""The bakery's commands as the JSON that the daemon takes, in LibreQoS's names."""
from __future__ import annotations

from operator import index
from typing import Any, Dict, List, Optional, Sequence

Command = Dict[str, Any]
"""A command: ``command`` names it, the rest are its fields."""


def _words(name: str, value: Sequence[str]) -> List[str]:
    # A text is a sequence of texts too: its letters, which nobody means.
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} is one text, wanted a list of them: [{value!r}]")
    return list(value)


def _hash(value: int) -> str:
    # As a text: many a JSON parser, the daemon's too, rounds numbers beyond 2^53.
    return str(index(value))


def clear_prior_settings() -> Command:
    """Takes the trees of both interfaces away, those that have an mq at their root."""
    return {"command": "ClearPriorSettings"}


def mq_setup() -> Command:
    """Makes mq, HTBs, root and default classes of both interfaces, as the daemon's configuration says."""
    return {"command": "MqSetup"}


def add_structural_htb_class(
    interface: str, parent: str, classid: str, rate_mbps: float, ceil_mbps: float, site_hash: int, r2q: int
) -> Command:
    """The class of a node."""
    return {
        "command": "AddStructuralHTBClass",
        "interface": interface,
        "parent": parent,
        "classid": classid,
        "rate_mbps": float(rate_mbps),
        "ceil_mbps": float(ceil_mbps),
        "site_hash": _hash(site_hash),
        "r2q": index(r2q),
    }


def add_circuit_htb_class(
    interface: str,
    parent: str,
    classid: str,
    rate_mbps: float,
    ceil_mbps: float,
    circuit_hash: int,
    comment: Optional[str] = None,
    r2q: int = 10,
) -> Command:
    """The class of a circuit, in one direction."""
    command: Command = {
        "command": "AddCircuitHTBClass",
        "interface": interface,
        "parent": parent,
        "classid": classid,
        "rate_mbps": float(rate_mbps),
        "ceil_mbps": float(ceil_mbps),
        "circuit_hash": _hash(circuit_hash),
        "r2q": index(r2q),
    }
    if comment is not None:
        command["comment"] = comment
    return command


def add_circuit_qdisc(
    interface: str, parent_major: int, parent_minor: int, circuit_hash: int, sqm_params: Sequence[str]
) -> Command:
    """The leaf of a circuit, in one direction."""
    return {
        "command": "AddCircuitQdisc",
        "interface": interface,
        "parent_major": index(parent_major),
        "parent_minor": index(parent_minor),
        "circuit_hash": _hash(circuit_hash),
        "sqm_params": _words("sqm_params", sqm_params),
    }


def execute_tc_commands(commands: Sequence[str], force_mode: bool) -> Command:
    """Lines for tc, all in one batch."""
    return {
        "command": "ExecuteTCCommands",
        "commands": _words("commands", commands),
        "force_mode": bool(force_mode),
    }
