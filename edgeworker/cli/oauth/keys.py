"""`oauth keys`: the secret SIGNING_KEYS of the worker that signs, where `edgeworker dev` reads it."""

import argparse
import json
import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.cli.oauth.secret_file import SavedSecret, put_secret, read_secret, secret_file
from edgeworker.cli.output import Output, format_minute
from edgeworker.errors import ConfigError
from edgeworker.host.issuer_scripts import SigningKeys

if TYPE_CHECKING:
    from issuer.keys import ServerKey, ServerKeySet

NAME: Final = "SIGNING_KEYS"
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SIGNER: Final = "token_worker"  # the script that signs; without -c its configuration is looked for


@dataclass(frozen=True, slots=True)
class Signer:
    """`config` is the wrangler file of the worker that signs, as a person writes it after -c."""

    config: Path
    file: Path


def run(options: argparse.Namespace) -> int:
    from edgeworker.clock import SystemClock

    now, keys, out, err = SystemClock().now(), SigningKeys(), Output.for_stream(), Output.for_stream(sys.stderr)
    signer = _signer(options)
    match options.action:
        case "init":
            ring = _new(keys, signer, options.alg, now)
            _tell(out, err, options, signer, ring, put_secret(signer.file, NAME, keys.dump(ring)), now)
        case "rotate":
            ring = rotate_keys(keys, _read_keys(keys, signer), options, now)
            _tell(out, err, options, signer, ring, put_secret(signer.file, NAME, keys.dump(ring)), now)
        case _:
            _show(out, keys, options, signer, now)
    return 0


def seconds(text: str) -> int:
    """Of "90s", "15m", "2h", "1d". Raises ConfigError."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise ConfigError(f'--overlap "{text}" is not a duration; use one such as 90s, 15m, 2h or 1d')
    return int(found[1]) * _SECONDS[found[2]]


def rotate_keys(keys: SigningKeys, ring: "ServerKeySet", options: argparse.Namespace, now: int) -> "ServerKeySet":
    """With --now the old keys go at once: what they signed is worth nothing any more."""
    if options.now:
        return keys.new(dict.fromkeys(key.alg for key in ring.keys), now=now)
    return keys.rotate(ring, now=now, overlap_seconds=seconds(options.overlap))


def state(key: "ServerKey", ring: "ServerKeySet", now: int) -> str:
    """What a key does, in words."""
    if key.exp is not None and key.exp <= now:
        return f"over since {format_minute(key.exp)}"
    published = "" if key.exp is None else f"published until {format_minute(key.exp)}"
    if key.nbf > now:
        return ", ".join(filter(None, [f"published, signs from {format_minute(key.nbf)}", published]))
    same = [each for each in ring.keys if each.alg == key.alg]
    if any(key.nbf < each.nbf <= now for each in same):
        return published or "published"
    next_one = min((each.nbf for each in same if each.nbf > now), default=None)
    signs = "signs" if next_one is None else f"signs until {format_minute(next_one)}"
    return ", ".join(filter(None, [signs, published]))


def _new(keys: SigningKeys, signer: Signer, algorithms: list[str], now: int) -> "ServerKeySet":
    if read_secret(signer.file, NAME):
        raise ConfigError(
            f"{signer.file} has {NAME} already, and tokens that those keys signed would be worth nothing; to replace "
            "them: edgeworker oauth keys rotate"
        )
    try:
        return keys.new(algorithms or ("RS256", "ES256"), now=now)
    except keys.bad as error:
        raise ConfigError(f"--alg: {error}") from None


def _read_keys(keys: SigningKeys, signer: Signer) -> "ServerKeySet":
    text = read_secret(signer.file, NAME)
    if not text:
        raise ConfigError(f"{signer.file} has no {NAME}; make it with: edgeworker oauth keys init -c {signer.config}")
    try:
        return keys.parse(text)
    except keys.bad as error:
        raise ConfigError(f"{signer.file}: {error}") from None


def _show(out: Output, keys: SigningKeys, options: argparse.Namespace, signer: Signer, now: int) -> None:
    ring = _read_keys(keys, signer)
    if options.private:
        if sys.stdout.isatty():
            raise ConfigError("--private prints the private keys, which a screen must not show: use a pipe")
        out.line(keys.dump(ring))
    elif options.jwks:
        out.line(json.dumps(keys.public(ring, now=now), indent=2))
    elif options.json:
        out.line(json.dumps(_list_keys(ring, now), indent=2))
    else:
        out.table(("kid", "alg", ""), [(key.kid, key.alg, state(key, ring, now)) for key in ring.keys])


def _list_keys(ring: "ServerKeySet", now: int) -> list[dict[str, object]]:
    return [
        {"kid": key.kid, "alg": key.alg, "nbf": key.nbf, "exp": key.exp, "state": state(key, ring, now)}
        for key in ring.keys
    ]


def _tell(
    out: Output,
    err: Output,
    options: argparse.Namespace,
    signer: Signer,
    ring: "ServerKeySet",
    kept: SavedSecret,
    now: int,
) -> None:
    for warning in kept.warnings:
        err.warning(warning)
    if options.json:
        out.line(json.dumps({"file": str(kept.file), "keys": _list_keys(ring, now)}, indent=2))
        return
    out.ok(f"{NAME} is in {kept.file}, which only you can read")
    out.table(("kid", "alg", ""), [(key.kid, key.alg, state(key, ring, now)) for key in ring.keys])
    config = shlex.quote(str(signer.config))
    out.line()
    out.line("On Cloudflare:")
    out.line(f"  edgeworker oauth keys show --private -c {config} | npx wrangler secret put {NAME} -c {config}")


def _signer(options: argparse.Namespace) -> Signer:
    """Raises ConfigError where it is not clear which worker signs."""
    config = options.config
    if config is None:
        config = _find_token_worker()
    elif not config.is_file():
        raise ConfigError(f"-c {config}: there is no such file")
    return Signer(config, secret_file(config.parent, options.env, os.environ))


def _find_token_worker() -> Path:
    """The one worker here whose script is the token worker."""
    from edgeworker.host.bundled import DEFAULT_SCRIPT, script
    from wrangler_compat import LoadOptions, load

    # This command does not look at what else is wrong with the configuration.
    config = load(LoadOptions(default_script=script(DEFAULT_SCRIPT) / "worker.py", environ=os.environ)).config
    found = [
        Path(worker.source)
        for worker in config.workers
        if worker.main is not None and worker.main.stem == _SIGNER and Path(worker.source).is_file()
    ]
    if len(found) != 1:
        named = ", ".join(str(file) for file in found) or f"no worker here has the script {_SIGNER}.py"
        raise ConfigError(f"name the worker that signs with -c, its wrangler.toml ({named})")
    return found[0]
