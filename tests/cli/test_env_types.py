"""`edgeworker types`: the types of `env` for mypy and pyright."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworker.bindings import KINDS
from edgeworker.cli import env_types, main
from tests.patience import PATIENCE_SECONDS

STUBS = Path(env_types.__file__).parents[1] / "testing"
CONFIG = """
name = "typed"
main = "src/entry.py"
compatibility_date = "2026-08-01"
compatibility_flags = ["python_workers"]
kv_namespaces = [{ binding = "GREETINGS", id = "x" }]
services = [{ binding = "OTHER", service = "other" }]
d1_databases = [{ binding = "DB", database_name = "d", database_id = "e" }]
version_metadata = { binding = "VERSION" }
ratelimits = [{ name = "LIMITER", namespace_id = "1", simple = { limit = 1, period = 10 } }]
analytics_engine_datasets = [{ binding = "EVENTS" }]

[vars]
MODE = "dev"
LIMIT = 5
RATIO = 0.5
IS_ON = true
NESTED = { a = 1 }
class = "not a name of Python"

[env.production]
kv_namespaces = [{ binding = "GREETINGS", id = "y" }]
vars = { MODE = "live", LIMIT = "none" }
"""
SCRIPT = """
from workers import Request, Response, WorkerEntrypoint, env


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        text = await self.env.GREETINGS.get("en")
        number: int = self.env.MODE  # Incompatible types in assignment
        await self.env.GREETING.delete("en")  # "Env" has no attribute "GREETING"; maybe "GREETINGS"?
        await self.env.GREETINGS.put("en", 5)  # incompatible type "int"
        for key in (await self.env.GREETINGS.list(prefix="e")).keys:
            print(key.nam)  # "KVListKey" has no attribute "nam"; maybe "name"?
        found = await self.env.GREETINGS.get("en", "json")
        await self.env.OTHER.any_method(1, a=2)
        if not (await self.env.LIMITER.limit(key="k")).success:
            self.env.EVENTS.writeDataPoint(blobs=["a"], doubles=[1.0])
        return Response(found["a"] + (env.API_KEY.upper() + text))  # Unsupported operand types
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "entry.py").write_text(SCRIPT)
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / ".dev.vars").write_text("API_KEY=of-no-one-else\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLOUDFLARE_ENV", raising=False)
    return tmp_path


def run(words: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def attributes(file: Path) -> dict[str, str]:
    """Of class Env: the type of each name."""
    (found,) = (node for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef))
    return {
        node.target.id: ast.unparse(node.annotation)
        for node in found.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def test_each_name_of_env_has_its_type_and_no_value(project: Path) -> None:
    assert run(["types"]) == 0

    file = project / "src" / "worker_env.pyi"
    assert attributes(file) == {
        "API_KEY": "str",
        "DB": "Incomplete",
        "EVENTS": "AnalyticsEngineDataset",
        "GREETINGS": "KVNamespace",
        "IS_ON": "bool",
        "LIMIT": "int | str",
        "LIMITER": "RateLimit",
        "MODE": "str",
        "NESTED": "Incomplete",
        "OTHER": "Service",
        "RATIO": "float",
        "VERSION": "Incomplete",
    }
    text = file.read_text()
    assert "of-no-one-else" not in text
    assert "live" not in text
    assert "    IS_ON: bool  # not in production\n" in text
    assert '    # getattr(env, "class"): str  # not in production\n' in text


def test_an_environment_has_its_own_names(project: Path) -> None:
    assert run(["types", "-e", "production"]) == 0

    found = attributes(project / "src" / "worker_env.pyi")
    assert found["LIMIT"] == "str"
    assert "IS_ON" not in found


def test_check_says_what_is_missing_or_out_of_date_and_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = project / "src" / "worker_env.pyi"

    assert run(["types", "--check"]) == 1
    assert f"{os.path.join('src', 'worker_env.pyi')} does not exist: run edgeworker types" in capsys.readouterr().out
    assert not file.exists()

    assert run(["types"]) == 0
    assert run(["types", "--check"]) == 0
    (project / "wrangler.toml").write_text(CONFIG.replace("RATIO", "RATE"))
    before = file.read_text()

    assert run(["types", "--check"]) == 1
    assert "is out of date: run edgeworker types" in capsys.readouterr().out
    assert file.read_text() == before
    assert run(["types"]) == 0
    assert "RATE" in attributes(file)


def test_workers_with_scripts_in_one_folder_share_a_file_and_others_have_their_own(
    project: Path,
) -> None:
    for name, main_file, variable in (("b", "src/other.py", "ONLY_B"), ("c", "c/entry.py", "ONLY_C")):
        (project / main_file).parent.mkdir(exist_ok=True)
        (project / main_file).write_text(SCRIPT)
        (project / f"{name}.toml").write_text(
            f'name = "{name}"\nmain = "{main_file}"\ncompatibility_date = "2026-08-01"\n'
            f'compatibility_flags = ["python_workers"]\nvars = {{ {variable} = "x" }}\n'
        )

    assert run(["types", "-c", "wrangler.toml", "-c", "b.toml", "-c", "c.toml"]) == 0

    assert {"MODE", "ONLY_B"} <= set(attributes(project / "src" / "worker_env.pyi"))
    assert set(attributes(project / "c" / "worker_env.pyi")) == {"API_KEY", "ONLY_C"}
    assert "ONLY_B: str  # not in worker typed" in (project / "src" / "worker_env.pyi").read_text()


@pytest.mark.parametrize(
    ("arguments", "files", "says"),
    [
        ([], {"src/worker_env.pyi": "class Env: ...\n"}, "was not written by edgeworker types; move it away first"),
        ([], {"src/worker_env.py": ""}, "is a module of the same name, which type checkers would not see; rename it"),
        (["out.py"], {}, "out.py is not a .pyi file"),
        (["-e", "prodution"], {}, 'No environment found in configuration with name "prodution"'),
    ],
)
def test_what_stands_in_the_way_is_named_and_kept(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], files: dict[str, str], says: str
) -> None:
    for name, text in files.items():
        (project / name).write_text(text)

    assert run(["types", *arguments]) == 1

    assert says in capsys.readouterr().err.replace("\n", " ")
    assert all((project / name).read_text() == text for name, text in files.items())


def test_two_workers_need_two_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "other.toml").write_text(CONFIG.replace('"typed"', '"second"'))

    assert run(["types", "-c", "wrangler.toml", "-c", "other.toml", "x.pyi"]) == 1

    said = " ".join(capsys.readouterr().err.split())
    assert "x.pyi is for 2 workers; name one stub file for one worker, such as src/worker_env.pyi" in said


def test_a_javascript_worker_is_left_to_wrangler(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "entry.ts").write_text("export default { fetch() { return new Response('x') } }")
    (project / "wrangler.toml").write_text('name = "js"\nmain = "entry.ts"\ncompatibility_date = "2026-08-01"\n')

    assert run(["types"]) == 1

    shown = capsys.readouterr()
    assert "use wrangler types" in shown.out
    assert "no worker has a script in Python, and so there are no types to write; see -c and main" in shown.err
    assert list(project.glob("**/*.pyi")) == []


def test_every_type_is_in_the_stub_package() -> None:
    tree = ast.parse((STUBS / "workers-stubs" / "bindings.pyi").read_text())
    known = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    written = {
        word.strip('"')
        for kind in KINDS
        for file in [Path(sys.modules[kind.value.__module__].__file__ or "").parent / "__init__.py"]
        for line in file.read_text().splitlines()
        if "annotate=lambda _binding: " in line
        for word in [line.partition("_binding: ")[2].rstrip(",")]
    }

    assert len(written) > 5
    assert written - {"str"} <= known


def test_a_type_checker_finds_it_by_its_name(project: Path) -> None:
    assert run(["types"]) == 0
    shutil.copytree(STUBS / "workers-stubs", project / "stubs" / "workers")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "src/entry.py"]

    checked = subprocess.run(
        command,
        env={**os.environ, "MYPYPATH": "stubs"},
        capture_output=True,
        text=True,
        check=False,
        timeout=3 * PATIENCE_SECONDS,
    )

    wrong = {line: text.partition("  # ")[2] for line, text in enumerate(SCRIPT.splitlines(), 1) if "  # " in text}
    told = [line for line in checked.stdout.splitlines() if ": error: " in line]
    assert [int(line.split(":")[1]) for line in told] == list(wrong), checked.stdout + checked.stderr
    assert all(expected in line for expected, line in zip(wrong.values(), told, strict=True)), checked.stdout
