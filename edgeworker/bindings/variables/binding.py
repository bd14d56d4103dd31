"""Texts, JSON values and secrets in `env`. Pure."""

from dataclasses import dataclass, field

from edgeworker.config import JSON, Binding


@dataclass(frozen=True, slots=True)
class TextBinding(Binding):
    """`env.<name>` is the text."""

    text: str


@dataclass(frozen=True, slots=True)
class JSONBinding(Binding):
    """`env.<name>` is the value, as JavaScript has it."""

    value: JSON


@dataclass(frozen=True, slots=True)
class SecretBinding(Binding):
    """`env.<name>` is the text, which is shown nowhere."""

    text: str = field(repr=False)
