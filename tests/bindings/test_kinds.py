"""What all kinds of bindings have in common, and how one is added."""

import ast
from pathlib import Path

import pytest

from edgeworker import bindings
from edgeworker.bindings import KINDS, SecretBinding, StoredSecretBinding, UnsupportedBinding, describe_binding
from edgeworker.config import Binding

FOLDER = Path(bindings.__file__).parent
SECRETS = [SecretBinding("S", "sesame"), StoredSecretBinding("S", "the-secret", "sesame")]


def test_every_kind_has_a_configuration_of_its_own() -> None:
    values = [kind.value.__name__ for kind in KINDS]

    assert sorted(values) == sorted({value.__name__ for value in Binding.__subclasses__()})


@pytest.mark.parametrize("binding", SECRETS, ids=lambda binding: type(binding).__name__)
def test_a_secret_is_not_shown(binding: Binding) -> None:
    assert "sesame" not in f"{describe_binding(binding)} {binding!r}"


def test_what_is_not_emulated_says_so() -> None:
    assert describe_binding(UnsupportedBinding("B", "R2 Bucket")) == (
        "R2 Bucket",
        "not emulated: using it raises an error",
    )


def test_no_kind_knows_another_one() -> None:
    kinds = {folder.name for folder in FOLDER.iterdir() if (folder / "__init__.py").exists()}
    foreign = [
        f"{file.relative_to(FOLDER)}: {node.module}"
        for kind in kinds
        for file in (FOLDER / kind).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (parts := (node.module or "").split("."))[:2] == ["edgeworker", "bindings"]
        and len(parts) > 2
        and parts[2] in kinds - {kind}
    ]

    assert kinds
    assert foreign == []
