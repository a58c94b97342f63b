"""The daemon's answers: parsed JSON, or what it says is wrong."""
from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping

from .errors import ClientError, sentences, unreadable

OK = 200
# Of an answer that is not understood, as much as fits on a line.
_SHOWN = 100


def read_answer(status: int, body: bytes) -> Dict[str, Any]:
    """The object that an answer holds.

    :param status: of HTTP
    :raises ClientError: with all problems of a refusal; ``DAEMON_ANSWER`` for what is no answer of the API
    """
    shown = repr(body[:_SHOWN].decode("utf-8", "replace"))
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise unreadable(f"status {status} with {shown}, which is not JSON") from None
    if not isinstance(answer, dict):
        raise unreadable(f"status {status} with {shown}, which is no object")
    if status == OK:
        return answer
    problems = answer.get("problems")
    if not isinstance(problems, list) or not problems or not all(isinstance(one, dict) for one in problems):
        raise unreadable(f"status {status} with {shown}, which names no problem")
    raise _refusal(problems)


def _refusal(problems: List[Mapping[str, Any]]) -> ClientError:
    """All problems in one error: people mend the first as soon as the last."""
    messages = [_place(one) + str(one.get("message", "")) for one in problems]
    # One remedy often mends several.
    remedies = list(dict.fromkeys(str(one.get("remedy", "")) for one in problems))
    return ClientError(str(problems[0].get("code", "")), sentences(*messages), sentences(*remedies))


def _place(problem: Mapping[str, Any]) -> str:
    """``file:line: `` of a problem in a file, and nothing for others."""
    where = problem.get("where")
    if not isinstance(where, dict) or "file" not in where:
        return ""
    parts = [where["file"], *(where[key] for key in ("line", "column") if key in where)]
    return ":".join(str(part) for part in parts) + ": "
