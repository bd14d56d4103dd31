"""A key set that changes while `edgeworker dev` runs."""

import json
import time
from pathlib import Path

from tests.cli.running import dev
from tests.products.api_shield.minting import MintingKey, mint, signing_key

EDGE = """\
[[zones]]
name = "example.com"
origin = "http://127.0.0.1:9"

[zones.api_shield]
operations = ["GET api.example.com/users/{id}"]

[[zones.api_shield.token_configurations]]
id = "idp"
jwks_file = "keys.json"

[[zones.api_shield.rules]]
title = "users need a token"
token_configurations = ["idp"]
"""


def test_a_changed_key_set_counts_without_a_restart(tmp_path: Path) -> None:
    old, new = signing_key("ES256", "old"), signing_key("ES256", "new")
    (tmp_path / "edge.toml").write_text(EDGE)
    _publish(tmp_path, old)

    with dev(cwd=tmp_path) as edge:

        def is_blocked(key: MintingKey) -> bool:
            token = mint(key, {"sub": "ann", "exp": int(time.time()) + 600})
            return edge.get("api.example.com", "/users/7", headers={"Authorization": f"Bearer {token}"}).status == 403

        assert [is_blocked(key) for key in (old, new)] == [False, True]
        _publish(tmp_path, old, new)
        edge.wait_for("reloaded")
        assert [is_blocked(key) for key in (old, new)] == [False, False]

        (tmp_path / "keys.json").write_text("{")
        said = edge.wait_for("keeps serving")
        assert [is_blocked(key) for key in (old, new)] == [False, False]

    assert "keys.json" in said


def _publish(folder: Path, *keys: MintingKey) -> None:
    (folder / "keys.json").write_text(json.dumps({"keys": [key.jwk() for key in keys]}))
