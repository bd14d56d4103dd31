"""Where texts in `env` come from."""

from edgeworker.bindings import JSONBinding, SecretBinding, TextBinding
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from wrangler_compat.variables import (
    Sources,
    dev_vars_names,
    dot_env_names,
    parse_given,
    text_bindings,
)

HERE = SourceLocation("wrangler.toml")


def test_the_files_are_those_of_wrangler_in_its_order() -> None:
    assert dev_vars_names(None) == (".dev.vars",)
    assert dev_vars_names("x") == (".dev.vars.x", ".dev.vars")
    assert dot_env_names(None) == (".env", ".env.local")
    assert dot_env_names("x") == (".env", ".env.local", ".env.x", ".env.x.local")


def test_var_wins_over_files_and_files_over_vars() -> None:
    sources = Sources(
        variables={"A": "config", "B": "config", "C": "config", "N": 5, "T": {"x": [1]}},
        files={"A": "file", "B": "file", "D": "file"},
        given={"A": "given", "E": "given"},
    )

    assert text_bindings(sources, Diagnostics(), HERE) == (
        SecretBinding("A", "given"),  # masked, because a file has it: as wrangler shows it
        SecretBinding("B", "file"),
        TextBinding("C", "config"),
        JSONBinding("N", 5),
        JSONBinding("T", {"x": [1]}),
        SecretBinding("D", "file"),
        TextBinding("E", "given"),
    )


def test_declared_secrets_keep_everything_else_out_of_env_and_missing_ones_are_told() -> None:
    diagnostics = Diagnostics()
    sources = Sources({"V": "config"}, {"V": "file", "S": "file", "PATH": "/bin"}, {}, required=["S", "GONE"])

    found = text_bindings(sources, diagnostics, HERE)

    assert found == (SecretBinding("V", "file"), SecretBinding("S", "file"))
    # Source: wrangler 4.164.0, getVarsForDev
    assert [message.text for message in diagnostics.of("warning")] == [
        "Missing required secrets: GONE. Add them to .dev.vars, .env, or set as environment variables."
    ]


def test_no_secret_is_in_a_repr() -> None:
    sources = Sources({}, {"S": "hidden-value"}, {"T": "hidden-value"})

    assert "hidden-value" not in repr(sources)
    assert "hidden-value" not in repr(text_bindings(Sources({}, {"S": "hidden-value"}), Diagnostics(), HERE))


def test_var_takes_the_first_colon_and_refuses_a_text_without_one_unseen() -> None:
    diagnostics = Diagnostics()

    assert parse_given(["A:http://x:1", "B:", "hush", ":x"], diagnostics) == {"A": "http://x:1", "B": ""}

    assert [message.text for message in diagnostics.messages] == [
        "--var takes KEY:VALUE, with a colon between the two."
    ] * 2
