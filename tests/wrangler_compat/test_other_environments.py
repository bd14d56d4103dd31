"""`edgeworker check` looks at all environments; an error counts where none was chosen."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.schema.diagnostics import Diagnostics
from wrangler_compat import LoadOptions, load

HEAD = """\
name = "w"
main = "worker.py"
compatibility_date = "2026-01-01"
compatibility_flags = ["python_workers"]
[vars]
A = "1"
"""


def diagnose(tmp_path: Path, text: str, *, env: str | None = None, for_deployment: bool = True) -> Diagnostics:
    tmp_path.joinpath("wrangler.toml").write_text(HEAD + text)
    tmp_path.joinpath("worker.py").write_text("")
    options = LoadOptions(tmp_path / "worker.py", tmp_path, env=env)
    return load(replace(options, for_deployment=for_deployment)).diagnostics


@pytest.mark.parametrize(
    ("text", "level", "says", "place"),
    [
        ("[env.b]\nvrs = 1", "warning", 'env.b field: "vrs"', "env.b.vrs"),
        ("[env.b.var]\nA = 1", "warning", 'env.b field: "var"', "env.b.var"),
        (
            "[env.b]\nkv_namespaces = [{bindin = 'K', id = '1'}]",
            "error",
            'a string "binding"',
            "env.b.kv_namespaces[0]",
        ),
        ("[env.b]\nroutes = [{patern = 'a.com/*'}]", "error", 'Expected "routes"', "env.b.routes[0]"),
        ("[env.b]\nmain = 'nothing.py'", "error", '"nothing.py" was not found', "env.b.main"),
        ("[env.b.triggers]\ncrons = ['* *']", "error", "not a cron expression", "env.b.triggers.crons[0]"),
        (
            "[env.b]\ncompatibility_flags = ['x']",
            "warning",
            "No such compatibility flag",
            "env.b.compatibility_flags[0]",
        ),
        ("[env.b]\nworkers_dev = 'yes'", "error", '"workers_dev" to be of type boolean', "env.b.workers_dev"),
        ("[env]\nb = 1", "error", '"env.b" should be an object', "env.b"),
        ('[env."a.b"]\nvrs = 1', "warning", '"vrs"', "env.a.b.vrs"),
    ],
)
def test_a_mistake_in_an_environment_that_is_not_chosen_is_told(
    tmp_path: Path, text: str, level: str, says: str, place: str
) -> None:
    diagnostics = diagnose(tmp_path, text)

    found = [
        message
        for message in diagnostics.walk()
        if message.locations and message.locations[0].path.partition(";")[0] == place
    ]
    assert [(message.level, says in message.text) for message in found] == [(level, True)]
    assert "environment configuration, which is not chosen" in diagnostics.render(
        "error" if level == "error" else "warning"
    )


@pytest.mark.parametrize("env", ["a", ""])
def test_where_one_was_chosen_the_errors_of_others_are_warnings(tmp_path: Path, env: str) -> None:
    diagnostics = diagnose(tmp_path, "[env.a.vars]\nA = '2'\n[env.b]\nroutes = [{patern = 'a.com/*'}]", env=env)

    assert not diagnostics.has_errors
    assert [message.locations[0].path for message in diagnostics.of("warning")] == ["env.b.routes[0]"]


def test_what_is_right_or_only_not_inherited_is_not_told(tmp_path: Path) -> None:
    diagnostics = diagnose(tmp_path, "[env.a]\n[env.b.vars]\nB = '2'")

    assert [message.locations[0].path for message in diagnostics.of("warning")] == ["env"]
    assert not diagnostics.has_errors


def test_dev_says_nothing_of_them_as_wrangler_does(tmp_path: Path) -> None:
    assert list(diagnose(tmp_path, "[env.b]\nvrs = 1", for_deployment=False).walk()) == []
