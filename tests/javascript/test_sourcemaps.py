"""Places of a bundle, and the places of the sources that they come from."""

import json

import pytest

from edgeworker.javascript.sourcemaps import Position, SourceMap

# esbuild 0.28.2 of two files: --bundle --format=esm --sourcemap=external
#   a.ts   import { b } from "./b"\n\nexport default { fetch() { return new Response(b(1)) } }
#   b.ts   export function b(n: number): string {\n  if (n > 1) throw new Error("x")\n  return String(n)\n}
GENERATED = """// b.ts
function b(n) {
  if (n > 1) throw new Error("x");
  return String(n);
}

// a.ts
var a_default = { fetch() {
  return new Response(b(1));
} };
export {
  a_default as default
};
"""
MAP = json.dumps(
    {
        "version": 3,
        "sources": ["b.ts", "a.ts"],
        "mappings": (
            ";AAAO,SAAS,EAAE,GAAmB;AACnC,MAAI,IAAI,EAAG,OAAM,IAAI,MAAM,GAAG;AAC9B,SAAO,OAAO,CAAC;AACjB;;;ACDA,IAAO,YAAQ,EAAE,QAAQ;"
            "AAAE,SAAO,IAAI,SAAS,EAAE,CAAC,CAAC;AAAE,EAAE;"
        ),
        "names": [],
    }
)


@pytest.mark.parametrize(
    ("line", "column", "position"),
    [
        (2, 1, Position("b.ts", 1, 8)),
        (3, 3, Position("b.ts", 2, 3)),
        (4, 10, Position("b.ts", 3, 10)),
        (8, 1, Position("a.ts", 3, 1)),
        (9, 10, Position("a.ts", 3, 35)),
        (1, 1, None),
        (99, 1, None),
        (0, 0, None),
    ],
)
def test_a_place_of_the_bundle_is_found_in_its_source(line: int, column: int, position: Position | None) -> None:
    assert SourceMap.parse(MAP).find(line, column) == position


def test_a_source_root_stands_before_each_source() -> None:
    value = {"version": 3, "sourceRoot": "src/", "sources": ["a.ts"], "mappings": "AAAA"}

    assert SourceMap.parse(json.dumps(value)).find(1, 1) == Position("src/a.ts", 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "mappings": ""}',
        '{"version": 3, "mappings": "A?"}',
        '{"version":3,"mappings":"g"}',
    ],
)
def test_what_is_not_a_source_map_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        SourceMap.parse(text)
