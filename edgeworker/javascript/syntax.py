"""What a JavaScript file imports and exports at its top level, without parsing it whole. Pure.

A worker's format follows from it: a default export makes it a module worker, anything else a service worker, even
where other names are exported. wrangler decides in the same way (`deployment-bundle/guess-worker-format.ts`).

A scanner is enough because only the top level counts: strings, templates, comments and regular expressions are stepped
over, brackets are counted. The one thing that a scanner has to guess is whether "/" divides or begins a regular
expression; it looks at the token before, as es-module-lexer does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SPACE: Final = re.compile(r"(?:[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)+", re.DOTALL)
_WORD: Final = re.compile(r"[\w$\u200c\u200d\\#]+")
_NUMBER: Final = re.compile(r"\.?\d[\w.]*")
_STRING: Final = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", re.DOTALL)
_TEMPLATE_PART: Final = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
_REGEX: Final = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[\w$]*")
_HASHBANG: Final = re.compile(r"#![^\n]*")

# After one of these words a "/" begins a regular expression; after another word it divides.
_BEFORE_REGEX: Final = frozenset(
    {
        "await",
        "case",
        "delete",
        "do",
        "else",
        "extends",
        "in",
        "instanceof",
        "new",
        "of",
        "return",
        "throw",
        "typeof",
        "void",
        "yield",
        "default",
    }
)
# After the parenthesis of one of these a statement begins, and so may a regular expression.
_STATEMENT_HEADS: Final = frozenset({"if", "while", "for", "with"})
# What a declaration goes on with; anything else is a name that is used as another one.
_DECLARATION: Final = {"import": ("word", "string", "{", "*"), "export": ("word", "{", "*")}
_DECLARED: Final = frozenset({"async", "class", "const", "function", "let", "var", "abstract", "enum", "namespace"})


@dataclass(frozen=True, slots=True)
class Import:
    """`specifier` as it is written, without its quotes, which stand at `start` and before `end` of the file; `line`
    counts from 1. `is_dynamic`: import("..."), which may never run."""

    specifier: str
    line: int
    start: int
    end: int
    is_dynamic: bool = False


@dataclass(frozen=True, slots=True)
class ModuleSyntax:
    """`is_module`: it has an import or export declaration or import.meta, so it cannot run as a classic script."""

    imports: tuple[Import, ...]
    is_module: bool
    has_default_export: bool


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind` is "word", "number", "string", "template", "regex" or the punctuation character itself; `depth` is the
    number of open brackets around it."""

    kind: str
    text: str
    offset: int
    depth: int


def read_syntax(source: str) -> ModuleSyntax:
    """Never raises: a file with an error gives what was read until there, and its engine names the error."""
    tokens = list(_tokenize(source))
    imports: list[Import] = []
    is_module = has_default = False
    for position, token in enumerate(tokens):
        if (
            token.kind != "word"
            or token.text not in ("import", "export")
            or (position > 0 and tokens[position - 1].kind == ".")
        ):
            continue
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if token.text == "import" and following is not None and following.kind == "(":
            argument = tokens[position + 2] if position + 2 < len(tokens) else None
            if argument is not None and argument.kind == "string":
                imports.append(_build_import(source, token, argument, is_dynamic=True))
        elif token.text == "import" and following is not None and following.kind == ".":
            is_module = True
        elif token.depth == 0 and following is not None and following.kind in _DECLARATION[token.text]:
            specifier = _find_specifier(tokens, position)
            if token.text == "import" and specifier is None:
                continue
            is_module = True
            has_default = has_default or (token.text == "export" and _exports_default(tokens, position))
            if specifier is not None:
                imports.append(_build_import(source, token, specifier))
    return ModuleSyntax(tuple(imports), is_module, has_default)


def _build_import(source: str, keyword: _Token, specifier: _Token, *, is_dynamic: bool = False) -> Import:
    line = source.count("\n", 0, keyword.offset) + 1
    end = specifier.offset + len(specifier.text)
    return Import(_unquote(specifier.text), line, specifier.offset, end, is_dynamic)


def _find_specifier(tokens: list[_Token], position: int) -> _Token | None:
    """The text of `import ... from "x"`, `import "x"` or `export ... from "x"`; None for an export of this file."""
    rest = tokens[position + 1 : position + 4]
    if tokens[position].text == "import":
        if rest and rest[0].kind == "string":
            return rest[0]
        if len(rest) > 1 and rest[0].text == "type" and rest[1].text not in ("from", ","):
            return None  # `import type` of TypeScript leaves nothing behind
    elif not rest or rest[0].kind not in ("{", "*"):
        return None
    for at in range(position + 1, len(tokens) - 1):
        token = tokens[at]
        if token.depth == 0 and token.kind == "word" and token.text == "from" and tokens[at + 1].kind == "string":
            return tokens[at + 1]
        if token.depth == 0 and (token.kind in (";", "=", "(") or token.text in ("import", "export", *_DECLARED)):
            return None
    return None


def _exports_default(tokens: list[_Token], position: int) -> bool:
    """`export default x`, `export { x as default }`, `export { default } from "x"`, `export * as default from "x"`."""
    rest = tokens[position + 1 :]
    if rest[0].text == "default":
        return True
    if rest[0].kind == "*":
        return len(rest) > 2 and rest[1].text == "as" and _read_name(rest[2]) == "default"
    if rest[0].kind != "{":
        return False
    for at, token in enumerate(rest):
        if token.kind == "}" and token.depth == 0:
            return False
        if _read_name(token) == "default" and at + 1 < len(rest) and rest[at + 1].kind in (",", "}"):
            return True
    return False


def _read_name(token: _Token) -> str:
    return _unquote(token.text) if token.kind == "string" else token.text


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _tokenize(source: str) -> Iterator[_Token]:
    at = hashbang.end() if (hashbang := _HASHBANG.match(source)) else 0
    opened: list[str] = []  # brackets; "`" stands for a template whose ${ is open
    before_bracket: list[str] = []  # the word before each open bracket
    last = ""  # the token before, as far as "/" needs it
    while at < len(source):
        if space := _SPACE.match(source, at):
            at = space.end()
            continue
        character = source[at]
        if character == "`" or (character == "}" and opened and opened[-1] == "`"):
            begun = at
            if character == "}":
                opened.pop()
                before_bracket.pop()
            part = _TEMPLATE_PART.match(source, at + 1)
            at = len(source) if part is None else part.end()
            if source.startswith("${", at):
                opened.append("`")
                before_bracket.append("")
                at += 2
                last = "${"
            else:
                at += 1
                last = "template"
                yield _Token("template", source[begun:at], begun, len(opened))
            continue
        match = None
        kind = character
        if character in "\"'":
            match, kind = _STRING.match(source, at), "string"
        elif character.isdigit() or (character == "." and source[at + 1 : at + 2].isdigit()):
            match, kind = _NUMBER.match(source, at), "number"
        elif character == "/" and _regex_may_follow(last):
            match, kind = _REGEX.match(source, at), "regex"
        elif found := _WORD.match(source, at):
            match, kind = found, "word"
        if match is not None:
            yield _Token(kind, match[0], at, len(opened))
            last = match[0] if kind == "word" else kind
            at = match.end()
            continue
        if character in ")]}" and opened:
            opened.pop()
            word = before_bracket.pop()
            last = "head)" if character == ")" and word in _STATEMENT_HEADS else character
        elif character in "([{":
            last_word = last
            last = character
            yield _Token(character, character, at, len(opened))
            opened.append(character)
            before_bracket.append(last_word)
            at += 1
            continue
        else:
            last = source[at - 1 : at + 1] if source[max(0, at - 1) : at + 1] in ("++", "--") else character
        yield _Token(character, character, at, len(opened))
        at += 1


def _regex_may_follow(last: str) -> bool:
    if last in ("", "${", "head)", "}"):
        return True  # after "}" a statement begins more often than a quotient goes on
    if last in (")", "]", "string", "number", "template", "regex", "++", "--"):
        return False
    return last in _BEFORE_REGEX or not (last[0].isalnum() or last[0] in "_$\\#")
