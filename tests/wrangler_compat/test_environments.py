"""Which values count in an environment. Its texts are compared with wrangler's in tests/conformance."""

import pytest

from edgeworker.schema.diagnostics import Diagnostics
from tests.wrangler_compat.project import Project, bindings, document, only, places, texts
from wrangler_compat.environments import ResolvedEnvironment, choose
from wrangler_compat.fields import FIELDS


def environment(text: str, env: str | None) -> ResolvedEnvironment:
    return choose(document(text), env, Diagnostics())


@pytest.mark.parametrize("field", [field.name for field in FIELDS if field.inheritance == "inherited"])
def test_an_environment_inherits_what_it_does_not_set(field: str) -> None:
    chosen = environment(f'{field} = "top"\n[env.x]\n', "x")

    # An environment is a worker of its own, with a name of its own.
    assert chosen.values[field] == ("top-x" if field == "name" else "top")


@pytest.mark.parametrize("field", [field.name for field in FIELDS if field.inheritance == "own"])
def test_an_environment_does_not_inherit_bindings_and_the_like(field: str) -> None:
    assert field not in environment(f'{field} = "top"\n[env.x]\n', "x").values


@pytest.mark.parametrize("field", [field.name for field in FIELDS if field.inheritance != "top level"])
def test_what_an_environment_sets_replaces_the_whole_value(field: str) -> None:
    chosen = environment(f"{field} = {{ a = 1 }}\n[env.x]\n{field} = {{ b = 2 }}\n", "x")

    assert chosen.values[field] == {"b": 2}
    assert chosen.where[field] == ("env", "x", field)


@pytest.mark.parametrize("env", [None, ""])
def test_without_an_environment_the_top_level_counts(env: str | None) -> None:
    chosen = environment('name = "w"\nvars = { A = "1" }\n[env.x]\nname = "other"\n', env)

    assert (chosen.name, chosen.values["vars"]) == ("w", {"A": "1"})


def test_a_worker_without_a_name_is_called_worker() -> None:
    assert environment("", None).name == "worker"


def test_bindings_of_the_chosen_environment_are_loaded(project: Project) -> None:
    project.worker('[vars]\nA = "top"\n[env.staging.vars]\nA = "staging"\n')

    worker = only(project.load(env="staging").require())

    assert worker.name == "w-staging"
    assert getattr(bindings(worker)["A"], "text", None) == "staging"


def test_the_environment_may_come_from_cloudflare_env_and_the_option_wins(project: Project) -> None:
    project.worker('[env.a]\n[env.b]\nname = "own"\n')
    environ = {"CLOUDFLARE_ENV": "a"}

    assert only(project.load(environ=environ).require()).name == "w-a"
    assert only(project.load(environ=environ, env="b").require()).name == "own"
    assert only(project.load(environ=environ, env="").require()).name == "w"


def test_a_warning_is_given_where_environments_exist_and_none_was_chosen(project: Project) -> None:
    project.worker("[env.a]\n")

    assert texts(project.load(for_deployment=True), "warning")[0].startswith("Multiple environments are defined")
    assert texts(project.load(env="", for_deployment=True), "warning") == []
    assert texts(project.load(), "warning") == []  # wrangler's dev does not say it


def test_an_environment_that_was_misspelt_is_told_what_there_is(project: Project) -> None:
    project.worker("[env.staging]\n[env.production]\n")

    loaded = project.load(env="stagging")

    assert 'Did you mean "staging"?' in loaded.diagnostics.render("error")


def test_an_environment_that_does_not_exist_among_others_is_an_error_and_alone_a_warning(project: Project) -> None:
    project.worker("")
    alone = project.load(env="nope")
    project.worker("[env.a]\n")
    among_others = project.load(env="nope")

    assert texts(alone, "error") == []
    assert only(alone.config).name == "w-nope"
    assert 'No environment found in configuration with name "nope".' in texts(among_others, "error")[0]
    assert 'The available configured environment names are: ["a"]' in texts(among_others, "error")[0]


def test_a_message_about_an_environment_stands_under_its_heading_with_the_line_in_it(project: Project) -> None:
    project.worker('[env.staging]\nworkers_dev = "yes"\n')

    loaded = project.load(env="staging")

    assert '  - "env.staging" environment configuration\n' in loaded.diagnostics.render("error")
    assert places(loaded, "error") == ["wrangler.toml:6 (env.staging.workers_dev)"]


def test_a_route_that_loses_to_inherited_routes_is_told(project: Project) -> None:
    project.worker('routes = ["example.com/*"]\n[env.x]\nroute = "x.example.com/*"\n')

    loaded = project.load(env="x")

    assert [route.pattern for route in loaded.require().routes] == ["example.com/*"]
    assert texts(loaded, "warning")[-1].startswith('"env.x" sets "route", but inherits "routes"')


def test_a_generated_file_must_hold_no_environments_and_be_for_the_chosen_one() -> None:
    diagnostics = Diagnostics()
    read = document('targetEnvironment = "a"\n[env.b]\n')

    choose(read, "c", diagnostics, redirected=True, by="CLOUDFLARE_ENV environment variable")

    first, second = diagnostics.of("error")
    assert first.text.startswith("Redirected configurations cannot include environments")
    assert second.text.startswith(
        'You have specified the environment "c" via the CLOUDFLARE_ENV environment variable.\n'
        'This does not match the target environment "a"'
    )
    assert diagnostics.of("warning") == []


@pytest.mark.parametrize("env", [None, "", "a"])
def test_a_generated_file_is_accepted_for_its_environment_or_none(env: str | None) -> None:
    diagnostics = Diagnostics()

    chosen = choose(document('name = "w"\ntargetEnvironment = "a"\n'), env, diagnostics, redirected=True)

    assert diagnostics.messages == []
    assert chosen.name == "w"


def test_an_environment_that_is_not_a_table_is_an_error() -> None:
    diagnostics = Diagnostics()

    choose(document("env = { x = 5 }\n"), "x", diagnostics)

    assert [message.text for message in diagnostics.of("error")] == ['The field "env.x" should be an object but got 5.']
