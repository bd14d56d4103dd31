"""Ray ids: the name of one request, in its answer, in the access log and for `edgeworker explain`."""

import re
import secrets
from typing import Final

# Stands where Cloudflare names the data centre.
COLO: Final = "LOC"
_RAY: Final = re.compile(r"([0-9a-f]{16})(?:-[A-Za-z]{3})?")


def new_ray() -> str:
    return f"{secrets.token_hex(8)}-{COLO}"


def parse_ray(text: str) -> str | None:
    """A ray id as a person writes it, with or without its end; None for what is none."""
    found = _RAY.fullmatch(text.strip().lower())
    return None if found is None else f"{found[1]}-{COLO}"
