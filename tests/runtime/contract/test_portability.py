"""What a script is held to, by its date, its flags and the edge's leniency."""

import pytest

from edgeworker.config import Worker
from edgeworker.runtime.contract.portability import SILENT, Portability


@pytest.mark.parametrize(
    ("date", "flags", "lenient", "held_to"),
    [
        (None, (), False, SILENT),
        (None, (), True, SILENT),
        ("2025-09-28", ("python_workers",), False, Portability(is_strict=True, is_silent=False)),
        ("2025-09-29", (), False, Portability(is_strict=True, is_silent=False, has_jsnull=True)),
        (
            "2025-01-01",
            ("python_workers_20250116",),
            False,
            Portability(is_strict=True, is_silent=False, has_jsnull=True),
        ),
        ("2026-01-01", ("disable_python_workers_20250116",), False, Portability(is_strict=True, is_silent=False)),
        (
            None,
            ("python_workers", "python_workers_20260610"),
            False,
            Portability(is_strict=True, is_silent=False, has_jsnull=True),
        ),
        ("2026-01-01", ("python_workers",), True, Portability(is_silent=False)),
    ],
)
def test_what_a_script_is_held_to(
    date: str | None, flags: tuple[str, ...], lenient: bool, held_to: Portability
) -> None:
    worker = Worker("w", None, compatibility_date=date, compatibility_flags=flags)

    assert Portability.of_worker(worker, lenient=lenient) == held_to
