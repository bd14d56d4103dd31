import pytest

from edgeworker.bindings.kv.rest.expiration import Expiration, read
from edgeworker.config import JSON
from edgeworker.rest.errors import ApiError, KVCode


@pytest.mark.parametrize(
    ("moment", "ttl", "expected"),
    [
        (None, None, Expiration(None, None)),
        ("", "", Expiration(None, None)),
        ("1060", None, Expiration(1060, None)),
        (1060, 60, Expiration(1060, 60)),
        (None, 60.0, Expiration(None, 60)),
        ("-1", None, Expiration(-1, None)),
    ],
)
def test_seconds_are_read_from_text_and_json(moment: JSON, ttl: JSON, expected: Expiration) -> None:
    assert read(moment, ttl, now=1000, relaxed=False) == expected


@pytest.mark.parametrize("given", ["soon", "60.5", 60.5, True, [60], {}, "1e3", "9" * 16])
def test_what_is_not_an_integer_is_refused_with_the_code_of_its_name(given: JSON) -> None:
    with pytest.raises(ApiError) as moment:
        read(given, None, now=1000, relaxed=True)
    with pytest.raises(ApiError) as ttl:
        read(None, given, now=1000, relaxed=True)

    assert (moment.value.code, ttl.value.code) == (KVCode.INVALID_EXPIRATION, KVCode.INVALID_EXPIRATION_TTL)


@pytest.mark.parametrize(
    ("moment", "ttl", "expected"),
    [
        (1001, None, Expiration(1060, None)),
        (1061, None, Expiration(1061, None)),
        (1000, None, Expiration(1000, None)),
        (None, 1, Expiration(None, 60)),
        (None, 61, Expiration(None, 61)),
        (None, 0, Expiration(None, 0)),
    ],
)
def test_relaxed_moves_what_is_near_and_not_what_is_past(moment: JSON, ttl: JSON, expected: Expiration) -> None:
    assert read(moment, ttl, now=1000, relaxed=True) == expected
