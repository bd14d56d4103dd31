"""Replays what miniflare answered about routes (record_routes.mjs); names each way in which we differ on purpose."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.config import Route
from edgeworker.errors import ConfigError
from edgeworker.messages import URL, canonical_path
from edgeworker.routing import Pattern, RouteTable, Won, parse_pattern

CASES: Final = Path(__file__).parent / "cases" / "routes.json"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What miniflare read out of one pattern. `error` None: it accepted it, and the rest is set."""

    text: str
    error: str | None
    specificity: int = 0
    scheme: str | None = None
    any_prefix: bool = False
    host: str = ""
    path: str = ""
    any_path: bool = False


@dataclass(frozen=True, slots=True)
class RecordedTable:
    patterns: list[str]
    answers: list[tuple[str, int | None]]


def _recorded() -> tuple[list[Recorded], list[RecordedTable]]:
    document = json.loads(CASES.read_text("utf-8"))
    patterns = [
        Recorded(row[0], row[1]) if len(row) == 2 else Recorded(row[0], None, *row[1:]) for row in document["patterns"]
    ]
    tables = [
        RecordedTable(table["patterns"], [(url, answer) for url, answer in table["answers"]])
        for table in document["tables"]
    ]
    return patterns, tables


PATTERNS, TABLES = _recorded()


def _refused_on_purpose(text: str) -> str | None:
    """Which of the kinds of pattern this is that miniflare accepts without a word and we refuse; None: none of them.

    Decided from the text alone, apart from the parser that is under test.
    """
    scheme, host, rest = _split(text)
    kinds = [
        ("empty query", re.fullmatch(r"[^?#]*\?(#.*)?", text)),
        ("fragment", "#" in text),
        ("scheme", scheme.lower() not in ("", "http", "https")),
        ("no host", not host),
        ("user", "@" in host),
        ("infix wildcard behind a host of any name", host == "*" and "*" in rest[:-1]),
        ("port", re.search(r":\d*$", re.sub(r"\[.*?\]", "", host))),
        # "127." is an address to WHATWG's parser, like "127", and to us.
        ("empty label", "" in host.removeprefix("*.").split(".") and not re.fullmatch(r"[0-9]+\.", host)),
        ("space at an end", text != text.strip()),
        ("wildcard in disguise", "＊" in host or "%2A" in host),
        ("address below a wildcard", re.fullmatch(r"\*\.?(\d+\.)*\d+", host)),
    ]
    return next((kind for kind, found in kinds if found), None)


def _split(text: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"(?:([a-z0-9+.-]+)://)?([^/\\?#]*)(.*)", text, re.IGNORECASE | re.DOTALL)
    assert found is not None
    return found[1] or "", found[2], found[3]


def _parsed(text: str) -> Pattern | None:
    try:
        return parse_pattern(text)
    except ConfigError:
        return None


def test_what_miniflare_refuses_is_refused() -> None:
    refused = [recorded for recorded in PATTERNS if recorded.error is not None]

    assert [recorded.text for recorded in refused if _parsed(recorded.text) is not None] == []
    assert Counter(recorded.error for recorded in refused) == {
        "ERR_INFIX_WILDCARD": 276,
        "ERR_INVALID_URL": 221,
        "ERR_QUERY_STRING": 53,
    }


def test_what_miniflare_accepts_is_read_as_it_reads_it() -> None:
    accepted = [recorded for recorded in PATTERNS if recorded.error is None]

    assert len(accepted) == 1950
    for recorded in accepted:
        pattern = _parsed(recorded.text)
        if pattern is not None:
            assert _refused_on_purpose(recorded.text) is None, recorded.text
            assert (
                Recorded(
                    pattern.text,
                    None,
                    pattern.specificity,
                    pattern.scheme,
                    pattern.any_prefix,
                    pattern.host,
                    pattern.path,
                    pattern.any_path,
                )
                == recorded
            )


def test_what_only_we_refuse_is_of_a_kind_that_is_listed() -> None:
    only_ours = [r.text for r in PATTERNS if r.error is None and _parsed(r.text) is None]

    assert [text for text in only_ours if _refused_on_purpose(text) is None] == []
    # Each kind stands in the recording, so that no exception is idle.
    assert Counter(_refused_on_purpose(text) for text in only_ours) == {
        "scheme": 57,
        "fragment": 34,
        "empty label": 33,
        "user": 31,
        "port": 27,
        "no host": 20,
        "empty query": 3,
        "infix wildcard behind a host of any name": 3,
        "wildcard in disguise": 2,
        "address below a wildcard": 1,
        "space at an end": 1,
    }


def _wins_our_tie(ours: Pattern, theirs: Pattern) -> bool:
    """The one rule of ranking that differs: of equal specificity, no wildcard in the host wins."""
    return ours.specificity == theirs.specificity and theirs.any_prefix and not ours.any_prefix


def _is_another_spelling(ours: Pattern, theirs: str | None, url: str) -> bool:
    """miniflare compares "%2f" and "%2F" as texts; to us they are one, so that no route can be walked around."""
    if theirs is not None:
        return ours.identity == parse_pattern(theirs).identity
    path = URL.parse(url).path
    return canonical_path(path) != path or ours.matched_path != ours.path


def _answers() -> Iterator[tuple[RecordedTable, RouteTable, str, str | None]]:
    """(table, ours, URL, the pattern that won at miniflare)."""
    for table in TABLES:
        accepted = [text for text in table.patterns if _parsed(text) is not None]
        # One worker for all of them: miniflare takes two spellings of one pattern, and we do for one worker.
        ours = RouteTable(Route(text, "worker") for text in accepted)
        for url, answer in table.answers:
            yield table, ours, url, None if answer is None else table.patterns[answer]


def test_the_route_that_wins_is_the_one_that_wins_at_miniflare() -> None:
    outcomes: Counter[str] = Counter()
    for table, ours, url, theirs in _answers():
        winner = ours.match(URL.parse(url))
        if theirs is not None and _parsed(theirs) is None:
            # It ran a pattern that we refuse, so there is nothing to compare; the test above says that we may.
            outcomes["theirs is refused"] += 1
        elif theirs is not None and winner is not None and winner.pattern != theirs:
            if _is_another_spelling(parse_pattern(winner.pattern), theirs, url):
                outcomes["spelling"] += 1
                continue
            assert _wins_our_tie(parse_pattern(winner.pattern), parse_pattern(theirs)), (table.patterns, url)
            outcomes["tie"] += 1
        elif winner is not None and theirs is None:
            assert _is_another_spelling(parse_pattern(winner.pattern), None, url), (table.patterns, url)
            outcomes["spelling"] += 1
        else:
            assert (winner and winner.pattern) == theirs, (table.patterns, url)
            outcomes["nothing matches" if theirs is None else "same"] += 1

    assert outcomes == {"same": 6944, "nothing matches": 1947, "tie": 96, "theirs is refused": 9, "spelling": 4}


def test_an_explanation_names_the_same_winner() -> None:
    for _, ours, url, _ in _answers():
        winner = ours.match(URL.parse(url))
        won = [verdict.route for verdict in ours.explain(URL.parse(url)) if verdict.outcome == Won()]
        assert won == ([] if winner is None else [winner])
