"""Where the texts in `env` come from: `vars`, `.dev.vars`, `.env`, the process environment and `--var`. Pure.

Source: https://developers.cloudflare.com/workers/development-testing/environment-variables/ and wrangler 4.164.0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from edgeworker.bindings import JSONBinding, SecretBinding, StoredSecretBinding, TextBinding
from edgeworker.config import Binding
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from edgeworker.schema.json_value import as_json


def dev_vars_names(env: str | None) -> tuple[str, ...]:
    """The files of which the first that exists is read, and no other."""
    return (f".dev.vars.{env}", ".dev.vars") if env else (".dev.vars",)


def dot_env_names(env: str | None) -> tuple[str, ...]:
    """The files that are read one after the other, later ones winning, if there is none of `dev_vars_names`."""
    return (".env", ".env.local", f".env.{env}", f".env.{env}.local") if env else (".env", ".env.local")


@dataclass(frozen=True, slots=True)
class Sources:
    """`files` are what was read from `.dev.vars` or `.env` (or the process), None if nothing was looked for.

    `given` are the values of `--var`, `required` the names of `secrets.required`, or None where it is not declared.
    """

    variables: Mapping[str, object]
    files: Mapping[str, str] | None = field(default=None, repr=False)
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    required: Sequence[str] | None = None


def text_bindings(sources: Sources, diagnostics: Diagnostics, location: SourceLocation) -> tuple[Binding, ...]:
    """One binding a name: `--var` wins over files, files over `vars`. What comes from a file is secret."""
    bindings: dict[str, Binding] = {
        name: (TextBinding(name, value) if isinstance(value, str) else JSONBinding(name, as_json(value)))
        for name, value in sources.variables.items()
    }
    for name, text in (sources.files or {}).items():
        if sources.required is None or name in bindings or name in sources.required:
            bindings[name] = SecretBinding(name, text)
    for name, text in sources.given.items():
        hidden = isinstance(bindings.get(name), SecretBinding)
        bindings[name] = SecretBinding(name, text) if hidden else TextBinding(name, text)
    missing = [
        name for name in sources.required or () if name not in (sources.files or {}) and name not in sources.given
    ]
    if missing:
        diagnostics.warning(
            f"Missing required secrets: {', '.join(missing)}. "
            "Add them to .dev.vars, .env, or set as environment variables.",
            location,
        )
    return tuple(bindings.values())


def with_stored_secrets(bindings: Sequence[Binding], texts: Sequence[Binding]) -> tuple[Binding, ...]:
    """All of them; a text with the name of a stored secret is that secret's value, because there is no store here."""
    stored = {binding.name for binding in bindings if isinstance(binding, StoredSecretBinding)}
    values = {text.name: text.text for text in texts if isinstance(text, SecretBinding | TextBinding)}
    filled = (
        replace(binding, text=values.get(binding.name)) if isinstance(binding, StoredSecretBinding) else binding
        for binding in bindings
    )
    return (*filled, *(text for text in texts if text.name not in stored))


def parse_given(texts: Sequence[str], diagnostics: Diagnostics) -> dict[str, str]:
    """The `KEY:VALUE` texts of `--var`; a value may hold further colons."""
    found: dict[str, str] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if name and colon:
            found[name] = value
        else:
            # The text may be a secret: it is not shown.
            diagnostics.error("--var takes KEY:VALUE, with a colon between the two.", SourceLocation("--var"))
    return found
