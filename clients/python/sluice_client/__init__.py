"""A client for sluiced's bakery: LibreQoS's names and argument order, over the daemon's Unix socket.

    from sluice_client import BakerySession, hash_to_i64

    with BakerySession() as bakery:
        if not bakery.add_circuit_htb_class("eth1", "0x1:0x3", "0x4", 1.0, 105.0, hash_to_i64("1")):
            print(bakery.last_error)
"""
from __future__ import annotations

from .errors import ClientError
from .functions import (
    bakery_add_circuit_htb_class,
    bakery_add_circuit_qdisc,
    bakery_add_structural_htb_class,
    bakery_clear_prior_settings,
    bakery_execute_tc_commands,
    bakery_mq_setup,
    default_session,
    last_error,
)
from .hashing import hash_to_i64
from .paths import default_socket
from .session import BakerySession

__version__ = "0.1.0"

__all__ = [
    "BakerySession",
    "ClientError",
    "bakery_add_circuit_htb_class",
    "bakery_add_circuit_qdisc",
    "bakery_add_structural_htb_class",
    "bakery_clear_prior_settings",
    "bakery_execute_tc_commands",
    "bakery_mq_setup",
    "default_session",
    "default_socket",
    "hash_to_i64",
    "last_error",
]
