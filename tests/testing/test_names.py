"""What `edgeworker.testing` offers."""

import pytest

from edgeworker import testing


@pytest.mark.parametrize("name", testing.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    assert getattr(testing, name) is not None


def test_another_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Egde'"):
        _ = testing.Egde  # type: ignore[attr-defined]  # which a type checker tells
