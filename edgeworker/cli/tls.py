"""Makes and shows the local certificate authority, with which https works on this machine.

It is kept in the data directory and made once. `edgeworker dev --https` is served with a certificate that it signs for
every host of the configuration; other names are added with --san.

examples:
  edgeworker tls init --san api.cloudflare.com --san '*.cloudflareaccess.com'
  edgeworker tls show                        what there is, and how to make programs trust it
  edgeworker tls export --out edgeworker-ca.pem
  curl --cacert "$(edgeworker tls show --path)" https://localhost:8443/
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from edgeworker.host.tls.authority import Authority, IssuedCertificate


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="tls_command", metavar="ACTION", required=True)
    init = commands.add_parser("init", help="make the authority where there is none, and a certificate for every host")
    init.add_argument(
        "--san",
        action="append",
        default=[],
        metavar="NAME",
        help="another host, *.host or address to stand in every certificate from now on; may be repeated",
    )
    show = commands.add_parser("show", help="the authority, its certificate, and how to trust it")
    show.add_argument("--path", action="store_true", help="print the path of the authority's certificate and no more")
    export = commands.add_parser("export", help="the authority's certificate, to give to others")
    export.add_argument("--out", type=Path, metavar="FILE", help="write it here (default: standard output)")
    export.add_argument("--der", action="store_true", help="binary instead of PEM; needs --out")
    add_config_options(init)
    for command in (init, show, export):
        command.add_argument(
            "--persist-to", type=Path, default=Path(".edgeworker"), metavar="DIR", help="data directory (%(default)s)"
        )


def run(options: argparse.Namespace) -> int:
    match options.tls_command:
        case "init":
            _init(options)
        case "show":
            _show(options)
        case _:
            _export(options)
    return 0


def _init(options: argparse.Namespace) -> None:
    from edgeworker.clock import SystemClock
    from edgeworker.host.datadir import DataDir
    from edgeworker.host.tls.authority import Authority
    from edgeworker.host.tls.x509 import checked_name
    from edgeworker.routing import served_names
    from wrangler_compat import load

    out, now = Output.for_stream(), SystemClock().now()
    for name in options.san:
        checked_name(name)
    config = load(load_options(options)).require()
    authority, is_new = Authority.made(DataDir.open(options.persist_to).path, now=now)
    authority.add_names(options.san)
    issued = authority.issued(served_names(config), now=now)
    out.ok("made a local certificate authority" if is_new else "the local certificate authority is there already")
    _tell(out, authority, issued)


def _show(options: argparse.Namespace) -> None:
    authority = _open_authority(options.persist_to)
    if options.path:
        print(authority.certificate_file)
        return
    _tell(Output.for_stream(), authority, authority.last())


def _export(options: argparse.Namespace) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    certificate = _open_authority(options.persist_to).certificate
    if options.der and options.out is None:
        raise ConfigError("--der is binary, which a terminal cannot show: add --out FILE")
    content = certificate.public_bytes(Encoding.DER if options.der else Encoding.PEM)
    if options.out is None:
        sys.stdout.write(content.decode("ascii"))
        return
    try:
        options.out.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"--out: {options.out} cannot be written: {error.strerror}") from error
    Output.for_stream().ok(f"wrote {options.out}")


def _open_authority(data: Path) -> "Authority":
    from edgeworker.clock import SystemClock
    from edgeworker.host.tls.authority import Authority

    authority = Authority.open(data, now=SystemClock().now())
    if authority is None:
        raise ConfigError(f"{data}: there is no local certificate authority; make it with: edgeworker tls init")
    return authority


def _tell(out: Output, authority: "Authority", issued: "IssuedCertificate | None") -> None:
    from cryptography.hazmat.primitives import hashes

    from edgeworker.cli import trust
    from edgeworker.server.certificates import format_moment

    certificate = authority.certificate
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    rows = [
        ["authority", certificate.subject.rfc4514_string()],
        ["valid until", format_moment(authority.facts.not_after)],
        ["SHA-256", fingerprint],
        ["certificate", str(authority.certificate_file)],
    ]
    if issued is not None:
        rows.append(["signed for", ", ".join(issued.facts.names)])
        rows.append(
            [
                "until",
                f"{format_moment(issued.facts.not_after)}; renewed by itself from {format_moment(issued.renew_at)}",
            ]
        )
    out.table(["", ""], rows)
    out.line()
    out.heading("To trust it:")
    for program, lines in trust.steps(authority.certificate_file.resolve()):
        out.line(f"  {program}")
        for line in lines:
            out.line(f"    {line}")
    out.line()
    out.note(
        f"Keep {authority.folder / 'ca.key'} to yourself: with it a program can pass for any server towards programs "
        "that trust this authority."
    )
