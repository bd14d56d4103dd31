"""Which file is read where none is named. The order is wrangler's, read in and tried with wrangler 4.164.0."""

import json
from pathlib import Path

import pytest

from edgeworker.schema.diagnostics import Diagnostics
from tests.wrangler_compat.project import HEAD, Project, bindings, only, texts
from wrangler_compat.discovery import Discovered, discover

REDIRECT = ".wrangler/deploy/config.json"


def found(folder: Path) -> tuple[Discovered, Diagnostics]:
    diagnostics = Diagnostics()
    return discover(folder, diagnostics), diagnostics


@pytest.mark.parametrize(
    ("files", "cwd", "chosen", "warned"),
    [
        (["wrangler.toml"], ".", "wrangler.toml", False),
        (["wrangler.toml"], "a/b", "wrangler.toml", False),
        (["wrangler.toml", "a/wrangler.toml"], "a/b", "a/wrangler.toml", False),
        (["wrangler.json", "wrangler.jsonc", "wrangler.toml"], ".", "wrangler.json", True),
        (["wrangler.jsonc", "wrangler.toml"], ".", "wrangler.jsonc", True),
        # The parent's JSON wins over the toml right here, which surprises in monorepos.
        (["wrangler.json", "a/wrangler.toml"], "a", "wrangler.json", True),
        (["wrangler.jsonc", "a/wrangler.json"], "a", "a/wrangler.json", False),
        (["wrangler.toml", "a/wrangler.jsonc"], "a", "a/wrangler.jsonc", False),
    ],
)
def test_json_is_looked_for_through_all_parents_before_toml(
    project: Project, files: list[str], cwd: str, chosen: str, warned: bool
) -> None:
    for file in files:
        project.write(file)
    (project.folder / cwd).mkdir(parents=True, exist_ok=True)

    discovered, diagnostics = found(project.folder / cwd)

    assert discovered.file == project.folder / chosen
    assert bool(diagnostics.of("warning")) is warned


def test_the_warning_names_the_file_that_is_used_and_the_nearer_one(project: Project) -> None:
    project.write("wrangler.json")
    project.write("a/b/wrangler.toml")

    _, diagnostics = found(project.folder / "a/b")

    assert diagnostics.of("warning")[0].text.startswith("../../wrangler.json is used, not wrangler.toml:")


def test_a_build_tools_file_is_read_in_place_of_the_users_own_and_secrets_stay_beside_that(project: Project) -> None:
    project.worker()
    project.write(".dev.vars", "A=1\n")
    project.write(REDIRECT, '{"configPath": "../../dist/wrangler.json"}')
    project.write("dist/worker.py")
    generated = {"name": "built", "main": "worker.py", "compatibility_date": "2026-01-01", "topLevelName": "w"}
    project.write("dist/wrangler.json", json.dumps({**generated, "compatibility_flags": ["python_workers"]}))

    loaded = project.load()

    worker = only(loaded.require())
    assert (worker.name, worker.main) == ("built", project.folder / "dist/worker.py")
    assert "A" in bindings(worker)
    assert texts(loaded, "warning") == []
    assert project.folder / REDIRECT in loaded.config.files


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "Failed to parse the deploy configuration file at .wrangler/deploy/config.json"),
        ("{}", 'the required "configPath" property was not found'),
        ('{"configPath": "gone.json"}', 'points to, ".wrangler/deploy/gone.json", does not exist'),
    ],
)
def test_a_redirection_that_leads_nowhere_is_an_error(project: Project, text: str, says: str) -> None:
    project.worker()
    project.write(REDIRECT, text)

    loaded = project.load()

    assert says in texts(loaded, "error")[0]
    assert loaded.config.workers == ()


def test_a_redirection_that_is_not_text_is_an_error(project: Project) -> None:
    project.worker()
    project.write(REDIRECT).write_bytes(b"\xff")

    assert texts(project.load(), "error")[0].startswith("Failed to parse the deploy configuration file")


def test_a_redirection_of_another_folder_is_an_error(project: Project) -> None:
    project.write(REDIRECT, '{"configPath": "x.json"}')
    project.write(".wrangler/deploy/x.json", "{}")
    project.worker(name="a/wrangler.toml")

    discovered, diagnostics = found(project.folder / "a")

    assert discovered.file is None
    assert diagnostics.of("error")[0].text.startswith('Found both a user configuration file at "wrangler.toml"')


def test_a_named_file_is_read_whatever_else_there_is(project: Project) -> None:
    project.write("wrangler.json", "broken")
    project.write(REDIRECT, "broken")
    project.write("other.toml", HEAD.replace('"w"', '"other"'))
    project.write("worker.py")

    assert only(project.load("other.toml").require()).name == "other"
