"""What was read of wrangler's files and edge.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeworker.config import Config
from edgeworker.errors import ConfigError
from edgeworker.schema.diagnostics import Diagnostics


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """The wrangler file that a worker is configured in, and the environments that it has."""

    file: Path
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """`config` is complete if `diagnostics` has no error; `config.files` lists what was read in either case.

    `secret_sources` names the files that secrets were read from (and "process.env"), as wrangler tells them. `sources`
    says by the names of workers where each is configured; a worker without a configuration is not in it.
    """

    config: Config
    diagnostics: Diagnostics
    secret_sources: tuple[str, ...] = ()
    sources: Mapping[str, ConfigSource] = field(default_factory=dict)

    def require(self) -> Config:
        """Raises ConfigError with all errors, as wrangler words them."""
        if self.diagnostics.has_errors:
            raise ConfigError(self.diagnostics.render("error"))
        return self.config
