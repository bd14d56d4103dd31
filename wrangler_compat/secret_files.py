"""Finds and reads the files that hold a worker's secrets: `.dev.vars`, `.env` and their relatives."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from edgeworker.errors import ConfigError
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from wrangler_compat.discovery import short
from wrangler_compat.variables import dev_vars_names, dot_env_names

_LOAD_DOT_ENV: Final = "CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV"
_INCLUDE_PROCESS: Final = "CLOUDFLARE_INCLUDE_PROCESS_ENV"
_MAX_TOLD_LINES: Final = 5


class SecretFiles:
    """`named` are the files of `--env-file`, which replace the search; `read_text` reads a file or tells an error."""

    def __init__(
        self,
        cwd: Path,
        named: Sequence[Path],
        environ: Mapping[str, str],
        read_text: Callable[[Path, Diagnostics], str | None],
    ) -> None:
        self._cwd = cwd
        self._named = named
        self._environ = environ
        self._read_text = read_text
        self.used: dict[str, None] = {}  # names of the files that were read, and "process.env", in order

    def read(
        self, folder: Path, env: str | None, required: Sequence[str] | None, diagnostics: Diagnostics
    ) -> Mapping[str, str] | None:
        """The values for a worker whose configuration is in `folder`; None if nothing was looked at.

        `required` (`secrets.required`) brings the process environment in, as wrangler does.
        """
        if not self._named:
            for name in dev_vars_names(env):
                if (folder / name).is_file():
                    return self._parse_file(folder / name, diagnostics)
            if self._environ.get(_LOAD_DOT_ENV, "").lower() == "false":
                return None
        files = self._named_files(folder, diagnostics) if self._named else _existing(folder, env)
        values: dict[str, str] = {}
        for file in files:
            values.update(self._parse_file(file, diagnostics))
        with_process = required is not None or self._environ.get(_INCLUDE_PROCESS, "").lower() == "true"
        process: dict[str, str] = {}
        try:
            if with_process:
                self.used["process.env"] = None
                # What is asked for by its name may be there and not in the list: `serve` looks for NAME_FILE then.
                process |= {name: self._environ[name] for name in required or () if name in self._environ}
                process |= self._environ
            return {**process, **_expand(values, process)}
        except ConfigError as error:
            diagnostics.error(str(error), *(SourceLocation(short(file, self._cwd)) for file in files))
            return process

    def _parse_file(self, file: Path, diagnostics: Diagnostics) -> dict[str, str]:
        text = self._read_text(file, diagnostics)
        if text is None:
            return {}
        name = short(file, self._cwd)
        self.used[name] = None
        from wrangler_compat.dotenv import parse_dotenv

        parsed = parse_dotenv(text)
        if parsed.ignored:
            # The lines may hold a secret: they are not shown.
            diagnostics.warning(
                'This is not KEY=value and sets nothing, as in wrangler. Write KEY=value, KEY="a value", or # and a '
                "comment.",
                *(SourceLocation(name, line) for line in parsed.ignored[:_MAX_TOLD_LINES]),
            )
        return parsed.values

    def _named_files(self, folder: Path, diagnostics: Diagnostics) -> list[Path]:
        """wrangler looks beside the configuration; a person who stands elsewhere means a file here."""
        files = []
        for name in self._named:
            file = next((place / name for place in (folder, self._cwd) if (place / name).is_file()), None)
            if file is None:
                diagnostics.error(f'There is no file "{name}".', SourceLocation("--env-file"))
            else:
                files.append(file)
        return files


def _expand(values: Mapping[str, str], process: Mapping[str, str]) -> Mapping[str, str]:
    """Raises ConfigError."""
    if not values:
        return {}
    from wrangler_compat.dotenv import expand  # most projects have no such file

    return expand(values, process)


def _existing(folder: Path, env: str | None) -> list[Path]:
    return [folder / name for name in dot_env_names(env) if (folder / name).is_file()]
