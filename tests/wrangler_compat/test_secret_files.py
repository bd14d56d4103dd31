"""Which files hold a worker's secrets."""

from pathlib import Path

import pytest

from edgeworker.bindings import SecretBinding
from edgeworker.host.systemd import SecretEnvironment
from tests.wrangler_compat.project import Project, bindings, only, places, texts


def secrets(project: Project, *, env: str | None = None, environ: dict[str, str] | None = None) -> dict[str, str]:
    worker = only(project.load(env=env, environ=environ).require())
    return {name: found.text for name, found in bindings(worker).items() if isinstance(found, SecretBinding)}


def test_dev_vars_beside_the_configuration_are_secrets(project: Project) -> None:
    project.worker(name="sub/wrangler.toml")
    project.write("sub/.dev.vars", "A=1\n")
    project.write(".dev.vars", "A=not me\n")

    loaded = project.load("sub/wrangler.toml")

    assert bindings(only(loaded.require()))["A"] == SecretBinding("A", "1")
    assert project.folder / "sub/.dev.vars" in loaded.config.files


def test_dev_vars_of_the_environment_replace_the_others_whole(project: Project) -> None:
    project.worker("[env.x]\n[env.y]\n")
    project.write(".dev.vars", "A=1\nB=1\n")
    project.write(".dev.vars.x", "A=2\n")

    assert secrets(project, env="x") == {"A": "2"}
    assert secrets(project, env="y") == {"A": "1", "B": "1"}


def test_env_files_are_merged_in_order_if_there_is_no_dev_vars(project: Project) -> None:
    project.worker("[env.x]\n")
    for name in (".env", ".env.local", ".env.x", ".env.x.local"):
        project.write(name, f"{name.replace('.', '_')}=1\nLAST={name}\nREFERENCE=${{LAST}}\n")

    assert secrets(project, env="x") == {
        "_env": "1", "_env_local": "1", "_env_x": "1", "_env_x_local": "1",
        "LAST": ".env.x.local", "REFERENCE": ".env.x.local",
    }  # fmt: skip
    assert secrets(project, env="")["LAST"] == ".env.local"


def test_env_is_not_read_beside_dev_vars_or_where_it_is_switched_off(project: Project) -> None:
    project.worker()
    project.write(".env", "A=1\n")

    assert secrets(project, environ={"CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV": "false"}) == {}
    project.write(".dev.vars", "B=1\n")
    assert secrets(project) == {"B": "1"}


@pytest.mark.parametrize(
    ("text", "environ"), [("", {"CLOUDFLARE_INCLUDE_PROCESS_ENV": "true"}), ('[secrets]\nrequired = ["S"]\n', {})]
)
def test_the_process_environment_is_read_only_on_demand(project: Project, text: str, environ: dict[str, str]) -> None:
    project.worker(text)

    assert secrets(project, environ={"S": "process", **environ})["S"] == "process"
    project.worker()
    assert secrets(project, environ={"S": "process"}) == {}


def test_a_required_secret_is_read_from_the_file_that_its_variable_names(project: Project, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "C").write_text("from a credential")
    environ = SecretEnvironment(
        {
            "A": "from the environment",
            "B_FILE": str(tmp_path / "key"),
            "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
            "OTHER_FILE": "/nowhere",  # of another program
        }
    )
    project.worker('[secrets]\nrequired = ["A", "B", "C"]\n')

    loaded = project.load(environ=environ)

    assert bindings(only(loaded.require())) == {
        "A": SecretBinding("A", "from the environment"),
        "B": SecretBinding("B", "from a file"),
        "C": SecretBinding("C", "from a credential"),
    }
    assert texts(loaded, "warning") == []


def test_a_file_of_a_required_secret_that_cannot_be_read_is_an_error(project: Project) -> None:
    project.worker('[secrets]\nrequired = ["B"]\n')

    loaded = project.load(environ=SecretEnvironment({"B_FILE": "/nowhere/key"}))

    assert texts(loaded, "error") == [
        "B_FILE: /nowhere/key cannot be read: No such file or directory; check the path and its owner"
    ]


def test_env_file_replaces_the_search_and_is_looked_for_beside_the_configuration_first(project: Project) -> None:
    project.worker(name="sub/wrangler.toml")
    project.write("sub/.dev.vars", "A=dev vars\n")
    project.write("one.env", "A=here\nB=here\n")
    project.write("sub/one.env", "A=beside\nREST=${A}\n")
    project.write("two.env", "B=two\n")

    loaded = project.load("sub/wrangler.toml", env_files=("one.env", "two.env"))

    found = bindings(only(loaded.require()))
    assert found == {
        "A": SecretBinding("A", "beside"),
        "REST": SecretBinding("REST", "beside"),
        "B": SecretBinding("B", "two"),
    }


def test_an_env_file_that_is_not_there_is_an_error(project: Project) -> None:
    project.worker()

    loaded = project.load(env_files=("gone.env",))

    assert texts(loaded, "error") == ['There is no file "gone.env".']
    assert places(loaded, "error") == ["--env-file"]


def test_a_line_that_sets_nothing_is_told_with_its_place_and_without_its_text(project: Project) -> None:
    project.worker()
    project.write(".dev.vars", "A=1\nthis is 'secret\n")

    loaded = project.load()

    assert places(loaded, "warning") == [".dev.vars:2"]
    assert "sets nothing" in texts(loaded, "warning")[0]
    assert "secret" not in texts(loaded, "warning")[0]
    assert bindings(only(loaded.require())) == {"A": SecretBinding("A", "1")}


def test_the_files_that_secrets_came_from_are_named(project: Project) -> None:
    project.worker()
    assert project.load().secret_sources == ()

    project.write(".env", "A=1\n")
    project.write(".env.local", "")
    assert project.load().secret_sources == (".env", ".env.local")
    assert project.load(environ={"CLOUDFLARE_INCLUDE_PROCESS_ENV": "true"}).secret_sources == (
        ".env", ".env.local", "process.env",
    )  # fmt: skip
    project.write(".dev.vars", "B=1\n")
    assert project.load().secret_sources == (".dev.vars",)
