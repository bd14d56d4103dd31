"""A folder with configuration files, and what comes out of loading it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edgeworker.config import Binding, Config, Worker
from edgeworker.javascript.settings import JavaScriptEngine
from edgeworker.schema.diagnostics import Diagnostics, Level
from wrangler_compat import Loaded, LoadOptions, load
from wrangler_compat.document import ConfigFile, parse_document

DEFAULT_SCRIPT: Final = Path("/builtin/split_token/worker.py")
HEAD: Final = """\
name = "w"
main = "worker.py"
compatibility_date = "2026-01-01"
compatibility_flags = ["python_workers"]
"""


@dataclass(frozen=True, slots=True)
class Project:
    folder: Path

    def write(self, name: str, text: str = "") -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def worker(self, text: str = "", name: str = "wrangler.toml") -> Path:
        """A good wrangler.toml with `text` behind it, and its worker.py."""
        file = self.write(name, HEAD + text)
        file.with_name("worker.py").touch()
        return file

    def options(self) -> LoadOptions:
        return LoadOptions(DEFAULT_SCRIPT, cwd=self.folder)

    def load(
        self,
        *configs: str,
        edge: str | None = None,
        env: str | None = None,
        environ: Mapping[str, str] | None = None,
        variables: tuple[str, ...] = (),
        env_files: tuple[str, ...] = (),
        use_default_script: bool = False,
        origin: str | None = None,
        preview: bool = False,
        for_deployment: bool = False,
        js_engine: JavaScriptEngine | None = None,
        workerd: str | None = None,
        cwd: str = ".",
    ) -> Loaded:
        return load(
            replace(
                self.options(),
                cwd=self.folder / cwd,
                configs=tuple(Path(config) for config in configs),
                edge=None if edge is None else Path(edge),
                env=env,
                environ=environ or {},
                variables=variables,
                env_files=tuple(Path(file) for file in env_files),
                use_default_script=use_default_script,
                origin=origin,
                preview=preview,
                for_deployment=for_deployment,
                js_engine=js_engine,
                workerd=None if workerd is None else Path(workerd),
            )
        )

    def config(self, text: str = "", **files: str) -> Config:
        """The configuration of one worker, which must have no error."""
        self.worker(text)
        for name, content in files.items():
            self.write(name, content)
        return self.load().require()


def only(config: Config) -> Worker:
    (worker,) = config.workers
    return worker


def bindings(worker: Worker) -> dict[str, Binding]:
    return {binding.name: binding for binding in worker.bindings}


def texts(loaded: Loaded, level: Level) -> list[str]:
    return [message.text for message in loaded.diagnostics.of(level)]


def places(loaded: Loaded, level: Level) -> list[str]:
    return [str(location) for message in loaded.diagnostics.of(level) for location in message.locations]


def document(text: str, file: str = "wrangler.toml") -> ConfigFile:
    found = parse_document(text, Path("/project") / file, file, Diagnostics())
    assert found is not None, "the text of this test is not what it should be"
    return found
