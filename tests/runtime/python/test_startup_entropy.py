"""Randomness while a script is loaded: refused as in production."""

import os
import random  # it is what is guarded
import ssl
from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from tests.runtime.stage import IMPORTS, Stage

HANDLER = "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        return Response(str(DRAWN))\n"
TEXT = "Randomness is not allowed while a Worker is starting"


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("import random\nx = random.random()", "RuntimeError: Cannot use random.random() outside of request context"),
        ("from random import choice\nx = choice([1, 2])", "Cannot use random.choice() outside of request context"),
        ("import random\nrandom.seed(1)", "Cannot use random.seed() outside of request context"),
        ("import secrets\nx = secrets.token_hex(8)", TEXT),
        ("import uuid\nx = uuid.uuid4()", TEXT),
        ("import os\nx = os.urandom(4)", TEXT),
        ("import js\nx = js.crypto.randomUUID()", "Disallowed operation called within global scope"),
        ("import js\njs.crypto.getRandomValues(js.Uint8Array.new(2))", "Disallowed operation called within global"),
        ("import js\nx = js.fetch('https://x.example/')", "Disallowed operation called within global scope"),
        ("import js\njs.setTimeout(print, 1)", "Disallowed operation called within global scope"),
        ("import js\njs.setInterval(print, 1)", "Disallowed operation called within global scope"),
        ("import random\nx = random.Random()", TEXT),
        ("import random\nclass Mine(random.Random):\n    pass\nx = Mine().random()", TEXT),
        ("import ssl\nx = ssl.RAND_bytes(4)", TEXT),
        ("import os\nx = os.getrandom(4)", TEXT),
        ("import secrets\ndef make():\n    return secrets.token_hex(8)\nx = make()", TEXT),
    ],
)
def test_a_script_that_draws_while_it_is_loaded_does_not_start(stage: Stage, statement: str, error: str) -> None:
    files = IMPORTS + statement + "\nDRAWN = 1\n" + HANDLER

    with pytest.raises(ScriptError) as raised:
        stage.add(files, date="2026-01-01", flags=("python_workers",))

    assert error in str(raised.value)
    assert "worker.py, line " in str(raised.value)


@pytest.mark.parametrize(
    "statement",
    [
        "import js\nDRAWN = js.Math.random()",
        "import random\nDRAWN = random.Random(7).random()",
        "import random\nDRAWN = random.SystemRandom()",
        "import httpx\nDRAWN = httpx.AsyncClient()",
        "import tempfile\nDRAWN = tempfile.gettempdir()",
        "import email.generator, uuid, secrets\nDRAWN = 1",
    ],
)
async def test_what_production_allows_is_allowed(stage: Stage, statement: str) -> None:
    stage.add(IMPORTS + statement + "\n" + HANDLER, date="2026-01-01", flags=("python_workers",))

    assert (await stage.get()).status == 200


async def test_what_a_script_took_from_random_works_in_its_handlers(stage: Stage) -> None:
    stage.add(
        IMPORTS + "from random import choice\nfrom os import urandom\n"
        "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
        "        return Response(str(choice([5]) + len(urandom(3))))\n",
        date="2026-01-01",
    )

    assert (await stage.get()).text == "8"


def test_the_process_keeps_its_own_functions(stage: Stage) -> None:
    before = os.urandom, random.random, random.choice, random.Random.seed, ssl.RAND_bytes

    stage.add(IMPORTS + "DRAWN = 1\n" + HANDLER, date="2026-01-01")

    assert (os.urandom, random.random, random.choice, random.Random.seed, ssl.RAND_bytes) == before


def test_a_library_may_draw_while_it_is_imported(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drawing_library.py").write_text("import os, random\nDRAWN = len(os.urandom(5)), random.random()\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    stage.add(IMPORTS + "from drawing_library import DRAWN\n" + HANDLER, date="2026-01-01")


def test_a_script_without_date_and_flags_is_made_for_tests(stage: Stage) -> None:
    stage.add(IMPORTS + "import uuid\nDRAWN = uuid.uuid4()\n" + HANDLER)


def test_a_lenient_edge_tells_it_only(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.add(IMPORTS + "import uuid\nDRAWN = uuid.uuid4()\n" + HANDLER, date="2026-01-01", lenient=True)

    assert "randomness is refused on Cloudflare while a script is loaded" in caplog.text
    assert "line 3: DRAWN = uuid.uuid4()" in caplog.text
