import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgeworker.files import (
    Draft,
    create_file,
    draft_of,
    is_of_running_process,
    make_folder,
    open_or_create,
    replace_file,
    write_once,
)


def test_a_replaced_file_has_the_new_content_and_its_owner_alone_reads_it(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.write_bytes(b"old")
    place.chmod(0o644)

    replace_file(place, b"new")

    assert place.read_bytes() == b"new"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a"]


def test_the_old_file_stays_where_the_new_one_cannot_be_finished(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.write_bytes(b"old")

    def fail() -> None:
        with draft_of(place) as draft:
            draft.file.write(b"half of")
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()

    assert place.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_who_reads_the_file_meanwhile_reads_the_old_one_whole(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.write_bytes(b"old")

    with draft_of(place) as draft:
        draft.file.write(b"new")
        draft.file.flush()
        assert place.read_bytes() == b"old"

    assert place.read_bytes() == b"new"


def test_a_place_that_cannot_be_taken_leaves_no_draft(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    place.mkdir()
    (place / "inside").touch()

    with pytest.raises(OSError, match="directory"):
        replace_file(place, b"x")

    assert os.listdir(tmp_path) == ["folder"]


def test_of_several_that_write_once_at_the_same_time_one_succeeds(tmp_path: Path) -> None:
    place = tmp_path / "token"
    barrier = threading.Barrier(8)
    made: list[int] = []

    def write(number: int) -> None:
        barrier.wait()
        if write_once(place, str(number).encode()):
            made.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert place.read_bytes() == str(made[0]).encode()
    assert os.listdir(tmp_path) == ["token"]


def test_a_draft_takes_no_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "draft").write_bytes(b"another's")

    with pytest.raises(FileExistsError):
        Draft(tmp_path / "draft")

    assert (tmp_path / "draft").read_bytes() == b"another's"


def test_a_file_is_made_with_its_folder_for_the_owner_alone(tmp_path: Path) -> None:
    create_file(tmp_path / "data" / "kv.sqlite")
    (tmp_path / "data" / "kv.sqlite").write_bytes(b"content")
    create_file(tmp_path / "data" / "kv.sqlite")

    assert (tmp_path / "data" / "kv.sqlite").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "kv.sqlite").stat().st_mode) == 0o600


def test_a_file_of_a_process_is_known_by_its_name() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    assert is_of_running_process(Path(f"{os.getpid()}.json"))
    assert not is_of_running_process(Path(f"{ended.pid}.json"))
    assert not is_of_running_process(Path(f"{10**30}.json"))
    with pytest.raises(ValueError, match="other"):
        is_of_running_process(Path("other.json"))


def test_each_folder_that_is_made_is_for_the_owner_alone_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_folder(tmp_path / "run" / "metrics" / "deep")
        make_folder(tmp_path / "run" / "metrics")
    finally:
        os.umask(before)

    made = (tmp_path / "run", tmp_path / "run" / "metrics", tmp_path / "run" / "metrics" / "deep")
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in made] == [0o700] * 3


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_in_a_folder_of_a_service_belongs_to_the_service(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    os.chown(data, 4711, 4712)

    create_file(data / "kv.sqlite")
    replace_file(data / "api-token", b"t")
    write_once(data / "once", b"t")
    make_folder(data / "run" / "metrics")
    os.close(open_or_create(data / "lock"))

    owners = {(path.stat().st_uid, path.stat().st_gid) for path in data.rglob("*")}
    assert len(list(data.rglob("*"))) == 6
    assert owners == {(4711, 4712)}


def test_a_file_is_opened_where_it_is_and_made_where_it_is_not(tmp_path: Path) -> None:
    for content in (b"", b"kept"):
        descriptor = open_or_create(tmp_path / "mark")
        assert os.read(descriptor, 10) == content
        os.pwrite(descriptor, b"kept", 0)
        os.close(descriptor)
    assert stat.S_IMODE((tmp_path / "mark").stat().st_mode) == 0o600


@pytest.mark.parametrize("names", ["a file", "nothing"])
def test_a_link_in_the_place_of_a_file_of_the_edge_is_refused(tmp_path: Path, names: str) -> None:
    other = tmp_path / "other"
    if names == "a file":
        other.write_text("of another user")
    (tmp_path / "lock").symlink_to(other)

    with pytest.raises(OSError, match="symbolic link"):
        open_or_create(tmp_path / "lock")
