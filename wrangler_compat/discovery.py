"""Finds wrangler's configuration file as wrangler does: by walking up, and along a build tool's redirection.

Source: wrangler 4.164.0, https://developers.cloudflare.com/workers/wrangler/configuration/#generated-wrangler-configuration
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from edgeworker.schema.wrangler_checks import as_table
from wrangler_compat.document import parse_document, read_text

# In this order, each through all folders upward, so that a wrangler.json far above beats a wrangler.toml right here.
NAMES: Final = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")
REDIRECT: Final = Path(".wrangler/deploy/config.json")


@dataclass(frozen=True, slots=True)
class Discovered:
    """`file` None: there is none at any level. `redirected`: a build tool wrote `file`. `read` is what was opened.

    `folder` is where `.dev.vars` and the like are looked for: that of the user's own file.
    """

    file: Path | None
    folder: Path
    redirected: bool = False
    read: tuple[Path, ...] = ()


def short(file: Path, cwd: Path) -> str:
    """`file` as messages call it: relative to `cwd`, as wrangler does."""
    return os.path.relpath(file, cwd)


def discover(cwd: Path, diagnostics: Diagnostics) -> Discovered:
    """The file for a command that is run in `cwd` without `-c`."""
    found = next((file for name in NAMES for file in _upward(cwd, name)), None)
    if found is not None:
        _warn_about_nearer(found, cwd, diagnostics)
    redirect = next(_upward(cwd, REDIRECT), None)
    if redirect is None:
        return Discovered(found, cwd if found is None else found.parent)
    target = _target(redirect, found, cwd, diagnostics)
    return Discovered(target, redirect.parents[2], redirected=target is not None, read=(redirect,))


def _upward(cwd: Path, name: str | Path) -> Iterator[Path]:
    return (folder / name for folder in (cwd, *cwd.parents) if (folder / name).is_file())


def _warn_about_nearer(found: Path, cwd: Path, diagnostics: Diagnostics) -> None:
    depth = len(found.parent.parts)
    lost = [file for name in NAMES for file in _upward(cwd, name) if file != found and len(file.parent.parts) >= depth]
    if lost:
        nearest = max(lost, key=lambda file: len(file.parent.parts))
        diagnostics.warning(
            f"{short(found, cwd)} is used, not {short(nearest, cwd)}: wrangler looks through all parent folders for "
            f"{NAMES[0]}, then for {NAMES[1]}, and only then for {NAMES[2]}. Choose one with -c.",
            SourceLocation(short(found, cwd)),
            SourceLocation(short(nearest, cwd)),
        )


def _target(redirect: Path, found: Path | None, cwd: Path, diagnostics: Diagnostics) -> Path | None:
    """The file that the redirection points to, or None, with an error told."""
    name = short(redirect, cwd)
    part = Diagnostics()
    text = read_text(redirect, name, part)
    document = None if text is None else parse_document(text, redirect, name, part)
    if document is None:
        diagnostics.error(f"Failed to parse the deploy configuration file at {name}")
        diagnostics.messages += part.messages
        return None
    configured = (as_table(document.values) or {}).get("configPath")
    if not isinstance(configured, str) or not configured:
        diagnostics.error(
            f'A deploy configuration file was found at "{name}".\n'
            'But this is not valid - the required "configPath" property was not found.',
            SourceLocation(name),
        )
        return None
    target = (redirect.parent / configured).resolve()
    if not target.is_file():
        diagnostics.error(
            f'There is a deploy configuration at "{name}".\n'
            f'But the redirected configuration path it points to, "{short(target, cwd)}", does not exist.',
            document.locate(("configPath",)),
        )
        return None
    if found is not None and found.parent / REDIRECT != redirect:
        diagnostics.error(
            f'Found both a user configuration file at "{short(found, cwd)}"\n'
            f'and a deploy configuration file at "{name}".\n'
            "But these do not share the same base path so it is not clear which should be used.\n"
            f'Delete "{name}" if it is left over from a previous build, or choose a file with -c.',
            SourceLocation(name),
        )
        return None
    return target
