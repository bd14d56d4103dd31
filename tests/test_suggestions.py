import pytest

from edgeworker.suggestions import did_you_mean

KNOWN = ["main", "name", "compatibility_date", "KV"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("mian", "main"), ("Main", "main"), ("compatability_date", "compatibility_date"), ("kv", "KV"), ("zone", "")],
)
def test_only_what_is_much_alike_is_suggested(name: str, meant: str) -> None:
    assert did_you_mean(name, KNOWN) == (f' Did you mean "{meant}"?' if meant else "")
