"""How messages about configuration are collected and shown."""

from edgeworker.schema.diagnostics import Diagnostics, SourceLocation, format_key_path


def test_messages_stand_under_their_headings_as_wrangler_prints_them() -> None:
    diagnostics = Diagnostics("Processing wrangler.toml configuration:")
    diagnostics.warning("first\nsecond")
    diagnostics.child('"env.staging" environment configuration').warning("inner\n- item")

    assert diagnostics.render("warning") == (
        "Processing wrangler.toml configuration:\n"
        "  - first\n"
        "    second\n"
        '  - "env.staging" environment configuration\n'
        "    - inner\n"
        "      - item"
    )


def test_below_a_message_stands_where_it_comes_from_unless_it_says_so_itself() -> None:
    diagnostics = Diagnostics("Here:")
    diagnostics.error(
        "two", SourceLocation("a.toml", 3, "x"), SourceLocation("a.toml", 5, "y"), SourceLocation("a.toml", 3, "x")
    )
    diagnostics.error("frame\n\na.toml:1:2:", SourceLocation("a.toml", 1))

    assert diagnostics.render("error") == (
        "Here:\n  - two\n    at a.toml:3 (x), a.toml:5 (y)\n  - frame\n\n    a.toml:1:2:"
    )
    assert diagnostics.render("error", locations=False) == "Here:\n  - two\n  - frame\n\n    a.toml:1:2:"


def test_only_messages_of_the_level_are_shown_and_an_empty_part_has_no_heading() -> None:
    diagnostics = Diagnostics()
    diagnostics.child("Quiet:").info("nothing much")
    diagnostics.warning("loose")
    diagnostics.child("Loud:").error("bad")

    assert diagnostics.blocks("error") == ["Loud:\n  - bad"]
    assert diagnostics.blocks("warning") == ["loose"]
    assert diagnostics.render("info") == "Quiet:\n  - nothing much"
    assert Diagnostics("Empty:").render("error") == ""


def test_an_error_deep_down_is_an_error_of_the_whole() -> None:
    diagnostics = Diagnostics()
    inner = diagnostics.child("a").child("b")
    assert not diagnostics.has_errors

    inner.error("bad")

    assert diagnostics.has_errors
    assert [message.text for message in diagnostics.of("error")] == ["bad"]


def test_a_path_is_written_as_wrangler_writes_it() -> None:
    assert format_key_path(("env", "staging", "kv_namespaces", 0, "id")) == "env.staging.kv_namespaces[0].id"


def test_a_place_without_a_line_is_the_file() -> None:
    assert str(SourceLocation("--env-file")) == "--env-file"
    assert str(SourceLocation("wrangler.toml", 4)) == "wrangler.toml:4"
