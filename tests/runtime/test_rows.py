"""Every row of what a public Python Worker may rely on has a test: the table that says which.

A row is in our own words; the sections are those of the specification of Python Workers (entry, `workers`, headers,
JavaScript and Pyodide, ASGI and WSGI) and the public examples of the first two priorities. A test is named as
`file::function`, with ` | text` where it is one line of a table in that file.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
KV = "../bindings/kv/test_python_view.py::"
ASSETS = "../bindings/assets/test_python_view.py::test_a_script_fetches_its_own_files_and_those_of_a_bound_worker"
RESPONSE = "sdk/test_response.py::test_a_response_is_as_the_sdk_has_it | "
REQUEST = "sdk/test_request.py::test_a_request_is_as_the_sdk_has_it | "
FORMS = "sdk/test_formdata.py::test_forms_and_blobs_are_as_the_sdk_has_them | "
IDIOM = "python/test_shims.py::test_an_idiom_of_public_scripts_runs | "
MISTAKE = "python/test_shims.py::test_a_mistake_is_javascripts_error | "
GLOBAL = "webapi/test_globals.py::test_a_global_does_what_the_standard_says | "
VALUE = "webapi/test_values.py::test_a_global_does_what_the_standard_says | "
PUBLIC = "test_public_scripts.py::"
EXAMPLE = "test_examples.py::"
FETCH = "sdk/test_fetch.py::"
ASGI = "python/gateway/test_asgi.py::"
NOT_THERE = "python/test_shims.py::test_what_is_not_there_says_so_while_loading | "
LOADING = "python/test_load_errors.py::test_a_script_that_cannot_be_loaded_is_told_where_and_why | "
CRON = "python/test_isolate.py::test_a_cron_trigger_calls_the_handler_with_as_many_arguments_as_it_takes | "
WORKER = "contract/test_worker.py::"
STYLE = WORKER + "test_every_style_of_entry_runs_with_as_many_arguments_as_it_takes | "

ROWS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "1 entry": {
        "a class with fetch(self, request), async or not": (STYLE + "def fetch(self, request)", EXAMPLE + "test_hello"),
        "on_fetch with 0 to 3 arguments, raw or @handler": (
            STYLE + "on_fetch",
            EXAMPLE + "test_an_old_decorated_handler",
        ),
        "on_scheduled": (CRON + "on_scheduled()",),
        "methods for other events take 1 to 3 arguments": (
            "python/test_isolate.py::test_a_cron_trigger_calls_the_handler_with_as_many_arguments_as_it_takes",
            PUBLIC + "test_a_report_at_midnight",
        ),
        "named entrypoints": (
            PUBLIC + "test_workers_call_each_other",
            "contract/test_context.py::test_a_script_calls_its_own_entrypoints",
        ),
        "RPC to public methods": (
            PUBLIC + "test_workers_call_each_other",
            "python/test_isolate.py::test_what_is_not_public_cannot_be_called_by_rpc",
        ),
        "no handler": (
            WORKER + "test_a_script_without_the_handler_that_is_called_says_so | does not export a handler",
        ),
        "a class without the method": (
            WORKER + "test_a_script_without_the_handler_that_is_called_says_so | Method fetch does not exist",
        ),
        "Default and on_* together": (LOADING + "Cannot define multiple default",),
        "an exception in a handler": (
            WORKER + "test_an_uncaught_exception_is_a_failure_that_is_logged_once_from_the_scripts_own_frames_on",
        ),
        "an answer that is no response": (WORKER + "test_a_result_that_is_not_a_response_is_a_type_error",),
        "arguments that a function does not take are dropped": (STYLE + "def fetch(self)", EXAMPLE + "test_cron"),
        "__all__ restricts the exports": (LOADING + "__all__ does not list it",),
        "a fresh entrypoint object for each event": (
            "contract/test_worker.py::test_a_fresh_entrypoint_object_is_made_for_each_request",
            "contract/test_worker.py::test_an_init_that_forgets_its_parent_is_told_so",
        ),
        "ctx.waitUntil, workers.wait_until": ("contract/test_worker.py::test_wait_until_outlives_the_response",),
        "ctx.passThroughOnException": (
            "../edge/test_chain.py::test_pass_through_on_exception_sends_the_original_request_to_the_origin",
        ),
        "ctx.props": ("contract/test_worker.py::test_a_request_is_known_to_its_context_only",),
        "ctx.exports": ("contract/test_context.py::test_a_script_calls_its_own_entrypoints",),
        "ctx.access": ("contract/test_context.py::test_access_dev_of_wrangler_toml_is_who_a_script_finds",),
        "controller.cron, scheduledTime, noRetry": (
            CRON + "controller.scheduledTime",
            "../conformance/test_scheduled.py::test_a_fired_trigger_is_answered_as_miniflare_does | noRetry",
        ),
        "a style that does not suit the date": (
            "python/test_load_errors.py::test_a_style_that_cloudflare_would_refuse_at_this_date_runs_with_a_warning",
        ),
    },
    "2 workers": {
        "every name can be imported": ("test_features.py::test_what_the_table_names_can_be_imported",),
        "cloudflare.workers, the older name": (VALUE + "from cloudflare.workers import handler",),
        "Response(body, status, status_text, headers)": (RESPONSE + "Response('x', 404, 'Gone missing'",),
        "bodies: text, bytes, None, FormData, JavaScript's": (
            RESPONSE + "Response(FormData(",
            RESPONSE + "Response(js.Blob.new",
            RESPONSE + "Response(js.URLSearchParams",
            RESPONSE + "Response(js.Uint8Array.new",
        ),
        "a body of another type": (RESPONSE + "Unsupported type in Response: dict", RESPONSE + "Response(5)"),
        "wrapping a response of JavaScript": (
            RESPONSE + "Response(js.Response.new('x', status=201))",
            RESPONSE + "Expected no options when",
        ),
        "headers as dict, pairs or Headers": (
            RESPONSE + "headers=[('set-cookie'",
            RESPONSE + "headers=js.Headers.new",
            RESPONSE + "headers='a: b'",
            "sdk/test_response.py::test_each_set_cookie_reaches_the_wire_for_itself",
        ),
        "the default content type": (RESPONSE + "text/plain;charset=UTF-8", EXAMPLE + "test_hello"),
        "Response.json and from_json": (
            RESPONSE + "Response.json({'a': [1, 'é']})",
            RESPONSE + "Response.from_json(js.Date",
        ),
        "json() of an instance reads": (RESPONSE + "await Response('{\"a\": 1}').json()",),
        "Response.redirect": (RESPONSE + "Response.redirect('https://a.b/c')", RESPONSE + "Response.redirect('nope')"),
        "properties, replace_body, clone": (
            RESPONSE + "replace_body('y')",
            RESPONSE + "c = r.clone()",
            RESPONSE + ".redirected",
        ),
        "readers, and a second read": (RESPONSE + "Body already used", RESPONSE + "await Response('x').blob()"),
        "the repr of a response": (RESPONSE + "Response(status=404, status_text='N'",),
        "a falsy status, empty headers": (RESPONSE + "status=0, headers={}",),
        "101, 204, 205 and 304 have no body": (RESPONSE + "Response with null body status",),
        "Request(input, ...) of text, URL, requests": (
            REQUEST + "Request('https://a.b', method=HTTPMethod.PUT",
            REQUEST + "js.URL.new('https://a.b/c')",
            REQUEST + "Request(request.js_object)",
        ),
        "url is normalised": (REQUEST + "HTTPS://User@A.B:443/x y", REQUEST + "https://example.com/Path?q=1"),
        "method is an HTTPMethod": (REQUEST + "request.method is HTTPMethod.POST", REQUEST + "KeyError: 'PURGE'"),
        "request.cf": (REQUEST + "r.cf.cacheTtl", PUBLIC + "test_where_a_request_comes_from"),
        "what browsers know of a request": (REQUEST + "is_history_navigation", REQUEST + "request.credentials"),
        "readers of a request": (
            REQUEST + "await request.json()",
            REQUEST + "(await request.buffer())",
            REQUEST + "await request.form_data()",
        ),
        "clone() before reading only": (REQUEST + "c = request.clone()", REQUEST + "OSError: Body already used"),
        "the repr of a request": (REQUEST + "Request(method='POST', url=",),
        "camelCase stays with js_object": (REQUEST + "hasattr(request, 'arrayBuffer')",),
        "fetch takes keywords only": (
            FETCH + "test_what_cannot_be_fetched_is_an_error | fetch() takes 1 positional argument",
        ),
        "a network failure is an OSError": (FETCH + "test_an_origin_that_does_not_answer_is_an_os_error",),
        "a status of 500 is no error": (FETCH + "test_an_answer_of_500_is_not_an_error",),
        "FormData": (FORMS + "f.get_all('a')", FORMS + "f['a'] = '3'", FORMS + "del f['a']"),
        "Blob": (FORMS + "Blob('abc').slice(1, 2, 't/u')",),
        "File": (FORMS + "last_modified=5", "sdk/test_request.py::test_an_uploaded_file_is_a_file"),
        "handler": (EXAMPLE + "test_an_old_decorated_handler",),
        "env has bindings as attributes": (
            "contract/test_env.py::test_bindings_are_attributes",
            "contract/test_env.py::test_a_missing_binding_tells_what_is_bound",
        ),
        "results of bindings have items and attributes": (KV + "test_results_have_items_and_attributes",),
        "options as keywords or as a last dict": (
            "../bindings/kv/test_python_arguments.py::test_keywords_are_one_object_behind_the_others",
        ),
        "None is absent": (KV + "test_options_of_none_are_absent",),
        "a service binding: fetch and methods": (PUBLIC + "test_workers_call_each_other",),
        "ASSETS": (
            "../bindings/assets/test_python_view.py::test_a_script_fetches_its_own_files_and_those_of_a_bound_worker",
        ),
        "workers.env, patch_env": ("python/test_shims.py::test_env_can_be_read_at_the_top_and_patched_inside",),
        "DurableObject, WorkflowEntrypoint": (
            "python/test_isolate.py::test_a_durable_object_in_a_script_does_not_keep_it_from_running",
            EXAMPLE + "test_a_binding_that_is_not_emulated_is_named_when_it_is_used",
        ),
        "python_to_rpc, python_from_rpc": (FETCH + "test_values_are_converted_for_rpc",),
    },
    "3 headers": {
        "no case, None for a missing one, get, get_all, items, in": (
            "sdk/test_headers.py::test_headers_are_looked_up_whatever_their_case_before_and_after_the_message_is_built",
            "sdk/test_headers.py::test_the_methods_of_an_email_message_are_there",
        ),
        "lower case, joined, Set-Cookie apart": (
            "sdk/test_headers.py::test_the_methods_of_an_email_message_are_there",
        ),
        "JavaScript's methods on a raw request": (
            IDIOM + "request.headers.get('Authorization')",
            IDIOM + "Headers.new(); h.set('X-A'",
        ),
    },
    "4 js and pyodide": {
        "names of js with .new": ("test_features.py::test_what_the_table_names_can_be_imported",),
        "what is not emulated is refused by name": (
            "test_features.py::test_what_the_table_refuses_is_refused_by_name",
        ),
        "Response.new in three spellings": (
            IDIOM + "Response.new('t', status=201",
            IDIOM + "Response.new('t', {'status': 404})",
            IDIOM + "Response.new('t', to_js({'status': 402",
        ),
        "Response.json, Response.redirect of JavaScript": (
            IDIOM + "Response.json(to_js(",
            IDIOM + "Response.redirect('https://a.b/c', 301)",
        ),
        "Headers.new in all spellings": (
            IDIOM + "Headers.new({'b': '2'",
            IDIOM + "Headers.new({'a': '1'}.items())",
            IDIOM + "Headers.new([['a', 'b']])",
            IDIOM + "g = Headers.new(h)",
        ),
        "to_js with and without dict_converter": (
            IDIOM + "m = to_js({'a': 1})",
            IDIOM + 'dict_converter=Object.fromEntries)", "o.a.b[0]',
        ),
        "Object.fromEntries, Object.new": (
            IDIOM + "Object.fromEntries([['a', 1]])",
            IDIOM + "o = Object.new(); o.x = 1",
        ),
        "JSON.stringify, JSON.parse": (IDIOM + "JSON.stringify({'a': [1", MISTAKE + "JSON.parse('{')"),
        "data as items and attributes": (IDIOM + "d.name, d['name'], d.to_py()", REQUEST + "d.name, d['name']"),
        "methods of proxies": (
            IDIOM + ".to_py()",
            GLOBAL + "o.object_values(), o.object_entries()",
            IDIOM + "to_memoryview()",
            IDIOM + ".then(lambda",
            VALUE + "o.typeof",
        ),
        "pyodide.ffi": (
            IDIOM + "create_proxy(lambda",
            IDIOM + "create_once_callable",
            IDIOM + "isinstance(jsnull, JsNull)",
            IDIOM + "run_sync(",
            VALUE + "pyodide.ffi.wrappers",
        ),
        "URL": (IDIOM + "u.pathname, u.hostname", IDIOM + "u.searchParams.get('q')", IDIOM + "u.search, u.hash"),
        "request.url is text": (IDIOM + "request.url.split('/')",),
        "fetch of js, with an object or keywords": (
            IDIOM + "fetch('https://o.example/x', to_js(",
            IDIOM + "method='POST', headers={'a': 'b'}, body='x'",
            PUBLIC + "test_a_client_of_other_services",
        ),
        "str(request.url), str(request.method)": (IDIOM + "str(request.url), str(request.method)",),
        "console": ("webapi/test_globals.py::test_the_console_writes_log_lines_with_a_level",),
        "import_from_javascript": (
            NOT_THERE + "i('node:fs')",
            "python/test_shims.py::test_env_can_be_read_at_the_top_and_patched_inside | import_from_javascript",
        ),
        "bytes as buffers": (IDIOM + "to_js(b'ab').buffer.to_bytes()", IDIOM + "Uint8Array.new([1, 256, 3])"),
        "crypto": (
            IDIOM + "crypto.randomUUID()",
            IDIOM + "crypto.subtle.digest('SHA-256'",
            "../conformance/test_crypto.py::test_crypto_answers_as_workerd",
        ),
        "js_object of requests and responses": (
            REQUEST + "request._js_request is request.js_object",
            GLOBAL + "r.clone()",
        ),
        "what is not portable says so": (LOADING + "micropip",),
        "Date": (IDIOM + "Date.now() >", IDIOM + "Date.new(0).toISOString()"),
        "asyncio, print, logging; a script that blocks is named": (
            IDIOM + "asyncio.gather(",
            "python/test_watchdog.py::test_a_script_that_blocks_the_loop_is_named_once_with_its_line",
        ),
        "files beside main": (PUBLIC + "test_pages_with_what_pythons_library_has | /self", EXAMPLE + "test_image_gen"),
        "random at the top of a script": (PUBLIC + "test_a_shortener_of_urls_in_the_old_style",),
        "ReadableStream, TransformStream, WebSocketPair": (
            PUBLIC + "test_streams_of_every_kind",
            "webapi/test_websocket.py::test_a_pair_is_taken_apart_in_every_way",
        ),
        "HTMLRewriter": (
            "../conformance/test_html.py::test_html_is_rewritten_as_by_workerd",
            EXAMPLE + "test_opengraph",
        ),
        "caches": (
            "webapi/test_cache.py::test_matching_and_deleting",
            "../conformance/test_cache.py::test_the_cache_answers_as_miniflare",
        ),
    },
    "5 asgi and wsgi": {
        "asgi.fetch(app, request or js_object, env)": (
            EXAMPLE + "test_fastapi",
            ASGI + "test_the_body_comes_in_and_goes_out_in_pieces",
        ),
        "the scope": (ASGI + "test_the_scope_is_the_sdks",),
        "lifespan": (ASGI + "test_the_lifespan_is_run_around_each_request",),
        "streaming": (
            ASGI + "test_the_body_comes_in_and_goes_out_in_pieces",
            PUBLIC + "test_a_fastapi_application_with_everything_that_tutorials_use",
        ),
        "websockets": ("python/gateway/test_asgi_websocket.py::test_a_websocket_of_fastapi_echoes",),
        "asgi.env as a dependency": (ASGI + "test_fastapi_runs_with_its_dependency_on_env",),
        "entrypoint(app)": (ASGI + "test_an_application_is_a_worker_in_one_line",),
        "wsgi.fetch": (
            "python/gateway/test_wsgi.py::test_the_environ_is_the_sdks",
            EXAMPLE + "test_django",
            EXAMPLE + "test_flask",
        ),
    },
    "7 public examples": {
        "01-hello": (EXAMPLE + "test_hello",),
        "02-binding": (EXAMPLE + "test_binding",),
        "03-fastapi": (EXAMPLE + "test_fastapi",),
        "06-assets": (
            "../bindings/assets/test_python_view.py::test_a_script_fetches_its_own_files_and_those_of_a_bound_worker",
        ),
        "08-cron": (EXAMPLE + "test_cron",),
        "16-sync-http-clients": (EXAMPLE + "test_sync_http_clients",),
        "12-image-gen": (EXAMPLE + "test_image_gen",),
        "18-django": (EXAMPLE + "test_django",),
    },
}
# How many rows the specification has, so that none is lost when this table is edited.
COUNTS: Final = {
    "1 entry": 21,
    "2 workers": 41,
    "3 headers": 3,
    "4 js and pyodide": 28,
    "5 asgi and wsgi": 8,
    "7 public examples": 8,
}


@cache
def source(file: str) -> str:
    return (HERE / file).read_text(encoding="utf-8")


@cache
def functions(file: str) -> frozenset[str]:
    nodes = ast.parse(source(file)).body
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def missing(named: str) -> str:
    """What is wrong with the name of a test, "" for nothing."""
    place, _, text = named.partition(" | ")
    file, _, function = place.partition("::")
    if not (HERE / file).is_file():
        return f"{file} does not exist"
    if function not in functions(file):
        return f"{file} has no test {function}"
    if text not in source(file).replace('\\"', '"'):
        return f"{file} has no line with {text!r}"
    return ""


@pytest.mark.parametrize(
    ("section", "row"), [(section, row) for section, rows in ROWS.items() for row in rows], ids=lambda value: value
)
def test_every_row_has_tests_that_exist(section: str, row: str) -> None:
    named = ROWS[section][row]

    assert named, "no test is named"
    assert [problem for test in named if (problem := missing(test))] == []


def test_no_row_was_lost() -> None:
    assert {section: len(rows) for section, rows in ROWS.items()} == COUNTS


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ("test_nothing.py::test_x", "test_nothing.py does not exist"),
        ("contract/test_env.py::test_x", "contract/test_env.py has no test test_x"),
        (
            "contract/test_env.py::test_bindings_are_attributes | no such line",
            "contract/test_env.py has no line with 'no such line'",
        ),
    ],
)
def test_a_test_that_does_not_exist_is_noticed(named: str, problem: str) -> None:
    assert missing(named) == problem
