"""The commands as plain functions, for scripts that call LibreQoS's own; one session behind all of them."""
from __future__ import annotations

from functools import lru_cache
from typing import Optional, Sequence

from .session import BakerySession


@lru_cache(maxsize=None)
def default_session() -> BakerySession:
    """The session that the functions share; made at the first call, when ``SLUICE_ROOT`` is read."""
    return BakerySession()


def last_error() -> Optional[str]:
    """Why the last of these functions returned False; None when it did not."""
    return default_session().last_error


def bakery_clear_prior_settings() -> bool:
    """:meth:`BakerySession.clear_prior_settings` of the default session."""
    return default_session().clear_prior_settings()


def bakery_mq_setup() -> bool:
    """:meth:`BakerySession.mq_setup` of the default session."""
    return default_session().mq_setup()


def bakery_add_structural_htb_class(
    interface: str, parent: str, classid: str, rate_mbps: float, ceil_mbps: float, site_hash: int, r2q: int
) -> bool:
    """:meth:`BakerySession.add_structural_htb_class` of the default session."""
    return default_session().add_structural_htb_class(
        interface, parent, classid, rate_mbps, ceil_mbps, site_hash, r2q
    )


def bakery_add_circuit_htb_class(
    interface: str,
    parent: str,
    classid: str,
    rate_mbps: float,
    ceil_mbps: float,
    circuit_hash: int,
    comment: Optional[str] = None,
    r2q: int = 10,
) -> bool:
    """:meth:`BakerySession.add_circuit_htb_class` of the default session."""
    return default_session().add_circuit_htb_class(
        interface, parent, classid, rate_mbps, ceil_mbps, circuit_hash, comment, r2q
    )


def bakery_add_circuit_qdisc(
    interface: str, parent_major: int, parent_minor: int, circuit_hash: int, sqm_params: Sequence[str]
) -> bool:
    """:meth:`BakerySession.add_circuit_qdisc` of the default session."""
    return default_session().add_circuit_qdisc(interface, parent_major, parent_minor, circuit_hash, sqm_params)


def bakery_execute_tc_commands(commands: Sequence[str], force_mode: bool) -> bool:
    """:meth:`BakerySession.execute_tc_commands` of the default session."""
    return default_session().execute_tc_commands(commands, force_mode)
