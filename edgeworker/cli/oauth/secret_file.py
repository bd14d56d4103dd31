"""The file from which `edgeworker dev` reads a worker's secrets, and how one of them is put there.

Source for which file it is: wrangler_compat/secret_files.py, which reads it.
"""

import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.errors import ConfigError
from edgeworker.files import replace_file
from wrangler_compat.dotenv import ParsedDotenv, expand, parse_dotenv
from wrangler_compat.variables import dev_vars_names, dot_env_names

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_GIT_SECONDS: Final = 10
# git's answers: what was asked for does not hold; and: there is no repository (or git will not look at it).
_GIT_NO: Final = 1
_NO_FROM_DOT_ENV: Final = "CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV"


@dataclass(frozen=True, slots=True)
class SavedSecret:
    """`warnings` are what a person should mend beside the file."""

    file: Path
    warnings: tuple[str, ...] = ()


def secret_file(folder: Path, env: str | None, environ: Mapping[str, str]) -> Path:
    """Where the secrets of a worker are read whose configuration is in `folder`; the file need not be there yet.

    A new .dev.vars would hide a .env that is there, so the .env is taken then.
    """
    for name in dev_vars_names(env):
        if (folder / name).is_file():
            return folder / name
    if environ.get(_NO_FROM_DOT_ENV, "").lower() != "false":
        # Of these the last one wins, so a value is put where no other file can hide it.
        found = [folder / name for name in dot_env_names(env) if (folder / name).is_file()]
        if found:
            return found[-1]
    return folder / ".dev.vars"


def read_secret(file: Path, name: str) -> str | None:
    """The value of `name` in `file`, None where it has none or the file is not there. Raises ConfigError."""
    return _values(file, _parse(file)).get(name)


def put_secret(file: Path, name: str, value: str) -> SavedSecret:
    """Puts `name` into `file` as its only such line; every other line stays as it is.

    The file is replaced whole, readable by its owner only. `value` is one line of text without single quotes.

    Raises:
        ConfigError: git keeps the file, a quote in it is not closed, or it cannot be written.
    """
    if "'" in value or "\n" in value:
        raise ValueError("the value needs quotes that a dotenv file has not")
    target = file.resolve()  # a link stays a link
    warnings = list(_asked_of_git(target))
    old = _parse(target)
    if target.exists() and target.stat().st_mode & _OTHERS:
        warnings.append(f"others could read {file} until now; now only its owner may")
    text = _without(old, name)
    if text and not text.endswith("\n"):
        text += "\n"
    # References to other variables are replaced in .env, whatever its quotes.
    written = value.replace("$", "\\$") if _is_expanded(target) else value
    text += f"{name}='{written}'\n"
    new = parse_dotenv(text)
    kept = {key: found for key, found in old.values.items() if key != name}
    if {**new.values, name: value} != {**kept, name: value} or _values(target, new).get(name) != value:
        line = old.ignored[0] if old.ignored else old.text.count("\n") + 1
        raise ConfigError(
            f"{file}:{line}: a quote here or above is not closed, so a line added below would not be read; write "
            "KEY='a value'"
        )
    _replace(target, text)
    return SavedSecret(file, tuple(warnings))


def _without(parsed: ParsedDotenv, name: str) -> str:
    """The file's text without the lines that set `name`."""
    parts, position = [], 0
    for assignment in parsed.assignments:
        if assignment.name == name:
            parts.append(parsed.text[position : assignment.start])
            position = assignment.end
    return "".join([*parts, parsed.text[position:]])


def _parse(file: Path) -> ParsedDotenv:
    try:
        return parse_dotenv(file.read_text("utf-8"))
    except FileNotFoundError:
        return parse_dotenv("")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None


def _values(file: Path, parsed: ParsedDotenv) -> dict[str, str]:
    return expand(parsed.values, {}) if _is_expanded(file) else parsed.values


def _is_expanded(file: Path) -> bool:
    return not file.name.startswith(".dev.vars")


def _replace(file: Path, text: str) -> None:
    try:
        replace_file(file, text.encode())
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from error


def _asked_of_git(file: Path) -> list[str]:
    """Warnings about a file that git would take at the next `git add`. Raises ConfigError where git has it already."""
    tracked = _git(file, "ls-files", "--error-unmatch")
    if tracked == 0:
        raise ConfigError(
            f"{file}: git keeps this file, so a secret in it would be in every clone; take it out with "
            f"`git rm --cached {file.name}`, put its name into .gitignore, and try again"
        )
    if tracked == _GIT_NO and _git(file, "check-ignore", "--quiet") == _GIT_NO:
        return [f"git does not ignore {file}; put {file.name} into .gitignore, before the secret is committed"]
    return []


def _git(file: Path, *question: str) -> int | None:
    """git's exit status; None where there is no git."""
    command = ["git", "-C", str(file.parent), *question, "--", file.name]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=_GIT_SECONDS).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None
