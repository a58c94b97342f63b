"""Why a request failed: a code to go by, what is wrong, and what to do about it."""
from __future__ import annotations

START_COMMAND = "systemctl start sluiced (or in the foreground: sluiced)"
"""The command that starts the daemon, for people."""


class ClientError(Exception):
    """One request that failed.

    ``code`` is the daemon's own where it gave one (``BAKERY_BUSY``). The client adds ``ANSWER_LOST`` for a command that
    was sent and not answered: it alone may have been carried out all the same.
    """

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(sentences(message, remedy))
        self.code = code
        self.message = message
        self.remedy = remedy


def sentences(*texts: str) -> str:
    """Texts as sentences behind one another; the daemon's messages end without a full stop."""
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in texts if text)


def unreachable(socket_path: str, error: OSError) -> ClientError:
    """Why no connection came about."""
    if isinstance(error, PermissionError):
        return ClientError(
            "DAEMON_DENIED",
            f"This user may not use sluiced at {socket_path}",
            "Run it as root, or join the group that the socket belongs to",
        )
    return ClientError(
        "DAEMON_DOWN",
        f"Cannot reach sluiced at {socket_path}: {reason_of(error)}",
        f"Start it: {START_COMMAND}",
    )


def unsent(what: str, error: Exception) -> ClientError:
    """A request that the daemon did not get whole, and so did not carry out."""
    return ClientError(
        "DAEMON_DOWN",
        f"Cannot send {what}: {reason_of(error)}; it was not carried out",
        "Look whether sluiced runs (sluice status), and send it again",
    )


def lost(what: str, error: Exception) -> ClientError:
    """A command that was sent whole and not answered."""
    return ClientError(
        "ANSWER_LOST",
        f"Cannot tell what became of {what}: {reason_of(error)}",
        "It may have been carried out: look at tc class show, or at the bakery's file, before you send it again",
    )


def unreadable(reason: str) -> ClientError:
    """An answer that is none of the API's."""
    return ClientError(
        "DAEMON_ANSWER",
        f"Cannot read the answer of sluiced: {reason}",
        "Check that the daemon and this client have the same version: sluice status",
    )


def reason_of(error: Exception) -> str:
    """An exception as half a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
