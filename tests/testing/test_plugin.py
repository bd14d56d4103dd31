"""The pytest plugin, in runs of pytest as a project has them."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytester forgets what a run has imported; what is here already stays, and each run is fast.

pytest_plugins = ["pytester"]

WRANGLER = """
name = "shop"
main = "worker.py"
compatibility_date = "2026-04-01"
compatibility_flags = ["python_workers"]
routes = [{ pattern = "api.example.com/*", zone_name = "example.com" }]
[vars]
GREETING = "hello"
[[kv_namespaces]]
binding = "TOKENS"
id = "0123456789abcdef0123456789abcdef"
[env.staging.vars]
GREETING = "hello, staging"
[[env.staging.kv_namespaces]]
binding = "TOKENS"
id = "staging"
"""
WORKER = """
from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "/pass" in request.url:
            return await fetch(request)
        stored = await self.env.TOKENS.get("k") or ""
        return Response(f"{self.env.GREETING} {stored}".strip())
"""


@pytest.fixture(autouse=True)
def _small_heap() -> Iterator[None]:
    """Each inner run ends with several collections of garbage; what is here already need not be looked through."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a worker; its tests are run with every warning an error."""
    pytester.makefile(".toml", wrangler=WRANGLER)
    pytester.makepyfile(worker=WORKER)
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = -p no:cacheprovider\n")
    return pytester


def run(project: pytest.Pytester, *arguments: str, asyncio: bool = False) -> pytest.RunResult:
    plugin = ["-o", "asyncio_default_fixture_loop_scope=function"] if asyncio else ["-p", "no:asyncio"]
    return project.runpytest_inprocess("-q", "--strict-markers", *plugin, *arguments)


def test_a_sync_test_needs_no_configuration(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        def test_one(edge, kv, origin, clock):
            kv("TOKENS").put("k", "v", expiration_ttl=60)
            assert edge.get("https://api.example.com/").text == "hello v"
            clock.advance(60)
            assert edge.get("https://api.example.com/").text == "hello"
            assert edge.get("https://api.example.com/pass").text == "origin\\n"
            assert len(origin.requests) == 1

        def test_another_edge_is_fresh(edge, kv, origin):
            assert (kv().keys(), origin.requests) == ([], [])
            assert edge.get("/").text == "hello"
        """
    )

    run(project).assert_outcomes(passed=2)


def test_async_tests_use_it_with_pytest_asyncio(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import asyncio
        import pytest

        @pytest.mark.asyncio
        async def test_one(edge):
            assert (await edge.fetch("/")).text == "hello"
            assert edge.url.startswith("http://127.0.0.1:")
            await asyncio.sleep(0)

        class TestThings:
            @pytest.mark.asyncio
            async def test_two(self, edge):
                assert (await edge.fetch("/")).text == "hello"
        """
    )

    run(project, asyncio=True).assert_outcomes(passed=2)


def test_async_tests_use_it_with_anyio(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import anyio
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_one(edge):
            assert (await edge.fetch("/")).text == "hello"
            assert edge.url.startswith("http://127.0.0.1:")
            await anyio.sleep(0)
        """
    )

    run(project).assert_outcomes(passed=1)


def test_unittest_uses_the_class(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import unittest
        from edgeworker.testing import Edge

        class Sync(unittest.TestCase):
            def setUp(self):
                self.edge = self.enterContext(Edge("wrangler.toml"))

            def test_one(self):
                self.assertEqual(self.edge.get("/").text, "hello")

        class Async(unittest.IsolatedAsyncioTestCase):
            async def asyncSetUp(self):
                self.edge = await self.enterAsyncContext(Edge("wrangler.toml"))

            async def test_one(self):
                self.assertEqual((await self.edge.fetch("/")).text, "hello")
        """
    )

    run(project).assert_outcomes(passed=2)


def test_environment_and_variables_are_chosen_by_marker_option_and_ini(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import pytest

        @pytest.mark.edgeworker(env="staging")
        def test_env(edge):
            assert edge.get("/").text == "hello, staging"

        @pytest.mark.edgeworker(variables={"GREETING": "hi"}, start=1_700_000_000)
        def test_variables(edge, clock):
            assert edge.get("/").text == "hi"
            assert clock.now() == 1_700_000_000

        class TestInner:
            pytestmark = pytest.mark.edgeworker(variables={"GREETING": "class"})

            def test_class(self, edge):
                assert edge.get("/").text == "class"
        """,
        test_option="""
        def test_env(edge):
            assert edge.get("/").text == "hello, staging"
        """,
    )

    run(project, "test_it.py").assert_outcomes(passed=3)
    run(project, "test_option.py", "--edgeworker-env=staging").assert_outcomes(passed=1)
    run(project, "test_option.py", "-o", "edgeworker_env=staging").assert_outcomes(passed=1)


def test_the_configuration_is_that_next_to_the_test_or_the_one_that_is_named(project: pytest.Pytester) -> None:
    inner = project.mkdir("inner")
    (inner / "wrangler.toml").write_text(WRANGLER.replace('"hello"', '"inner"'))
    (inner / "worker.py").write_text(WORKER)
    (inner / "test_inner.py").write_text('def test(edge):\n    assert edge.get("/").text == "inner"\n')
    project.makepyfile(
        test_outer="""
        import pytest

        def test_outer(edge):
            assert edge.get("/").text == "hello"

        @pytest.mark.edgeworker(config="inner/wrangler.toml")
        def test_marked(edge):
            assert edge.get("/").text == "inner"
        """,
        test_named='def test(edge):\n    assert edge.get("/").text == "inner"\n',
    )

    run(project, "test_outer.py", "inner").assert_outcomes(passed=3)
    run(project, "test_named.py", "--edgeworker-config=inner/wrangler.toml").assert_outcomes(passed=1)


def test_a_configuration_of_python_values_needs_no_file(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        worker=WORKER,
        test_it="""
        from pathlib import Path
        import pytest
        from edgeworker.testing import single_worker

        CONFIG = single_worker(Path(__file__).parent / "worker.py", kv=["TOKENS"], variables={"GREETING": "moin"})

        @pytest.mark.edgeworker(config=CONFIG)
        def test_one(edge):
            assert edge.get("/").text == "moin"
        """,
    )

    run(pytester).assert_outcomes(passed=1)


def test_a_mistake_is_one_sentence(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_no_file(edge): pass

        @pytest.mark.edgeworker(enviroment="x")
        def test_unknown(edge): pass

        @pytest.mark.edgeworker(config=3)
        def test_config(edge): pass

        @pytest.mark.edgeworker(config="a.toml", faults=1)
        def test_faults(edge): pass

        @pytest.mark.edgeworker(config="missing/wrangler.toml")
        def test_missing(edge): pass
        """
    )

    result = run(pytester)

    result.assert_outcomes(errors=5)
    result.stdout.fnmatch_lines(
        [
            "*the fixture edge found none of edge.toml, wrangler.json*name one with*",
            "*@pytest.mark.edgeworker: unknown enviroment; it is edgeworker(config=*",
            "*edgeworker(config=3): give a file, files, or a Config*",
            "*edgeworker(faults=1): give FaultInjection(...)*",
            "*wrangler.toml cannot be read*",
        ]
    )
    result.stdout.no_fnmatch_line("*plugin.py*")


def test_a_failing_test_shows_the_way_of_each_request(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        from edgeworker.testing import Edge

        def test_fixture(edge):
            edge.get("https://api.example.com/pass?token=secret")
            assert False

        def test_own():
            with Edge("wrangler.toml") as edge:
                edge.get("/own")
                assert False

        def test_none():
            assert False
        """
    )

    result = run(project)

    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "*edgeworker: the way of each request*",
            "GET https://api.example.com/pass -> 200",
            "*route*api.example.com/* -> worker shop*",
            "*subrequest*origin http://origin.test: 200*",
            "*worker*shop (route): 200*",
            "*edgeworker: the way of each request*",
            "GET http://localhost/own -> 200",
        ]
    )
    shown = [line for line in result.outlines if line.startswith("GET ")]
    assert len(shown) == 2
    assert "secret" not in "\n".join(line for line in result.outlines if "edge.get" not in line)


def test_faults_are_had_again_with_the_printed_line(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import pytest
        from edgeworker.testing import FaultInjection

        @pytest.mark.edgeworker(faults=FaultInjection(origin_failures=0.5))
        def test_faulty(edge):
            outcomes = [edge.get("https://api.example.com/pass").status for _ in range(20)]
            pytest.fail(f"outcomes {outcomes}")
        """
    )

    first = run(project)
    replay = next(line for line in first.outlines if line.startswith("pytest "))
    again = run(project, *replay.split()[1:])

    first.assert_outcomes(failed=1)
    assert replay.startswith("pytest test_it.py::test_faulty --edgeworker-seed=")
    outcomes = [line for line in first.outlines if line.startswith("E   ") and "outcomes [" in line]
    assert len(outcomes) == 1
    assert outcomes == [line for line in again.outlines if line.startswith("E   ") and "outcomes [" in line]


def test_workers_of_xdist_do_not_disturb_each_other(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import pytest

        @pytest.mark.parametrize("number", range(12))
        def test_one(edge, kv, number):
            assert kv().keys() == []
            kv().put("k", str(number))
            assert edge.get("/").text == f"hello {number}"
        """
    )

    run(project, "-n", "2").assert_outcomes(passed=12)


def test_nothing_is_imported_before_a_fixture_is_used(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import sys

        def test_lazy():
            ours = ("edgeworker", "wrangler_compat", "aiohttp")
            loaded = {name for name in sys.modules if name.split(".")[0] in ours}
            testing = "edgeworker.testing"
            assert loaded == {"edgeworker", testing, testing + ".lending", testing + ".plugin"}
        """
    )

    project.runpytest_subprocess("-p", "no:asyncio").assert_outcomes(passed=1)


def test_the_marker_is_explained(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("-p", "no:asyncio", "--markers")

    result.stdout.fnmatch_lines(["@pytest.mark.edgeworker(config=..., env=...*"])


def test_the_package_says_that_it_is_typed() -> None:
    import edgeworker
    import wrangler_compat

    for package in (edgeworker, wrangler_compat):
        assert package.__file__ is not None
        assert (Path(package.__file__).parent / "py.typed").is_file()
