"""The pages of the auth worker: HTML without scripts, for eyes, keyboards and screen readers. Pure.

Whatever comes from outside is a value of `fill`, which escapes it; only `HTMLMarkup` passes as it is.
"""

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from issuer import style

# What turns the direction of text around, or shows nothing: "‮" in a client's name could make "moc.live" of
# "evil.com". Joiners (U+200C, U+200D) are left: scripts and emoji need them.
_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


class HTMLMarkup(str):
    """HTML that needs no escaping."""

    __slots__ = ()


def fill(template: str, **values: str) -> HTMLMarkup:
    """`template` is ours; in each `{name}` comes the value, escaped unless it is HTMLMarkup."""
    safe = {name: value if isinstance(value, HTMLMarkup) else _text(value) for name, value in values.items()}
    return HTMLMarkup(template.format_map(safe))


def _text(value: str) -> HTMLMarkup:
    return HTMLMarkup(html.escape(_INVISIBLE.sub("\ufffd", value)))


def joined(parts: Iterable[HTMLMarkup]) -> HTMLMarkup:
    return HTMLMarkup("".join(parts))


NOTHING: Final = HTMLMarkup("")


@dataclass(frozen=True, slots=True)
class Frame:
    """What all pages share: `base` is the issuer's path, `host` its name."""

    base: str
    host: str

    def page(self, title: str, content: HTMLMarkup) -> str:
        # An address in the title of a page that is about nothing else helps people with many tabs.
        return fill(
            """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title} – {host}</title>
<link rel="stylesheet" href="{base}/style.css?v={version}">
</head>
<body>
<main>
<p class="issuer"><bdi>{host}</bdi></p>
{content}
</main>
</body>
</html>
""",
            title=title,
            host=self.host,
            base=self.base,
            version=style.VERSION,
            content=content,
        )


@dataclass(frozen=True, slots=True)
class App:
    """The client as a person sees it. `place` is where the browser goes afterwards."""

    name: str
    client_id: str
    place: str


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class PostForm:
    """`action` is the path and query that it is sent to, `csrf` its token."""

    action: str
    csrf: str

    def wrap(self, content: HTMLMarkup) -> HTMLMarkup:
        return fill(
            '<form method="post" action="{action}">\n'
            '<input type="hidden" name="csrf" value="{csrf}">\n{content}</form>\n',
            action=self.action,
            csrf=self.csrf,
            content=content,
        )


def alert(title: str, faults: Mapping[str, str]) -> HTMLMarkup:
    """A summary at the top: read aloud at once, each fault with a link to its field ("" is no field)."""
    if not faults:
        return NOTHING
    if list(faults) == [""]:
        summary = fill("<p>{text}</p>", text=faults[""])
    else:
        summary = fill("<ul>{items}</ul>", items=joined(_fault(name, text) for name, text in faults.items()))
    return fill(
        '<div class="alert" role="alert" id="faults">\n<h2>{title}</h2>\n{summary}\n</div>\n',
        title=title,
        summary=summary,
    )


def _fault(name: str, text: str) -> HTMLMarkup:
    if not name:
        return fill("<li>{text}</li>", text=text)
    return fill('<li><a href="#{name}">{text}</a></li>', name=name, text=text)


def field(
    name: str,
    label: str,
    *,
    attributes: str,
    value: str = "",
    hint: str = "",
    invalid: bool = False,
    required: bool = True,
) -> HTMLMarkup:
    """A label and its input. `attributes` are ours and are not escaped."""
    described = " ".join(filter(None, [f"{name}-hint" if hint else "", "faults" if invalid else ""]))
    return fill(
        '<div class="field">\n<label for="{name}">{label}</label>\n{hint}'
        '<input id="{name}" name="{name}" {attributes}{value}{required}{described}{invalid}>\n</div>\n',
        name=name,
        label=label,
        hint=fill('<p class="hint" id="{name}-hint">{hint}</p>\n', name=name, hint=hint) if hint else NOTHING,
        attributes=HTMLMarkup(attributes),
        value=fill(' value="{value}"', value=value) if value else NOTHING,
        required=HTMLMarkup(" required" if required else ""),
        described=fill(' aria-describedby="{ids}"', ids=described) if described else NOTHING,
        invalid=HTMLMarkup(' aria-invalid="true"' if invalid else ""),
    )


def person(who: Person, *, link: HTMLMarkup = NOTHING) -> HTMLMarkup:
    named = fill("<bdi>{name}</bdi><span><bdi>{email}</bdi></span>", name=who.name, email=who.email)
    return fill(
        '<div class="account">\n<div class="mark" aria-hidden="true">{mark}</div>\n<div class="who">{named}</div>\n'
        "{link}</div>\n",
        mark=next((character.upper() for character in (who.name or who.email) if character.isalnum()), "?"),
        named=named if who.name else fill("<bdi>{email}</bdi>", email=who.email),
        link=link,
    )


def message(frame: Frame, title: str, text: str, *, details: str = "", link: tuple[str, str] | None = None) -> str:
    """A page that only says something. `link` is (where to, text)."""
    shown = [fill("<h1>{title}</h1>\n<p>{text}</p>\n", title=title, text=text)]
    if link is not None:
        shown.append(fill('<p><a href="{href}">{text}</a></p>\n', href=link[0], text=link[1]))
    if details:
        shown.append(fill('<div class="details"><p>{details}</p></div>\n', details=details))
    return frame.page(title, joined(shown))
