"""`edgeworker check`, as a person runs it."""

import json
from pathlib import Path

import pytest

from edgeworker.cli import main

GOOD = 'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-01-01"\ncompatibility_flags = ["python_workers"]\n'

SCRIPT = """\
from workers import WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request): ...
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("CLOUDFLARE_ENV", raising=False)


def check(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["check", *arguments])
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_a_good_configuration_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("worker.py").write_text(SCRIPT)

    assert check() == 0

    assert capsys.readouterr() == ("ok: w: nothing to complain about\n", "")


def test_an_error_is_shown_with_its_place_and_the_exit_status_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD + 'zz = 1\nroutes = ["a.com/*.jpg"]\n[dev]\nport = "80"\n')
    tmp_path.joinpath("worker.py").write_text(SCRIPT)

    assert check() == 1

    out, err = capsys.readouterr()
    assert out == "FAILED: wrangler.toml: 2 errors and 1 warning\n"
    assert err.startswith("▲ [WARNING] Processing wrangler.toml configuration:\n")
    assert '  - Unexpected fields found in top-level field: "zz"\n    at wrangler.toml:5 (zz)\n' in err
    assert (
        "✘ [ERROR] Processing wrangler.toml configuration:\n"
        '  - Expected "dev.port" to be of type number but got "80".\n'
        "    at wrangler.toml:8 (dev.port)\n"
    ) in err
    assert 'Invalid route pattern "a.com/*.jpg"' in err


def test_a_script_that_is_not_python_is_an_error_and_is_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("worker.py").write_text("open('ran', 'w')\ndef f(:\n")

    assert check() == 1

    out, err = capsys.readouterr()
    assert out == "FAILED: worker.py: 1 error\n"
    assert "✘ [ERROR] Loading scripts:\n" in err
    assert "worker.py, line 2: SyntaxError: invalid syntax" in err
    assert "Traceback" not in err
    assert not tmp_path.joinpath("ran").exists()


def test_each_script_is_imported_as_dev_does_and_the_file_that_is_wrong_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripts = {
        "auth": SCRIPT,
        "gateway": "import no_such_package\n" + SCRIPT,
        "misspelt": SCRIPT.replace("fetch", "fecth"),
        "other": SCRIPT.replace("Default", "Main"),
    }
    arguments = []
    for name, script in scripts.items():
        (tmp_path / name).mkdir()
        tmp_path.joinpath(name, "wrangler.toml").write_text(
            GOOD.replace('"w"', f'"{name}"') + f'route = "{name}.test/*"\n'
        )
        tmp_path.joinpath(name, "worker.py").write_text(script)
        arguments += ["-c", f"{name}/wrangler.toml"]

    assert check(*arguments) == 1

    out, err = capsys.readouterr()
    assert out == "FAILED: gateway/worker.py, misspelt/worker.py, other/worker.py: 3 errors\n"
    assert 'package "no_such_package" is not installed' in err
    assert 'Is "fecth" meant to be "fetch"?' in err
    assert 'by the class with the name "Default", not by "Main"' in err


@pytest.mark.parametrize(
    ("script", "helper", "failed", "said"),
    [
        ("import helper\n", "def f(:\n", "helper.py", "at helper.py:1"),
        ("import helper\n", "import os\nX = os.environ['NOT_THERE']\n", "helper.py", "at helper.py:2"),
        ("from workers import Respose\n", "", "worker.py", 'Did you mean "Response"?'),
        ("from worker import Response\n", "", "worker.py", 'Did you mean "from workers import Response"?'),
        ("from worker import nothing\n", "", "worker.py", "at worker.py:1"),
    ],
    ids=["a syntax error", "an exception", "a misspelt class", "the script itself", "another name"],
)
def test_the_file_and_line_that_are_wrong_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, helper: str, failed: str, said: str
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("worker.py").write_text(script + SCRIPT)
    tmp_path.joinpath("helper.py").write_text(helper)

    assert check() == 1

    out, err = capsys.readouterr()
    assert out == f"FAILED: {failed}: 1 error\n"
    assert said in " ".join(err.split())


@pytest.mark.parametrize(
    ("parameters", "status", "said"),
    [
        ("", 1, "has fetch(), so each request to it fails."),
        ("request", 0, "has fetch(request), so it finds itself in request and not the request."),
        ("self", 0, ""),
        ("self, request, env, ctx", 0, "has fetch(self, request, env, ctx), and finds None in env and ctx."),
        ("self, request", 0, ""),
        ("self, *arguments", 0, ""),
    ],
)
def test_parameters_that_a_handler_of_a_class_does_not_get_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], parameters: str, status: int, said: str
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("worker.py").write_text(SCRIPT.replace("self, request", parameters))

    assert check() == status

    _, err = capsys.readouterr()
    assert said in err
    assert bool(said) == ("async def fetch(self, request)" in err)


def test_keys_of_the_top_that_stand_below_vars_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.joinpath("wrangler.toml").write_text('name = "w"\n[vars]\nA = "1"\nmain = "worker.py"\n')

    check()

    assert '"main" stands below [vars], so it is a variable of the script and sets nothing.' in capsys.readouterr().err


def test_a_service_binding_to_a_class_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(
        GOOD + '[[services]]\nbinding = "SELF"\nservice = "w"\nentrypoint = "Order"\n'
    )
    tmp_path.joinpath("worker.py").write_text(SCRIPT + "\n\nclass Orders(WorkerEntrypoint): ...\n")

    assert check() == 1

    out, err = capsys.readouterr()
    assert out == "FAILED: wrangler.toml: 1 error\n"
    assert 'env.SELF of worker "w" leads to the entrypoint "Order" of worker "w", which does not export it.' in err
    assert 'Did you mean "Orders"?' in err


def test_what_a_script_prints_and_does_at_import_is_not_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("worker.py").write_text("print('hello')\n" + SCRIPT)

    assert check() == 0
    assert capsys.readouterr() == ("ok: w: nothing to complain about\n", "hello\n")


def test_what_fails_once_it_is_deployed_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(
        GOOD.replace("2026-01-01", "2199-01-01")
        + 'routes = ["a.com/users/:id", "b.com", "c.com/", "c.com/*"]\n'
        + '[triggers]\ncrons = ["* * * * *"]\n[[r2_buckets]]\nbinding = "BUCKET"\nbucket_name = "bucket"\n'
        + "[env.staging]\n"
    )
    tmp_path.joinpath("worker.py").write_text(SCRIPT)

    assert check() == 0

    err = capsys.readouterr().err
    assert 'The compatibility_date "2199-01-01" of worker "w" is in the future' in err
    assert 'The route "a.com/users/:id" matches the text "/:id" only' in err
    assert 'Use "a.com/users/*".' in err
    assert 'The route "b.com" matches only the path "/"' in err
    assert '"c.com/" matches' not in err
    assert 'has cron triggers, but its script has no handler "scheduled"' in err
    assert "env.BUCKET" in err
    assert "Multiple environments are defined" in err


def test_a_certificate_that_is_missing_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("worker.py").write_text(SCRIPT)
    tmp_path.joinpath("edge.toml").write_text(
        '[[workers]]\nconfig = "wrangler.toml"\n[sockets]\nhttps = "127.0.0.1:8443"\n'
        '[[tls.certificates]]\ncert = "gone.pem"\nkey = "gone.key"\n'
    )

    assert check() == 1

    out, err = capsys.readouterr()
    assert out == "FAILED: edge.toml: 1 error\n"
    assert "gone.pem" in err


@pytest.mark.parametrize("script", [b"x = '\xff'\n", b"x\x00y\n"])
def test_a_script_that_is_not_text_is_an_error(
    tmp_path: Path, script: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("worker.py").write_bytes(script)

    assert check() == 1

    assert "worker.py" in capsys.readouterr().err


def test_without_any_configuration_the_split_token_script_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert check() == 0

    assert capsys.readouterr().out == "ok: split-token: nothing to complain about\n"


def test_what_has_no_effect_is_told_on_demand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD + "upload_source_maps = true\n")
    tmp_path.joinpath("worker.py").write_text(SCRIPT)

    assert check() == 0
    assert "upload_source_maps" not in capsys.readouterr().err
    assert check("--verbose") == 0
    assert '"upload_source_maps" has no effect here: there is nothing to upload.' in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["-c", "gone.toml"], ["--edge", "gone.toml"], ["--var", "nocolon"], ["--env-file", "gone"]]
)
def test_an_option_that_names_nothing_is_an_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert check(*arguments) == 1

    assert "✘ [ERROR]" in capsys.readouterr().err


def test_production_tells_what_would_be_regretted_and_fails_on_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("worker.py").write_text(SCRIPT)
    monkeypatch.setenv("EDGEWORKER_API_TOKEN", "hunter2")

    assert check("--production") == 1

    out, err = capsys.readouterr()
    assert out.startswith(
        "error: $EDGEWORKER_API_TOKEN: the API's token is short or repeats itself\n"
        "    why:   it can be guessed, and it may do everything\n"
        "    right: leave it out: "
    )
    assert "hunter2" not in out + err
    assert out.splitlines()[-1].startswith("FAILED: production: 1 to mend, ")


def test_production_takes_the_options_of_a_run_and_tells_programs_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("worker.py").write_text(SCRIPT)
    monkeypatch.delenv("EDGEWORKER_API_TOKEN", raising=False)

    assert check("--production", "--json", "--host", "0.0.0.0", "--allow-private", "*") == 1
    told = json.loads(capsys.readouterr().out)
    assert check("--production", "--json") == 0
    without = json.loads(capsys.readouterr().out)

    rules = {finding["rule"]: finding["severity"] for finding in told["findings"]}
    assert rules["private-addresses"] == "error"
    assert rules["plain-http"] == "warning"
    assert (told["errors"], without["errors"]) == (1, 0)
    assert set(told["findings"][0]) == {"severity", "rule", "where", "what", "why", "right"}


def test_production_in_json_tells_errors_of_the_configuration_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD + "routes = 1\n")
    tmp_path.joinpath("worker.py").write_text(SCRIPT)

    assert check("--production", "--json") == 1

    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["rule"], finding["where"]) == ("configuration", "wrangler.toml:5 (routes)")


def test_json_goes_with_production(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--json") == 1

    assert "--json works with --production only" in capsys.readouterr().err


def test_the_file_that_says_so_is_blamed_for_what_dev_would_not_start_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("worker.py").write_text(f"{SCRIPT}\n\nclass Admin(WorkerEntrypoint):\n    def ftech(self): ...\n")
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    tmp_path.joinpath("my-edge.toml").write_text(
        '[tls]\nclient_ca = "ca.pem"\n[[zones]]\nname = "a.test"\norigin = "https://o.test"\norigin_ca = "o.pem"\n'
        '[[workers]]\nconfig = "wrangler.toml"\n'
    )

    assert check("--edge", "my-edge.toml") == 1

    out, err = capsys.readouterr()
    assert out == "FAILED: my-edge.toml: 2 errors and 1 warning\n"
    for said in (f'origin "https://o.test": origin_ca: {tmp_path}/o.pem cannot', f"tls.client_ca: {tmp_path}/ca.pem"):
        assert said in err
    assert '"Admin" of worker "w" has a method "ftech" and no "fetch". Did you mean "fetch"?\n    at worker.py:9' in err


def test_a_misspelt_handler_of_javascript_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("quickjs")
    tmp_path.joinpath("wrangler.toml").write_text('name = "w"\nmain = "w.js"\ncompatibility_date = "2026-01-01"\n')
    tmp_path.joinpath("w.js").write_text("export default { async fetchh(request) { return new Response() } }")

    assert check("--js-engine", "embedded") == 1

    assert 'Is "fetchh" meant to be "fetch"?' in capsys.readouterr().err


CRON_SCRIPT = """
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def scheduled(self, controller, env, ctx):
        print("cron processed")
"""


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ('[triggers]\ncrons = ["* * * * *"]\n', 0),
        ('routes = ["a.com/*"]\n[triggers]\ncrons = ["* * * * *"]\n', 1),
        ("", 1),
    ],
)
def test_a_worker_that_only_cron_triggers_run_needs_no_fetch(tmp_path: Path, more: str, status: int) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD + more)
    tmp_path.joinpath("worker.py").write_text(CRON_SCRIPT)

    assert check() == status
