"""LibreQoS's 64-bit hash of circuit ids and node names: SipHash-1-3 (Aumasson, Bernstein 2012) with a key of zeros."""
from __future__ import annotations

from typing import Tuple

_MASK = (1 << 64) - 1
_State = Tuple[int, int, int, int]

# "somepseudorandomlygeneratedbytes", which the key of zeros leaves as it is.
_START: _State = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def _rotate(x: int, bits: int) -> int:
    return ((x << bits) | (x >> (64 - bits))) & _MASK


def _round(state: _State) -> _State:
    v0, v1, v2, v3 = state
    v0 = (v0 + v1) & _MASK
    v1 = _rotate(v1, 13) ^ v0
    v0 = _rotate(v0, 32)
    v2 = (v2 + v3) & _MASK
    v3 = _rotate(v3, 16) ^ v2
    v0 = (v0 + v3) & _MASK
    v3 = _rotate(v3, 21) ^ v0
    v2 = (v2 + v1) & _MASK
    v1 = _rotate(v1, 17) ^ v2
    v2 = _rotate(v2, 32)
    return v0, v1, v2, v3


def hash_to_i64(text: str) -> int:
    """The hash of a text's UTF-8 bytes, as a signed 64-bit number.

    A circuit is hashed by its id, a node by its name.

    >>> hash_to_i64("1")
    -6863858015672933803
    """
    data = text.encode("utf-8")
    # The last byte of the last word holds the length.
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    state = _START
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v0, v1, v2, v3 = state
        v0, v1, v2, v3 = _round((v0, v1, v2, v3 ^ word))
        state = (v0 ^ word, v1, v2, v3)
    v0, v1, v2, v3 = state
    state = (v0, v1, v2 ^ 0xFF, v3)
    for _ in range(3):
        state = _round(state)
    v0, v1, v2, v3 = state
    unsigned = v0 ^ v1 ^ v2 ^ v3
    return unsigned - (1 << 64) if unsigned >> 63 else unsigned
