"""Which file is a module of which kind."""

import pytest

from edgeworker.javascript.build import ModuleKind, ModuleRule
from edgeworker.javascript.rules import effective_rules, extensions_of, kind_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("page.html", "text"),
        ("a/b/page.html", "text"),
        ("schema.sql", "text"),
        ("key.bin", "data"),
        ("add.wasm", "wasm"),
        ("add.wasm?module", "wasm"),
        ("worker.js", None),
        ("html", None),
        ("page.html.bak", None),
    ],
)
def test_the_default_rules_are_wranglers(path: str, kind: ModuleKind | None) -> None:
    assert kind_of(path, effective_rules(())) == kind


def test_a_configured_rule_replaces_the_default_one_of_its_kind() -> None:
    rules = effective_rules((ModuleRule("text", ("**/*.md",)),))

    assert kind_of("a/README.md", rules) == "text"
    assert kind_of("page.html", rules) is None
    assert kind_of("key.bin", rules) == "data"


def test_a_rule_that_falls_through_leaves_the_next_one_in_force() -> None:
    rules = effective_rules((ModuleRule("text", ("docs/*.md",), fallthrough=True),))

    assert kind_of("docs/a.md", rules) == "text"
    assert kind_of("docs/deep/a.md", rules) is None
    assert kind_of("page.html", rules) == "text"


def test_endings_for_a_bundler_come_from_the_globs() -> None:
    rules = effective_rules((ModuleRule("data", ("**/*.txt", "keys/*")),))

    assert extensions_of(rules) == {".txt": "data", ".html": "text", ".sql": "text", ".wasm": "wasm"}
