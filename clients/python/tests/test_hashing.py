"""The hash, against LibreQoS's."""
from __future__ import annotations

import json
import unittest

from places import GOLDEN

from sluice_client import hash_to_i64

VECTORS = GOLDEN / "vectors" / "hash_to_i64_siphash13.json"


class HashTest(unittest.TestCase):
    """hash_to_i64()"""

    def test_known_hashes(self) -> None:
        known = {
            "": -3315872660926475476,
            "1": -6863858015672933803,
            "abcdefg": 7904145750247929094,
            "abcdefgh": 4574395652268504554,
            "Smörgåsbord": 5652049438082046826,
        }
        self.assertEqual({text: hash_to_i64(text) for text in known}, known)

    def test_the_length_is_hashed_modulo_256(self) -> None:
        self.assertEqual(len({hash_to_i64("a" * length) for length in (0, 255, 256, 257, 512)}), 5)

    @unittest.skipUnless(VECTORS.exists(), f"there is no {VECTORS}")
    def test_recorded_hashes(self) -> None:
        for text, wanted in json.loads(VECTORS.read_text(encoding="utf-8")):
            with self.subTest(text=text):
                self.assertEqual(hash_to_i64(text), int(wanted))


if __name__ == "__main__":
    unittest.main()
