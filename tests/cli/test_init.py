"""`edgeworker init`: what it writes passes its own tests, runs under `dev`, and is what Cloudflare's tools want."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from edgeworker.cli.init import TEMPLATES, write
from edgeworker.cli.requirement import own_requirement
from edgeworker.errors import ConfigError
from tests.cli.running import dev, environment, run
from tests.npm_tools import missing, node_tools
from tests.patience import PATIENCE_SECONDS

# (template, host, path, status, what the body holds)
ANSWERS = [
    ("hello", "localhost", "/?name=Ann", 200, "Hello Ann!"),
    ("split-token", "localhost", "/orders", 401, ""),
    ("oauth", "auth.localhost", "/.well-known/openid-configuration", 200, '"issuer": "http://auth.localhost:8787"'),
    ("fastapi", "localhost", "/items/7", 200, '{"item_id":7}'),
    ("cron", "localhost", "/", 200, "{}"),
    ("split-token-js", "localhost", "/orders", 401, ""),
    ("hono", "localhost", "/?name=Ann", 200, "Hello Ann!"),
    ("tutorial", "example.com", "/secured", 401, ""),
]
PYTHON = [name for name, template in TEMPLATES.items() if not template.is_javascript]


# What the workers of a template import beside the standard library and their own modules.
IMPORTS = {"oauth": ["pyjwt"], "fastapi": ["fastapi"]}


def _with_keys(project: Path, template: str) -> None:
    """What the template's README says to do first."""
    if TEMPLATES[template].npm:
        modules = node_tools() / "node_modules"
        if not (modules / "hono").is_dir():
            missing("the npm package hono is needed; see tests/npm_tools.py")
        (project / "node_modules").symlink_to(modules)
    elif TEMPLATES[template].is_javascript:
        pytest.importorskip("quickjs")
    if template == "oauth":
        said = run("oauth", "keys", "init", cwd=project)
        assert said.returncode == 0, said.stderr


def test_every_template_is_tried_here() -> None:
    assert [template for template, *_ in ANSWERS] == list(TEMPLATES)


@pytest.mark.parametrize(("template", "host", "path", "status", "body"), ANSWERS, ids=list(TEMPLATES))
def test_a_new_project_passes_its_tests_and_runs(
    tmp_path: Path, template: str, host: str, path: str, status: int, body: str
) -> None:
    project = tmp_path / "my-worker"
    write(project, template)
    _with_keys(project, template)

    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "edgeworker.testing.plugin"],
        cwd=project,
        env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),  # the other plugins take longer than the tests
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    with dev(cwd=project) as edge:
        answer = edge.get(host, path)

    # pytest says 5 where there are no tests.
    assert tests.returncode == (0 if TEMPLATES[template].has_tests else 5), tests.stdout + tests.stderr
    assert answer.status == status
    assert body in answer.text


@pytest.mark.parametrize("template", [*PYTHON, "split-token-js", pytest.param("hono", marks=pytest.mark.node)])
def test_a_new_project_is_configured_without_a_warning(tmp_path: Path, template: str) -> None:
    write(tmp_path / "shop", template)
    _with_keys(tmp_path / "shop", template)

    said = run("check", cwd=tmp_path / "shop")

    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize("template", PYTHON)
def test_a_new_project_bears_its_name_where_the_tools_look(tmp_path: Path, template: str) -> None:
    files = write(tmp_path / "shop", template)

    project = tomllib.loads((tmp_path / "shop/pyproject.toml").read_text())
    assert project["project"]["name"] == "shop"
    assert [need.partition("[")[0] for need in project["project"]["dependencies"]] == IMPORTS.get(template, [])
    needs = project["dependency-groups"]["dev"]
    assert {re.split("[> ]", need)[0] for need in needs} == {
        "edgeworker",
        "pytest",
        "workers-py",
        "workers-runtime-sdk",
    }
    assert own_requirement() in needs
    configs = [file for file in files if Path(file).name == "wrangler.toml"]
    for config in configs:
        worker = tomllib.loads((tmp_path / "shop" / config).read_text())
        name = "shop" if config == "wrangler.toml" else f"shop-{Path(config).parent}"
        assert (worker["name"], worker["compatibility_flags"]) == (name, ["python_workers"])
        assert (tmp_path / "shop" / config).parent.joinpath(worker["main"]).is_file()
    assert configs != []
    assert {".gitignore", "README.md"} <= set(files)
    assert any(file.startswith("tests/test_") for file in files)
    assert not any("project-name" in (tmp_path / "shop" / file).read_text() for file in files)


@pytest.mark.parametrize("template", ["split-token-js", "hono"])
def test_a_new_javascript_project_bears_its_name_where_the_tools_look(tmp_path: Path, template: str) -> None:
    files = write(tmp_path / "shop", template)

    assert json.loads((tmp_path / "shop/package.json").read_text())["name"] == "shop"
    assert tomllib.loads((tmp_path / "shop/wrangler.toml").read_text())["name"] == "shop"
    needs = tomllib.loads((tmp_path / "shop/pyproject.toml").read_text())["dependency-groups"]["dev"]
    assert [re.split("[>@ []", need)[0] for need in needs] == ["edgeworker", "pytest"]
    assert "edgeworker[javascript]" in needs[0] or template == "hono"
    assert {".gitignore", "README.md", "tests/test_worker.py"} <= set(files)
    assert not any("project-name" in (tmp_path / "shop" / file).read_text() for file in files)


@pytest.mark.parametrize(
    ("template", "newest", "requires"),
    [
        ("hello", None, ">=3.11"),
        ("hello", (3, 12), ">=3.12"),
        ("fastapi", (3, 13), ">=3.13"),
        ("oauth", (3, 14), ">=3.13"),  # Cloudflare runs 3.13 at the templates' compatibility date
        ("hono", (3, 14), ">=3.13"),
        ("split-token-js", None, ">=3.11, !=3.12.*, <3.14"),
        ("split-token-js", (3, 13), ">=3.13, !=3.12.*, <3.14"),
    ],
)
def test_a_project_asks_for_the_python_that_is_there(
    tmp_path: Path, template: str, newest: tuple[int, int] | None, requires: str
) -> None:
    write(tmp_path / "shop", template, newest)

    assert tomllib.loads((tmp_path / "shop/pyproject.toml").read_text())["project"]["requires-python"] == requires


@pytest.mark.parametrize(
    ("template", "name"), [("fastapi", "fastapi"), ("fastapi", "pytest"), ("hello", "workers-py"), ("hono", "hono")]
)
def test_a_project_is_not_named_as_what_is_installed_into_it(tmp_path: Path, template: str, name: str) -> None:
    write(tmp_path / name, template)

    file = tmp_path / name / ("package.json" if template == "hono" else "pyproject.toml")
    project = json.loads(file.read_text()) if template == "hono" else tomllib.loads(file.read_text())["project"]
    assert project["name"] == f"{name}-worker"
    assert f'"{name}"' in next((tmp_path / name).glob("wrangler.*")).read_text()  # the worker's


def test_init_looks_for_the_newest_python_of_path(tmp_path: Path) -> None:
    for program in ("python3.14", "python3.13", "python3.12"):
        file = tmp_path / program
        file.write_text("#!/bin/sh\n" + ("echo 3.12\n" if program == "python3.12" else "exit 127\n"))
        file.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    said = run("init", "shop", cwd=tmp_path, env=environment(PATH=path))

    assert said.returncode == 0
    assert 'requires-python = ">=3.12"' in (tmp_path / "shop/pyproject.toml").read_text()


def test_generate_writes_the_tutorials_project(tmp_path: Path) -> None:
    said = run("generate", "split-tokens-worker", cwd=tmp_path)

    assert (said.returncode, said.stderr) == (0, "")
    folder = tmp_path / "split-tokens-worker"
    assert sorted(file.name for file in folder.iterdir()) == [
        ".gitignore",
        "README.md",
        "index.js",
        "package.json",
        "wrangler.toml",
    ]
    assert (folder / "wrangler.toml").read_text().startswith('name = "split-tokens-worker"\ntype = "webpack"\n')
    assert "  edgeworker dev --origin http://127.0.0.1:3000\n" in said.stdout


def test_it_says_what_to_do_next(tmp_path: Path) -> None:
    said = run("generate", "my worker's/gate", "--template", "split-token", cwd=tmp_path)

    assert said.returncode == 0
    assert "cd 'my worker'\"'\"'s/gate'" in said.stdout
    assert "  uv run edgeworker dev --origin http://127.0.0.1:3000\n  uv run pytest\n" in said.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "wrangler.toml").write_text("mine")

    with pytest.raises(ConfigError, match=r"has wrangler\.toml already"):
        write(tmp_path / "shop", "hello")

    assert (tmp_path / "shop" / "wrangler.toml").read_text() == "mine"
    assert list((tmp_path / "shop").iterdir()) == [tmp_path / "shop" / "wrangler.toml"]


def test_a_folder_with_other_files_is_filled(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "notes.txt").write_text("mine")

    assert "src/worker.py" in write(tmp_path / "shop", "hello")


@pytest.mark.parametrize("name", ["Shop", "my_shop", "-shop", "shop-", "s" * 64, "ä", "a b"])
def test_a_name_that_is_not_a_label_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is not a valid worker name"):
        write(tmp_path / name, "hello")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match=r"file.* cannot be written"):
        write(tmp_path / "file" / "shop", "hello")


def test_an_unknown_template_is_wrong_usage(tmp_path: Path) -> None:
    said = run("init", "shop", "--template", "nosuch", cwd=tmp_path)

    assert said.returncode == 2
    assert "'hello', 'split-token', 'oauth', 'fastapi', 'cron'" in said.stderr
