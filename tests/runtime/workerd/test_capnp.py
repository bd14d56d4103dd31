"""The configuration that a workerd child reads."""

import pytest

from edgeworker.javascript.project import Module
from edgeworker.runtime.workerd.capnp import ChildWorker, NativeBinding, quote, write_config


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", '"plain"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("é\n\0", '"\\xc3\\xa9\\x0a\\x00"'),
    ],
)
def test_a_text_is_written_byte_by_byte(text: str, written: str) -> None:
    assert quote(text) == written


def test_every_outside_of_a_worker_is_our_socket() -> None:
    worker = ChildWorker(
        "shop",
        [Module("a.js", "esm", b"export default {}"), Module("b.txt", "text", b"b")],
        "2026-01-01",
        ("nodejs_compat",),
        [NativeBinding("X", "text", quote("x"))],
        {"out": "0", "cache": "1"},
        {"": "/run/w0.sock", "Admin": "/run/w1.sock"},
    )

    text, files = write_config([worker], host="/run/edge.sock", key="k", extensions={"e": "x"}, heap_megabytes=64)

    assert files == {"m0": b"export default {}", "m1": b"b", "m2": b"x"}
    assert 'globalOutbound="shop/out", cacheApiOutbound="shop/cache"' in text
    assert text.count('address="unix:/run/edge.sock"') == 2
    assert '(name="ew-service", value="1"), (name="ew-key", value="k")' in text
    assert 'service=(name="shop", entrypoint="Admin")' in text
    assert "network" not in text
    assert '"--max-heap-size=64"' in text
