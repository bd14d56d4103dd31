"""A configuration as it was loaded, whatever is on the disk by then."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.bindings import SecretBinding
from edgeworker.config import TLS, Certificate, Config, Worker
from edgeworker.host.loaded_config import FOLDER, keep_config, restore_config
from edgeworker.javascript.build import Build

SECRET = "a-secret-of-this-test"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "data"  # as with --persist-to data: inside of what is copied
    (folder / FOLDER).mkdir(parents=True)
    return folder


@pytest.fixture
def config(tmp_path: Path, data: Path) -> Config:
    project = data.parent
    (project / "worker.py").write_text("import other\n")
    (project / "other.py").write_text("VERSION = 1\n")
    (project / ".dev.vars").write_text(f"TOKEN={SECRET}\n")
    (project / "wrangler.toml").write_text('name = "w"\n')
    cert, key = project / "cert.pem", tmp_path / "key.pem"  # one beside the scripts, one elsewhere
    for file in (cert, key):
        file.write_text(f"the first {file.name}\n")
    worker = Worker("w", project / "worker.py", (SecretBinding("TOKEN", SECRET),))
    certificate = Certificate(cert, key)
    return Config(workers=(worker,), files=(project / "wrangler.toml",), tls=TLS((certificate,)))


def main_of(config: Config) -> Path:
    main = config.workers[0].main
    assert main is not None
    return main


def test_what_has_not_changed_is_used_where_it_is(config: Config, data: Path) -> None:
    restored = restore_config(keep_config(config, 7, data), data)

    assert (restored.config, restored.generation) == (config, 7)
    assert (restored.changed, restored.replaced) == ((), ())


def test_a_thread_may_give_way_between_files(config: Config, data: Path) -> None:
    calls: list[None] = []

    kept = keep_config(config, 7, data, give_way=lambda: calls.append(None))

    assert len(calls) >= 3 * 2  # two scripts: found, read, copied
    assert restore_config(kept, data).config == config


@pytest.mark.parametrize(
    "change",
    [
        lambda project: (project / "other.py").write_text("VERSION = (\n"),
        lambda project: (project / "other.py").unlink(),
        lambda project: (project / "new.py").write_text(""),
    ],
    ids=["another content", "gone", "one more"],
)
def test_scripts_that_have_changed_are_loaded_as_they_were(
    config: Config, data: Path, change: Callable[[Path], object]
) -> None:
    kept = keep_config(config, 0, data)
    change(data.parent)

    restored = restore_config(kept, data)

    copy = main_of(restored.config)
    assert copy.is_relative_to(data / FOLDER)
    assert copy.read_text() == "import other\n"
    assert copy.with_name("other.py").read_text() == "VERSION = 1\n"
    assert restored.changed == (data.parent,)
    assert restored.config == replace(config, workers=(replace(config.workers[0], main=copy),))


def test_a_certificate_and_its_key_that_cannot_be_used_any_more_are_read_from_memory(
    config: Config, data: Path
) -> None:
    kept = keep_config(config, 0, data)
    (before,) = config.tls.certificates
    before.cert.write_text("half of the nex")
    before.key.unlink()

    assert restore_config(kept, data).config == config  # they may have been renewed
    restored = restore_config(kept, data, files_from_memory=True)

    (certificate,) = restored.config.tls.certificates
    assert certificate.cert.read_text() == "the first cert.pem\n"
    assert certificate.key.read_text() == "the first key.pem\n"
    assert set(restored.changed) == set(restored.replaced) == {before.key, before.cert}


def test_a_log_that_a_project_writes_beside_its_scripts_is_no_change_of_them(config: Config, data: Path) -> None:
    kept = keep_config(config, 0, data)
    (data.parent / "access.log").write_text("one line\n")

    assert restore_config(kept, data).changed == ()


def test_a_configuration_file_that_has_changed_is_named(config: Config, data: Path) -> None:
    kept = keep_config(config, 0, data)
    config.files[0].write_text("name = \n")

    assert config.files[0] in restore_config(kept, data).changed


def test_no_secret_and_no_key_is_copied_to_the_disk(config: Config, data: Path) -> None:
    keep_config(config, 0, data)

    written = {file.name: file for file in (data / FOLDER).rglob("*") if file.is_file()}
    assert set(written) == {"worker.py", "other.py", "wrangler.toml"}
    assert {file.stat().st_mode & 0o777 for file in written.values()} == {0o600}


def test_the_same_scripts_are_copied_once_and_of_old_copies_a_few_stay(config: Config, data: Path) -> None:
    for number in range(20):
        (data.parent / "other.py").write_text(f"VERSION = {number}\n")
        keep_config(config, 0, data)
        keep_config(config, 0, data)

    copies = list((data / FOLDER).iterdir())
    assert 1 <= len(copies) <= 8
    assert any((copy / "other.py").read_text() == "VERSION = 19\n" for copy in copies)


def test_a_bundler_finds_its_tools_from_the_copy_too(tmp_path: Path, data: Path) -> None:
    root = tmp_path / "js"
    (root / "src").mkdir(parents=True)
    (root / "node_modules" / "esbuild").mkdir(parents=True)
    (root / "src" / "index.ts").write_text("export default {}\n")
    worker = Worker("w", root / "src" / "index.ts", javascript=Build(root, tsconfig=root / "tsconfig.json"))
    kept = keep_config(Config(workers=(worker,)), 0, data)
    (root / "src" / "index.ts").write_text("export default {\n")

    (restored,) = restore_config(kept, data).config.workers

    assert restored.main is not None
    assert restored.main.read_text() == "export default {}\n"
    assert restored.javascript is not None
    assert (restored.javascript.root / "node_modules" / "esbuild").is_dir()
    assert restored.javascript.tsconfig == restored.javascript.root / "tsconfig.json"


def test_a_project_that_is_too_large_is_refused(config: Config, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeworker.host.loaded_config._MOST_PROJECT_FILES", 2)

    with pytest.raises(ValueError, match="more than 2 files"):
        keep_config(config, 0, data)
