"""Rules that are looked up by name."""

from edgeworker.messages import NameTable


def test_a_rule_is_asked_once_for_each_spelling() -> None:
    asked: list[bytes] = []

    def rule(name: bytes) -> bytes:
        asked.append(name)
        return name.lower()

    table = NameTable(rule)

    assert [table[name] for name in (b"Host", b"host", b"Host", b"host")] == [b"host"] * 4
    assert asked == [b"Host", b"host"]


def test_a_flood_of_names_does_not_fill_the_memory() -> None:
    table = NameTable(bytes.lower)
    for number in range(100_000):
        assert table[b"X-%d" % number] == b"x-%d" % number

    assert len(table) <= 2048
