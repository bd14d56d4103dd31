"""`workers.Request`. Source: workers/request.py of workers-runtime-sdk 1.9.5."""

import pytest

from tests.runtime.stage import Stage, evaluated

RULES = [
    # (statement, expression, what it gives)
    ("", "request.url", "https://example.com/Path?q=1"),
    (
        "",
        "request.method, request.method == 'POST', request.method is HTTPMethod.POST",
        "(<HTTPMethod.POST>, True, True)",
    ),
    ("", "request", "Request(method='POST', url='https://example.com/Path?q=1')"),
    ("", "request.headers['x-one'], request.headers['X-ONE'], request.headers['none']", "('1', '1', None)"),
    (
        "d = await request.json()",
        "d.name, d['name'], d.n[0].a, d == {'name': 'x', 'n': [{'a': 1}]}",
        "('x', 'x', 1, True)",
    ),
    ("", "(await request.json(parse_int=str))['n'][0]['a']", "1"),
    ("", "await request.text()", '{"name": "x", "n": [{"a": 1}]}'),
    ("", "(await request.bytes())[:2], request.body_used", "(b'{\"', True)"),
    ("", "(await request.buffer()).to_bytes()[:2]", "b'{\"'"),
    ("b = await request.blob()", "b.size, b.content_type, (await b.text())[:2]", "(30, 'text/x', '{\"')"),
    ("await request.text()", "await request.text()", "OSError: Body already used"),
    ("await request.text()", "request.clone()", "OSError: Body already used"),
    ("c = request.clone()", "await c.text() == await request.text(), c.url == request.url", "(True, True)"),
    ("", "await request.form_data()", "TypeError: Unrecognized Content-Type header value."),
    ("", "request.cf", "None"),
    (
        "",
        "request.redirect, request.cache, request.mode, request.credentials",
        "('manual', None, None, None)",
    ),
    ("", "request.keepalive, request.is_history_navigation, request.referrer_policy", "(False, None, None)"),
    ("", "request.js_object.url, request._js_request is request.js_object", "('https://example.com/Path?q=1', True)"),
    ("", "hasattr(request, 'arrayBuffer'), hasattr(request, 'formData')", "(False, True)"),
    ("", "[p.to_bytes()[:2] async for p in request.body]", "[b'{\"']"),
    (
        "r = Request('HTTPS://User@A.B:443/x y')",
        "r.url, r.method, r.body, await r.text(), r.redirect",
        "('https://User@a.b/x%20y', <HTTPMethod.GET>, None, '', 'follow')",
    ),
    (
        "r = Request('https://a.b', method=HTTPMethod.PUT, body='x', headers={'A': 'b'})",
        "r.method, await r.text(), dict(r.headers.items())",
        "(<HTTPMethod.PUT>, 'x', {'a': 'b', 'content-type': 'text/plain;charset=UTF-8'})",
    ),
    (
        "r = Request('https://a.b', method='post', body=b'x')",
        "r.method, dict(r.headers.items())",
        "(<HTTPMethod.POST>, {})",
    ),
    ("r = Request('https://a.b', method='POST', body=FormData({'a': 'b'}))", "(await r.form_data())['a']", "b"),
    (
        "r = Request(request, headers=[('a', '1'), ('a', '2')])",
        "r.headers['a'], r.headers['x-one'], r.method, r.redirect",
        "('1, 2', None, <HTTPMethod.POST>, 'manual')",
    ),
    (
        "r = Request(request, body='new')",
        "await r.text(), r.headers['x-one'], r.headers['content-length']",
        "('new', '1', None)",
    ),
    ("r = Request(request.js_object)", "r.js_object is request.js_object", "True"),
    ("r = Request(js.URL.new('https://a.b/c'))", "r.url", "https://a.b/c"),
    ("r = Request('https://a.b', cf={'cacheTtl': 5})", "r.cf.cacheTtl, r.cf['cacheTtl']", "(5, 5)"),
    (
        "Request(request.js_object, method='PUT')",
        "1",
        "ValueError: Expected no options when constructing Request from a js.Request",
    ),
    ("Request('nope')", "1", 'JsException: TypeError: Invalid URL: "nope"'),
    ("Request('https://a.b', headers='x')", "1", "TypeError: Received unexpected type for headers argument: str"),
    (
        "h = request.headers; h['added'] = '1'; r = Request('https://a.b', headers=h)",
        "r.headers['x-one'], r.headers['added']",
        "('1', '1')",
    ),
    (
        "Request('https://a.b', body='x')",
        "1",
        "JsException: TypeError: Request with a GET or HEAD method cannot have a body.",
    ),
    (
        "await request.text(); Request(request)",
        "1",
        "JsException: TypeError: Cannot reconstruct a Request with a used body.",
    ),
    ("Request('https://a.b', method='PURGE').method", "1", "KeyError: 'PURGE'"),
]


@pytest.mark.parametrize(("statement", "expression", "gives"), RULES)
async def test_a_request_is_as_the_sdk_has_it(stage: Stage, statement: str, expression: str, gives: str) -> None:
    headers = {"X-One": "1", "Content-Type": "text/x", "Content-Length": "30"}

    assert (await evaluated(stage, statement, expression, headers=headers)).startswith(gives)


FORMS = [
    ("application/x-www-form-urlencoded", b"a=1&a=2&b=%C3%A9+x"),
    (
        "multipart/form-data; boundary=B",
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name="a"'
        b'\r\n\r\n2\r\n--B\r\nContent-Disposition: form-data; name="b"\r\n\r\n\xc3\xa9 x\r\n--B--\r\n',
    ),
]


@pytest.mark.parametrize(("content_type", "body"), FORMS)
async def test_both_encodings_of_forms_are_read(stage: Stage, content_type: str, body: bytes) -> None:
    expression = "f['a'], f.get_all('a'), f['b'], 'c' in f, len(f), list(f.items())[0]"
    text = await evaluated(
        stage, "f = await request.form_data()", expression, headers={"Content-Type": content_type}, body=body
    )

    assert text == "('1', ['1', '2'], 'é x', False, 3, ('a', '1'))"


async def test_an_uploaded_file_is_a_file(stage: Stage) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a b.bin"\r\nContent-Type: x/y\r\n\r\n'
        b"\x00\r\n\xff\r\n--B--\r\n"
    )
    text = await evaluated(
        stage,
        "f = (await request.form_data())['f']",
        "type(f).__name__, f.name, f.content_type, await f.bytes()",
        headers={"Content-Type": 'multipart/form-data; boundary="B"'},
        body=body,
    )

    assert text == "('File', 'a b.bin', 'x/y', b'\\x00\\r\\n\\xff')"


MALFORMED = [
    ("multipart/form-data", b"", "No boundary string in Content-Type header."),
    ("multipart/form-data; boundary=B", b"--B\r\n", "No multipart message header termination found."),
    (
        "multipart/form-data; boundary=B",
        b"--B\r\nX: y\r\n\r\n1\r\n--B--",
        "No valid Content-Disposition header found in FormData part.",
    ),
]


@pytest.mark.parametrize(("content_type", "body", "says"), MALFORMED)
async def test_a_malformed_form_is_a_type_error(stage: Stage, content_type: str, body: bytes, says: str) -> None:
    text = await evaluated(stage, "", "await request.form_data()", headers={"Content-Type": content_type}, body=body)

    assert text.startswith("TypeError: ")
    assert says in text
