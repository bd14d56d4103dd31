import stat
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.host.datadir import DataDir


def test_the_directory_and_the_token_are_the_owners_alone(tmp_path: Path) -> None:
    data = DataDir.open(tmp_path / "a" / "data")

    token = data.api_token()

    assert stat.S_IMODE(data.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(data.api_token_file.stat().st_mode) == 0o600
    assert len(token) >= 43
    assert DataDir.open(data.path).api_token() == token


def test_a_directory_that_others_can_write_is_refused(tmp_path: Path) -> None:
    open_to_all = tmp_path / "data"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)

    with pytest.raises(StoreError, match="chmod go-w"):
        DataDir.open(open_to_all)


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    data = DataDir.open(tmp_path / "data")
    data.api_token()
    data.api_token_file.chmod(0o644)

    with pytest.raises(StoreError, match="chmod 600"):
        data.api_token()


def test_an_empty_token_is_refused(tmp_path: Path) -> None:
    data = DataDir.open(tmp_path / "data")
    data.api_token_file.touch(mode=0o600)

    with pytest.raises(StoreError, match="is empty"):
        data.api_token()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")

    with pytest.raises(StoreError, match="is a file"):
        DataDir.open(tmp_path / "data")
