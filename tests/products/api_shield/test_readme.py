"""What the README shows is taken as it is, without a warning."""

import json
import re
from pathlib import Path

import pytest

import edgeworker.products.api_shield
from edgeworker.products.api_shield.tables import shield_of
from tests.products.api_shield.minting import signing_key
from wrangler_compat import LoadOptions, load

README = Path(edgeworker.products.api_shield.__file__).with_name("README.md")
FRONT_PAGE = Path(__file__).parents[3] / "README.md"


def _tables(page: Path) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "text",
    ["\n".join(_tables(README)), next(text for text in _tables(FRONT_PAGE) if "[zones.api_shield]" in text)],
    ids=["all of the product's page", "the front page"],
)
def test_the_tables_are_a_configuration(text: str, tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(text)
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [signing_key("RS256").jwk()]}))

    loaded = load(LoadOptions(default_script=tmp_path / "worker.py", cwd=tmp_path))
    shield = shield_of(loaded.require().zones[0])

    assert shield is not None
    assert len(shield.rules) == 1
    assert loaded.diagnostics.blocks("warning") == []
