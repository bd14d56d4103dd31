import os
from pathlib import Path

from edgeworker.config import Config, OriginTLS, Outbound, Zone
from edgeworker.host.file_states import origin_files, states


def test_what_is_written_again_replaced_or_removed_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    seen = [states([file])]
    file.write_text("one")
    seen.append(states([file]))
    file.write_text("other")
    seen.append(states([file]))
    (tmp_path / "draft").write_text("third")
    (tmp_path / "draft").replace(file)
    seen.append(states([file]))

    assert len(set(seen)) == 4
    assert states([file]) == seen[-1]


def test_a_link_that_is_switched_has_changed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cert.pem").write_text(name)
        os.utime(tmp_path / name / "cert.pem", (1, 1))
    (tmp_path / "live").symlink_to("one")
    before = states([tmp_path / "live" / "cert.pem"])
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").replace(tmp_path / "live")

    assert states([tmp_path / "live" / "cert.pem"]) != before


def test_the_files_of_origins_are_each_there_once() -> None:
    ca, cert, key = Path("/ca"), Path("/cert"), Path("/key")
    zone = Zone("a.example", "z", origin_tls=OriginTLS(ca, True, cert, key))
    config = Config(zones=(zone,), outbound=Outbound(ca_file=ca), origin_tls=OriginTLS(ca_file=Path("/other")))

    assert origin_files(config) == (ca, Path("/other"), cert, key)
    assert origin_files(Config()) == ()
