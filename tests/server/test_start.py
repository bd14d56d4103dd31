import subprocess
import sys

import pytest

# What `dev`, `demo` and an edge in a test need to serve.
SERVING = (
    "edgeworker.cli.demo, edgeworker.cli.dev, edgeworker.host.sockets, edgeworker.host.assembly, "
    "edgeworker.testing.local, edgeworker.server"
)


@pytest.mark.parametrize(
    ("modules", "late"),
    [(SERVING, ("aiohttp", "websockets")), ("edgeworker.server", ("cryptography.x509",))],
)
def test_what_is_slow_to_import_is_not_imported_before_it_is_needed(modules: str, late: tuple[str, ...]) -> None:
    program = f"import sys, {modules}; print([name for name in {late!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
