from pathlib import Path

import pytest

from edgeworker.cli.kv.wrangler_state import entries, namespaces
from edgeworker.errors import ConfigError
from edgeworker.kv.namespace import KeyValuePair
from tests.cli.kv.wrangler_layout import make_wrangler_state


@pytest.mark.parametrize("given", [".", ".wrangler", ".wrangler/state", ".wrangler/state/v3/kv"])
def test_any_folder_above_the_layout_will_do(tmp_path: Path, given: str) -> None:
    make_wrangler_state(tmp_path / ".wrangler/state/v3/kv", {"b": {}, "a": {"k": (b"v", 60_999, '"m"')}})

    assert namespaces(tmp_path / given) == ["a", "b"]
    assert list(entries(tmp_path / given, "a")) == [KeyValuePair("k", b"v", expiration=60, metadata="m")]
    assert list(entries(tmp_path / given, "b")) == []


def test_a_file_that_is_not_a_database_is_told(tmp_path: Path) -> None:
    make_wrangler_state(tmp_path, {"a": {}})
    (tmp_path / "miniflare-KVNamespaceObject" / "x.sqlite").write_bytes(b"no database" * 100)

    with pytest.raises(ConfigError, match=r"x\.sqlite: cannot be read as wrangler's local KV"):
        list(entries(tmp_path, "a"))
