from edgeworker.config import Config, Route, Zone
from edgeworker.edge.hints import hints_for, nearest_patterns
from edgeworker.messages import URL

ZONE = Zone("example.com", "z")
CONFIG = Config(
    zones=(ZONE,),
    routes=(
        Route("example.com/api/*", "w", zone="example.com"),
        Route("example.com/admin/*", "w", zone="example.com"),
        Route("other.test/*", "w"),
    ),
)


def test_patterns_of_the_same_host_come_first() -> None:
    assert nearest_patterns(URL.parse("http://example.com/apj/x"), CONFIG)[:2] == [
        "example.com/api/*",
        "example.com/admin/*",
    ]


def test_nothing_alike_gives_no_pattern() -> None:
    assert nearest_patterns(URL.parse("http://zzz.invalid/"), CONFIG) == []


def test_the_hints_say_what_to_configure() -> None:
    url = URL.parse("http://example.com/nothing")

    assert any('zone "example.com" an origin' in hint for hint in hints_for(url, CONFIG, ZONE))
    assert any("--origin URL" in hint for hint in hints_for(url, CONFIG, None))
    assert "No routes are configured." in hints_for(url, Config(), None)
