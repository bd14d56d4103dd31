"""A kind of binding is one folder and one line: made in a copy of the tree, as someone would who adds one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = {
    "__init__.py": '''
        """Greetings."""

        from typing import Final

        from edgeworker.bindings.greeting import wrangler
        from edgeworker.bindings.greeting.binding import GreetingBinding
        from edgeworker.bindings.kind import Resources, make_kind


        def _service(binding: GreetingBinding, resources: Resources) -> object:
            from edgeworker.bindings.greeting.service import Greeter

            return Greeter(binding.text, resources.clock)


        def _python_view(binding: GreetingBinding, service: object) -> object:
            from edgeworker.bindings.greeting.python_view import GreetingView

            return GreetingView(service)


        def _endpoints():
            from edgeworker.bindings.greeting.rest import ENDPOINTS

            return ENDPOINTS


        KIND: Final = make_kind(
            GreetingBinding,
            fields=(wrangler.FIELD,),
            read=wrangler.read_bindings,
            describe=lambda binding: ("Greeting", binding.text),
            service=_service,
            python=_python_view,
            endpoints=_endpoints,
        )
        ''',
    "binding.py": '''
        """A greeting's configuration."""

        from dataclasses import dataclass

        from edgeworker.config import Binding


        @dataclass(frozen=True, slots=True)
        class GreetingBinding(Binding):
            text: str
        ''',
    "wrangler.py": '''
        """`greetings` of wrangler's configuration."""

        from dataclasses import dataclass, field

        from edgeworker.bindings.greeting.binding import GreetingBinding
        from edgeworker.schema.wrangler_field import binding_list
        from edgeworker.schema.wrangler_shape import members_of, required


        @dataclass(frozen=True, slots=True)
        class GreetingTable:
            binding: str = field(metadata=required())
            text: str = field(metadata=required())


        FIELD = binding_list("greetings", "Greeting", *members_of(GreetingTable), support="USE", note="hello")


        def read_bindings(fields):
            for _, table in fields.items(FIELD.name, GreetingTable):
                yield GreetingBinding(table.binding, table.text)
        ''',
    "service.py": '''
        """Greets, in values."""


        class Greeter:
            def __init__(self, text, clock):
                self._text = text

            def greet(self, name: str) -> str:
                return f"{self._text}, {name}"
        ''',
    "rest.py": '''
        """Greetings over REST."""

        from edgeworker.rest.envelope import success
        from edgeworker.rest.permissions import Need
        from edgeworker.rest.router import Endpoint


        async def list_greetings(call):
            return success([])


        ENDPOINTS = (Endpoint("GET", "/accounts/{account}/greetings", list_greetings, Need.ACCOUNT_READ, "none"),)
        ''',
    "python_view.py": '''
        """`env.X` of a greeting, for Python scripts."""


        class GreetingView:
            def __init__(self, greeter):
                self._greeter = greeter

            async def greet(self, name):
                return self._greeter.greet(name)
        ''',
}
WRANGLER: Final = """\
name = "w"
main = "worker.py"
compatibility_date = "2026-01-01"
compatibility_flags = ["python_workers"]

[[greetings]]
binding = "HELLO"
text = "Good day"
"""
SCRIPT: Final = """\
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(await self.env.HELLO.greet("reader"))
"""
ASK: Final = """\
from edgeworker.testing import Edge
with Edge("wrangler.toml") as edge:
    print(edge.get("https://w.local.workers.dev/").text)
"""
LEDGER: Final = "from wrangler_compat.ledger import render, tables; print(render(tables()))"

pytestmark = pytest.mark.checkout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages with one more kind, and a worker that uses it."""
    tree = tmp_path_factory.mktemp("tree")
    for package in ("edgeworker", "wrangler_compat", "scripts"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name, text in FOLDER.items():
        file = tree / "edgeworker/bindings/greeting" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(line.removeprefix(" " * 8) for line in text.strip("\n").splitlines()), "utf-8")
    table = tree / "edgeworker/bindings/__init__.py"
    text = table.read_text("utf-8")
    assert text.count("    kv.KIND,\n") == 1
    text = text.replace("    kv.KIND,\n", "    kv.KIND,\n    greeting.KIND,\n").replace(
        "    kv,\n", "    kv,\n    greeting,\n"
    )
    table.write_text(text, "utf-8")
    (tree / "wrangler.toml").write_text(WRANGLER)
    (tree / "worker.py").write_text(SCRIPT)
    return tree


def run(tree: Path, *arguments: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(tree), "NO_COLOR": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, env=environ, capture_output=True, text=True, check=True).stdout


def test_a_script_has_it_in_env(tree: Path) -> None:
    assert run(tree, "-c", ASK) == "Good day, reader\n"


def test_it_is_shown_with_the_configuration(tree: Path) -> None:
    shown = json.loads(run(tree, "-m", "edgeworker", "config", "show", "--json"))

    (worker,) = shown["workers"]
    assert worker["bindings"] == [{"kind": "GreetingBinding", "name": "HELLO", "text": "Good day"}]
    assert "Greeting  Good day" in run(tree, "-m", "edgeworker", "config", "show")


def test_it_is_in_the_ledger(tree: Path) -> None:
    ledger = run(tree, "-c", LEDGER)

    assert "| `greetings` | USE | own | hello |" in ledger
    assert "| GET | `/accounts/{account}/greetings` | none |" in ledger
