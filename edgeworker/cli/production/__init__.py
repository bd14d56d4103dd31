"""`edgeworker check --production`: what an operator would regret about a configuration and how it is run."""

import json
import os
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgeworker.cli.kv.options import TOKEN_VARIABLE
from edgeworker.cli.output import Output
from edgeworker.cli.run_options import apply_options

if TYPE_CHECKING:
    from edgeworker.cli.production.finding import Finding
    from edgeworker.config import Config
    from edgeworker.schema.diagnostics import Diagnostics


def audit(config: "Config", options: Namespace, *, now: int) -> "list[Finding]":
    """Errors first. `options` are those of a run (see edgeworker.cli.run_options)."""
    from edgeworker.cli.production.files import audit_files
    from edgeworker.cli.production.machine import audit_machine, read_machine
    from edgeworker.cli.production.settings import Run, audit_settings

    given, kept = options.api_token or "", os.environ.get(TOKEN_VARIABLE, "")
    run = Run(
        api_token=given or kept,
        api_token_place="--api-token" if given else f"${TOKEN_VARIABLE}",
        trace=options.trace,
        error_details=not options.no_error_details,
        is_root=os.name == "posix" and os.geteuid() == 0,
    )
    config = apply_options(config, options)
    data = options.persist_to
    found = [
        *audit_settings(config, run),
        *audit_files(config, data, now=now),
        *audit_machine(config, data, read_machine(data, now=now)),
    ]
    return sorted(found, key=lambda finding: finding.severity != "error")


def configuration_errors(diagnostics: "Diagnostics") -> "list[Finding]":
    """The errors that keep a configuration from being audited at all."""
    from edgeworker.cli.production.finding import Finding

    return [
        Finding(
            "error",
            "configuration",
            ", ".join(map(str, message.locations)) or "the configuration",
            message.text,
            "the edge does not start with it, and nothing else was looked at",
            "mend it",
        )
        for message in diagnostics.of("error")
    ]


def show(findings: "Sequence[Finding]", out: Output) -> None:
    """For a person."""
    for finding in findings:
        tell = out.error if finding.severity == "error" else out.warning
        tell(f"{finding.where}: {finding.what}")
        out.prose(f"    why:   {finding.why}", hanging=7)
        out.prose(f"    right: {finding.right}", hanging=7)
    errors = sum(finding.severity == "error" for finding in findings)
    text = f"production: {errors} to mend, {len(findings) - errors} to think about"
    (out.fail if errors else out.ok)(text if findings else "production: nothing to regret")


def show_json(findings: "Sequence[Finding]") -> None:
    """One object on stdout."""
    errors = sum(finding.severity == "error" for finding in findings)
    document = {"findings": [asdict(one) for one in findings], "errors": errors, "warnings": len(findings) - errors}
    print(json.dumps(document, indent=2, ensure_ascii=False))
