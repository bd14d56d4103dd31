from pathlib import Path

import pytest

from edgeworker.config import Config, OriginTLS, Zone
from edgeworker.errors import ConfigError
from edgeworker.routing import origin_tls_of

ONE = OriginTLS(ca_file=Path("/one.pem"))
OTHER = OriginTLS(verify=False)


def test_each_https_origin_has_the_settings_of_its_zone() -> None:
    config = Config(
        zones=(
            Zone("a.example", "1", "https://O.example:443/", {"x.a.example": "https://10.0.0.1:8443"}, origin_tls=ONE),
            Zone("b.example", "2", "http://plain.example", origin_tls=OTHER),
        ),
        origin="https://last.example",
        origin_tls=OTHER,
    )

    assert origin_tls_of(config) == {
        "https://last.example": OTHER,
        "https://o.example": ONE,
        "https://10.0.0.1:8443": ONE,
    }


def test_one_origin_of_two_zones_is_spoken_with_in_one_way() -> None:
    zones = (
        Zone("a.example", "1", "https://o.example", origin_tls=ONE),
        Zone("b.example", "2", "https://o.example", origin_tls=OTHER),
    )

    with pytest.raises(ConfigError) as raised:
        origin_tls_of(Config(zones=zones))

    assert str(raised.value).startswith('zone "b.example" and zone "a.example" have the origin https://o.example with')
    assert origin_tls_of(Config(zones=(zones[0], Zone("b.example", "2", "https://o.example", origin_tls=ONE))))


def test_an_origin_that_is_not_a_url_is_refused_when_it_is_connected_to() -> None:
    assert origin_tls_of(Config(origin="nonsense")) == {}
