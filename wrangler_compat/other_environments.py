"""What is wrong in the environments that were not chosen. wrangler's commands do not look at them."""

from pathlib import Path

from edgeworker.schema.diagnostics import Diagnostics
from edgeworker.schema.wrangler_checks import as_table
from wrangler_compat.config import parse_worker
from wrangler_compat.document import ConfigFile
from wrangler_compat.entry import find_entry
from wrangler_compat.environments import choose


def check_other_environments(
    document: ConfigFile, chosen: str | None, default_script: Path, diagnostics: Diagnostics
) -> None:
    """Tells what stands in the tables of the others and is wrong; not what they do not inherit, which may be meant.

    Errors are errors if no environment was chosen; else only the chosen one counts, and they are warnings.
    """
    for name in as_table(document.values.get("env")) or {}:
        if name == chosen:
            continue
        own = Diagnostics()
        environment = choose(document, name, own, tells_inheritance=False)
        find_entry(parse_worker(environment, own), default_script, own, use_default_script=False)
        part = diagnostics.child(f'"env.{name}" environment configuration, which is not chosen')
        for message in own.walk():
            place = message.locations[0].path if message.locations else ""
            if place == f"env.{name}" or place.startswith((f"env.{name}.", f"env.{name}[")):
                tell = part.error if message.level == "error" and chosen is None else part.warning
                if message.level != "info":
                    tell(message.text, *message.locations)
