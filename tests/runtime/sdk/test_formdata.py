"""`workers.FormData`, `Blob`, `File`. Sources: workers/formdata.py and workers/blob.py of workers-runtime-sdk 1.9.5."""

import pytest

from tests.runtime.stage import Stage, evaluated

RULES = [
    # (statement, expression, what it gives)
    (
        "f = FormData({'a': '1'}); f.append('a', '2')",
        "f['a'], f.get_all('a'), f['none'], 'a' in f",
        "('1', ['1', '2'], None, True)",
    ),
    ("f = FormData([('a', '1'), ('a', '2')]); f['a'] = '3'", "f.get_all('a'), list(f)", "(['3'], ['a'])"),
    ("f = FormData({'a': '1'}); del f['a']; f.delete('x')", "len(f), dict(f.items())", "(0, {})"),
    (
        "f = FormData(); f.append('f', Blob('x', content_type='a/b'), 'n')",
        "f['f'].name, f['f'].content_type",
        "('n', 'a/b')",
    ),
    (
        "f = FormData(js.FormData.new([['a', 'b']]))",
        "f['a'], f.js_object.get('a'), list(f.values())",
        "('b', 'b', ['b'])",
    ),
    ("f = FormData({'f': File(b'x', 'n')})", "await f['f'].text(), type(f['f']).__name__", "('x', 'File')"),
    (
        "b = Blob(['a', b'b', Blob('c')], content_type='X/Y')",
        "b.size, b.content_type, await b.text(), await b.bytes()",
        "(3, 'x/y', 'abc', b'abc')",
    ),
    ("b = Blob('abc').slice(1, 2, 't/u')", "await b.text(), b.content_type", "('b', 't/u')"),
    ("b = Blob(Blob('a', content_type='t/u'))", "b.content_type", "t/u"),
    ("f = File(File('x', 'n', last_modified=5), 'm')", "f.name, f.last_modified, f.size", "('m', 5, 1)"),
    ("b = Blob('a\\r\\nb', endings='native')", "await b.text()", "a\nb"),
    ("FormData('x')", "1", "TypeError: Expected form_data to be a dict or an instance of FormData"),
    ("f = FormData(); f['a'] = ['b']", "1", "TypeError: Expected single item"),
    ("Blob(5)", "1", "TypeError: Don't know how to handle <class 'int'> for Blob()"),
    ("Blob([5])", "1", "TypeError: Don't know how to handle <class 'int'> for Blob()"),
]


@pytest.mark.parametrize(("statement", "expression", "gives"), RULES)
async def test_forms_and_blobs_are_as_the_sdk_has_them(
    stage: Stage, statement: str, expression: str, gives: str
) -> None:
    assert (await evaluated(stage, statement, expression)).startswith(gives)
