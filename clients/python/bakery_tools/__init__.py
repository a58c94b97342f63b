"""What the scripts beside this folder share; not installed with the client."""
from __future__ import annotations
