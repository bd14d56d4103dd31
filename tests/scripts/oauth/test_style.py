"""The stylesheet: readable colours in both schemes, and an address that changes with it."""

import base64
import hashlib
import re

import pytest

from issuer import style


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        *(("ink", "card", 7), ("ink", "ground", 7), ("soft", "card", 4.5), ("soft", "ground", 4.5)),
        *(("accent", "card", 4.5), ("on-accent", "accent", 4.5), ("on-accent", "accent-over", 4.5)),
        *(("accent", "tint", 4.5), ("danger", "danger-tint", 4.5), ("field", "card", 3)),
    ],
)
def test_colours_have_contrast(scheme: str, text: str, ground: str, least: float) -> None:
    """WCAG 2.2, 1.4.3 and 1.4.11."""
    light, dark = re.findall(r":root \{(.*?)\}", style.CSS, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", light if scheme == "light" else dark))
    one, other = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)

    assert (one + 0.05) / (other + 0.05) >= least


def test_each_colour_that_is_used_is_defined_in_both_schemes() -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", style.CSS))

    for block in re.findall(r":root \{(.*?)\}", style.CSS, re.DOTALL):
        assert used <= set(re.findall(r"--([\w-]+):", block))


def test_it_loads_nothing() -> None:
    """A page's policy allows styles of this server alone, and a font would tell its host who logs in."""
    assert not re.search(r"url\(|@import|@font-face", style.CSS)


def test_its_version_is_its_hash() -> None:
    assert base64.urlsafe_b64decode(style.VERSION) == hashlib.sha256(style.CSS.encode()).digest()[:9]
