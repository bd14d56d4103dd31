"""The file from which `edgeworker dev` reads a worker's secrets, and how one of them is put there.

Source for which file it is: wrangler_compat/secret_files.py, which reads it.
"""

import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv.parser import Binding, parse_stream

from edgeworker.errors import ConfigError
from edgeworker.files import replace_file
from wrangler_compat.variables import dev_vars_names, dot_env_names

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_GIT_SECONDS: Final = 10
# git's answers: what was asked for does not hold; and: there is no repository (or git will not look at it).
_GIT_NO: Final = 1
_NO_FROM_DOT_ENV: Final = "CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV"


@dataclass(frozen=True, slots=True)
class Kept:
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
    values = {line.key: line.value or "" for line in _lines(file) if line.key is not None}
    return values.get(name)


def put_secret(file: Path, name: str, value: str) -> Kept:
    """Puts `name` into `file` as its only such line; every other line stays as it is.

    The file is replaced whole, readable by its owner only. `value` is one line of text without single quotes.

    Raises:
        ConfigError: git keeps the file, a line of it is not KEY=value, or it cannot be written.
    """
    if "'" in value or "\n" in value:
        raise ValueError("the value needs quotes that a dotenv file has not")
    target = file.resolve()  # a link stays a link
    warnings = list(_asked_of_git(target))
    lines = _lines(target)
    if target.exists() and target.stat().st_mode & _OTHERS:
        warnings.append(f"others could read {file} until now; now only its owner may")
    kept = [_without(line) if line.key == name else line.original.string for line in lines]
    text = "".join(kept)
    if text and not text.endswith("\n"):
        text += "\n"
    # Within single quotes nothing is expanded, neither here nor by wrangler.
    _replace(target, f"{text}{name}='{value}'\n")
    return Kept(file, tuple(warnings))


def _without(line: Binding) -> str:
    """What stays of a line that goes: the empty lines before it."""
    text = line.original.string
    before = text[: len(text) - len(text.lstrip())]
    return before[: before.rfind("\n") + 1]


def _lines(file: Path) -> list[Binding]:
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None
    lines = list(parse_stream(StringIO(text)))
    for line in lines:
        if line.error:
            raise ConfigError(
                f'{file}:{line.original.line}: this line is not KEY=value; write KEY=value, KEY="a value", or # and a '
                "comment"
            )
    return lines


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
