"""Which script a worker runs."""

import pytest

from edgeworker.bindings import KVBinding
from edgeworker.javascript.build import Build, ModuleRule
from tests.wrangler_compat.project import DEFAULT_SCRIPT, Project, bindings, only, texts

NO_MAIN = 'name = "w"\ncompatibility_date = "2026-01-01"\n'
TOKENS = '[[kv_namespaces]]\nbinding = "TOKENS"\nid = "1"\n'


def test_a_python_main_runs_from_the_folder_of_its_configuration(project: Project) -> None:
    project.worker(name="sub/wrangler.toml")

    worker = only(project.load("sub/wrangler.toml").require())

    assert (worker.main, worker.is_default_script) == (project.folder / "sub/worker.py", False)


def test_without_main_the_default_script_runs_with_a_warning(project: Project) -> None:
    project.write("wrangler.toml", NO_MAIN + TOKENS)

    loaded = project.load()

    worker = only(loaded.require())
    assert (worker.main, worker.is_default_script) == (DEFAULT_SCRIPT, True)
    assert bindings(worker)["TOKENS"] == KVBinding("TOKENS", "1")
    assert texts(loaded, "warning") == [
        'The worker "w" has no "main": it runs the built-in split-token script. '
        'To run your own, add main = "worker.py".'
    ]


def test_an_edge_that_asks_for_the_default_script_is_not_warned_of_it(project: Project) -> None:
    project.write("wrangler.toml", NO_MAIN + TOKENS)
    project.write("edge.toml", 'workers = [{ config = "wrangler.toml", default_script = true }]\n')

    loaded = project.load(edge="edge.toml")

    assert only(loaded.require()).is_default_script
    assert texts(loaded, "warning") == []


def test_the_default_script_gets_its_namespace_where_none_is_configured(project: Project) -> None:
    project.write("wrangler.toml", NO_MAIN)

    loaded = project.load()

    binding = bindings(only(loaded.require()))["TOKENS"]
    assert isinstance(binding, KVBinding)
    assert binding.namespace_id in texts(loaded, "warning")[-1]
    assert [namespace.id for namespace in loaded.config.namespaces] == [binding.namespace_id]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ('main = "src/index.js"\n', "src/index.js"),
        ('main = "x.mjs"\n', "x.mjs"),
        ('main = "x.ts"\n', "x.ts"),
        ("", "index.js"),
        ("", "src/index.ts"),
        ('type = "webpack"\n', "index.js"),
        ('[build.upload]\nmain = "./x.mjs"\n', "dist/x.mjs"),
    ],
)
def test_javascript_runs_and_the_default_script_can_take_its_place(project: Project, text: str, script: str) -> None:
    project.write("wrangler.toml", NO_MAIN + text + TOKENS)
    project.write(script)

    loaded = project.load()
    replaced = project.load(use_default_script=True)

    worker = only(loaded.require())
    assert (worker.main, worker.is_default_script) == (project.folder / script, False)
    assert worker.javascript == Build(project.folder)
    assert only(replaced.require()).is_default_script
    assert "runs in its place" in texts(replaced, "warning")[-1]


def test_how_javascript_is_built_comes_from_wranglers_fields(project: Project) -> None:
    project.write(
        "wrangler.toml",
        NO_MAIN
        + 'main = "src/index.ts"\nno_bundle = true\nfind_additional_modules = true\nbase_dir = "src"\nminify = true\n'
        'keep_names = false\ntsconfig = "tsconfig.json"\njsx_factory = "h"\njsx_fragment = "F"\n'
        'rules = [{ type = "Text", globs = ["**/*.md"], fallthrough = true }]\n'
        'define = { VERSION = "7" }\nalias = { a = "./b" }\n' + TOKENS,
    )
    project.write("src/index.ts")

    assert only(project.load().require()).javascript == Build(
        project.folder,
        no_bundle=True,
        find_additional_modules=True,
        base_dir=project.folder / "src",
        rules=(ModuleRule("text", ("**/*.md",), fallthrough=True),),
        define={"VERSION": "7"},
        alias={"a": "./b"},
        minify=True,
        keep_names=False,
        tsconfig=project.folder / "tsconfig.json",
        jsx_factory="h",
        jsx_fragment="F",
    )


@pytest.mark.parametrize(
    ("main", "says"),
    [
        ("gone.py", 'The entry-point file at "gone.py" was not found.'),
        ("folder", 'The entry-point file at "folder" was not found (it is a folder).'),
        (
            "worker.txt",
            'The entry-point file at "worker.txt" is not a script that runs here: its name must end in ".py", or for '
            'JavaScript and TypeScript in ".js", ".mjs", ".ts", ".tsx" or ".jsx".',
        ),
    ],
)
def test_a_main_that_cannot_run_is_an_error(project: Project, main: str, says: str) -> None:
    project.write("wrangler.toml", NO_MAIN + f'main = "{main}"\n')
    project.write("worker.txt")
    project.write("folder/x.py")

    assert texts(project.load(), "error") == [says]


def test_a_worker_in_rust_is_refused(project: Project) -> None:
    project.write("wrangler.toml", NO_MAIN + 'type = "rust"\n')

    assert 'type = "rust"' in texts(project.load(), "error")[0]
