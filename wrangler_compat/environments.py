"""Which values count once an environment is chosen: inheritance, and what is said about it. Pure.

Source: https://developers.cloudflare.com/workers/wrangler/environments/ and wrangler 4.164.0, whose texts these are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from edgeworker.schema.diagnostics import Diagnostics, KeyPath
from edgeworker.schema.wrangler_checks import FieldContext, as_table, to_json_text
from edgeworker.schema.wrangler_field import Field, binding_names
from edgeworker.suggestions import did_you_mean
from wrangler_compat.document import ConfigFile
from wrangler_compat.fields import FIELDS, LEGACY
from wrangler_compat.unique_names import check_unique_names

_ENV_FIELDS: Final = tuple(field for field in FIELDS if field.inheritance != "top level")
_REMOVED: Final = ("legacy_env", "node_compat")  # wrangler names these by themselves, not as unexpected
_LABELLED: Final = ("rules",)  # the one inherited field whose messages name the environment


@dataclass(frozen=True, slots=True)
class Level:
    """The values of the top level or of one environment, and where each of them stands."""

    values: dict[str, object] = field(default_factory=dict)
    where: dict[str, KeyPath] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResolvedEnvironment:
    """What counts for one worker. `env` is the chosen environment, "" or None for the top level.

    `dev` and the other top-level-only fields are among `values`, too.
    """

    document: ConfigFile
    env: str | None
    values: Mapping[str, object]
    where: Mapping[str, KeyPath]

    @property
    def name(self) -> str:
        name = self.values.get("name")
        return name if isinstance(name, str) and name else "worker"


def choose(
    document: ConfigFile,
    env: str | None,
    diagnostics: Diagnostics,
    *,
    redirected: bool = False,
    by: str = "`--env/-e` CLI argument",
    for_deployment: bool = False,
    tells_inheritance: bool = True,
) -> ResolvedEnvironment:
    """The values of `env`, with every field checked on the way.

    `redirected`: a build tool wrote the file for one environment, so that it holds none itself. `by` says where `env`
    was chosen. `for_deployment` also tells if there are environments and none was chosen;
    without `tells_inheritance` nothing is said of names that `env` does not have and the top level has.
    """
    top = _read_level(document, document.values, (), "", diagnostics)
    _warn_unexpected(
        document, document.values, (), "top-level", (field.name for field in FIELDS), diagnostics, redirected
    )
    environments = as_table(document.values.get("env")) or {}
    environment = ResolvedEnvironment(document, env, top.values, top.where)
    if redirected:
        _check_redirected(document, environments, env, by, diagnostics)
    elif env and env in environments:
        environment = _resolve_environment(
            document, env, environments[env], top, diagnostics, tells_inheritance=tells_inheritance
        )
    elif env:
        environment = _not_found(document, env, top, environments, diagnostics)
    elif env is None and environments and for_deployment:
        _warn_that_none_was_chosen(document, diagnostics)
    check_unique_names(environment.document, environment.values, environment.where, diagnostics)
    return environment


def _label(env: str, item: Field) -> str:
    return f"env.{env}.{item.name}" if env and (item.inheritance == "own" or item.name in _LABELLED) else item.name


def _read_level(
    document: ConfigFile, raw: Mapping[str, object], at: KeyPath, env: str, diagnostics: Diagnostics
) -> Level:
    """Checks every known field of `raw` and leaves out those that wrangler ignores."""
    level = Level()
    for item in _ENV_FIELDS if env else FIELDS:
        if item.name not in raw:
            continue
        context = FieldContext(document, diagnostics, (*at, item.name), _label(env, item))
        if item.name in ("route", "account_id") and raw[item.name] == "":
            context.warning(
                f'The "{item.name}" field in your configuration is an empty string and will be ignored.\n'
                f'Please remove the "{item.name}" field from your configuration.'
            )
            continue
        item.check(context, raw[item.name])
        level.values[item.name] = raw[item.name]
        level.where[item.name] = context.where
    if "route" in level.values and "routes" in level.values:
        diagnostics.error(
            'Expected exactly one of the following fields ["routes","route"].',
            document.locate((*at, "route")),
            document.locate((*at, "routes")),
        )
    _read_legacy(document, raw, at, level, diagnostics)
    return level


def _read_legacy(
    document: ConfigFile, raw: Mapping[str, object], at: KeyPath, level: Level, diagnostics: Diagnostics
) -> None:
    for item in LEGACY:
        if item.name not in raw:
            continue
        where = (*at, item.name)
        location = document.locate(where)
        match item.name, raw[item.name]:
            case "type", "rust":
                diagnostics.error('A worker with type = "rust" does not run here: only Python workers do.', location)
                continue
            case "zone_id", "":
                diagnostics.info('"zone_id" is an empty string and is ignored.', location)
                continue
            case "zone_id", value:
                level.values["zone_id"] = value
                level.where["zone_id"] = where
            case "kv-namespaces", value if "kv_namespaces" not in level.values:
                check = next(field.check for field in FIELDS if field.name == "kv_namespaces")
                check(FieldContext(document, diagnostics, where, "kv_namespaces"), value)
                level.values["kv_namespaces"] = value
                level.where["kv_namespaces"] = where
            case _:
                pass
        diagnostics.warning(item.advice, location)


def _warn_unexpected(
    document: ConfigFile,
    raw: Mapping[str, object],
    at: KeyPath,
    called: str,
    known: Iterable[str],
    diagnostics: Diagnostics,
    redirected: bool = False,
) -> None:
    # A build tool adds these to the file that it writes; wrangler reads them.
    generated = ("topLevelName", "definedEnvironments", "targetEnvironment", "configPath", "userConfigPath")
    context = FieldContext(document, diagnostics, at, called)
    context.unexpected(raw, [*known, *_REMOVED, *(generated if redirected else ())])


def _resolve_environment(
    document: ConfigFile, env: str, raw: object, top: Level, diagnostics: Diagnostics, *, tells_inheritance: bool
) -> ResolvedEnvironment:
    inner = diagnostics.child(f'"env.{env}" environment configuration')
    at: KeyPath = ("env", env)
    own = as_table(raw)
    if own is None:
        inner.error(f'The field "env.{env}" should be an object but got {to_json_text(raw)}.', document.locate(at))
        own = {}
    level = _read_level(document, own, at, env, inner)
    values = dict(level.values)
    where = dict(level.where)
    for item in FIELDS:
        if item.name not in top.values or item.name in values:
            if item.name in values and item.inheritance == "own" and tells_inheritance:
                _warn_not_inherited(document, env, item, values[item.name], top.values.get(item.name), inner)
            continue
        if item.inheritance == "own":
            inner.warning(
                f'"{item.name}" exists at the top level, but not on "env.{env}".\n'
                f'This is not what you probably want, since "{item.name}" is not inherited by environments.\n'
                f'Please add "{item.name}" to "env.{env}".',
                document.locate(top.where[item.name]),
            )
        elif item.name != "name":
            values[item.name] = top.values[item.name]
            where[item.name] = top.where[item.name]
    if "zone_id" in top.values:
        values.setdefault("zone_id", top.values["zone_id"])
        where.setdefault("zone_id", top.where["zone_id"])
    _name(env, values, where, top)
    _warn_about_inherited_routes(document, env, level, top, inner)
    _warn_unexpected(document, own, at, f"env.{env}", (field.name for field in _ENV_FIELDS), inner)
    return ResolvedEnvironment(document, env, values, where)


def _name(env: str, values: dict[str, object], where: dict[str, KeyPath], top: Level) -> None:
    if "name" not in values and (name := top.values.get("name")):
        values["name"] = f"{name}-{env}"
        where["name"] = top.where["name"]


def _warn_about_inherited_routes(
    document: ConfigFile, env: str, level: Level, top: Level, diagnostics: Diagnostics
) -> None:
    inherited = top.values.get("routes")
    if "routes" in level.values or not isinstance(inherited, list):
        return
    domains = [
        str(values.get("pattern"))
        for item in inherited
        if (values := as_table(item)) is not None and values.get("custom_domain") is True
    ]
    if domains:
        diagnostics.warning(
            f'The "env.{env}" environment inherits the top-level `routes` configuration, which includes the custom '
            f"domain(s): {', '.join(domains)}. Deploying this environment will reassign these custom domains away from "
            f'the top-level Worker. Add `"routes": []` to "env.{env}" to prevent inheritance, or copy the route '
            "configuration from the top level to hide this warning.",
            document.locate(top.where["routes"]),
        )
    if "route" in level.values:
        diagnostics.warning(
            f'"env.{env}" sets "route", but inherits "routes" from the top level, and "routes" is what counts.\n'
            f'Write "routes" in "env.{env}" instead.',
            document.locate(level.where["route"]),
        )


def _warn_not_inherited(
    document: ConfigFile, env: str, item: Field, own_value: object, top_value: object, diagnostics: Diagnostics
) -> None:
    """Warns about names of the top level that the environment's own table does not have."""
    if item.compare is None or top_value is None:
        return
    own = set(binding_names(own_value))
    missing = [name for name in binding_names(top_value) if name not in own]
    if not missing:
        return
    location = document.locate(("env", env, item.name))
    listed = "\n".join(f"- {name}" for name in missing)
    match item.compare:
        case "vars":
            called = "vars" if item.name == "vars" else "define entries"
            these = "vars" if item.name == "vars" else "entries"
            diagnostics.warning(
                f'The following {called} exist at the top level, but not on "env.{env}.{item.name}".\n'
                f'This is probably not what you want, since "{item.name}" configuration is not inherited by '
                f'environments.\nPlease add these {these} to "env.{env}.{item.name}":\n{listed}',
                location,
            )
        case "bindings":
            diagnostics.warning(
                f'The following bindings are at the top level, but not on "env.{env}".\n'
                f'This is not what you probably want, since "{item.name}" configuration is not inherited by '
                f'environments.\nPlease add a binding for each to "env.{env}.{item.name}.bindings":\n{listed}',
                location,
            )
        case "items":
            for name in missing:
                diagnostics.warning(
                    f'There is a {item.name} binding with name "{name}" at the top level, but not on "env.{env}".\n'
                    f'This is not what you probably want, since "{item.name}" configuration is not inherited by '
                    f'environments.\nPlease add a binding for "{name}" to "env.{env}.{item.name}.bindings".',
                    location,
                )


def _not_found(
    document: ConfigFile, env: str, top: Level, environments: Mapping[str, object], diagnostics: Diagnostics
) -> ResolvedEnvironment:
    available = (
        f"The available configured environment names are: {to_json_text(list(environments))}\n" if environments else ""
    )
    text = (
        f'No environment found in configuration with name "{env}".\n'
        f"Before using `--env={env}` there should be an equivalent environment section in the configuration.\n"
        f"{available}\n"
        f"Consider adding an environment configuration section to the {document.file.name} file:\n"
        f"```\n[env.{env}]\n```\n"
    )
    location = document.locate(("env",))
    # wrangler's text stays as it is; what was probably meant stands where it was looked for.
    location = replace(location, path=f"{location.path}{did_you_mean(env, environments, before='; ')}")
    (diagnostics.error if environments else diagnostics.warning)(text, location)
    values = dict(top.values)
    where = dict(top.where)
    if name := values.get("name"):
        values["name"] = f"{name}-{env}"
    return ResolvedEnvironment(document, env, values, where)


def _check_redirected(
    document: ConfigFile, environments: Mapping[str, object], env: str | None, by: str, diagnostics: Diagnostics
) -> None:
    if environments:
        listed = "\n".join(f"\t- {name}" for name in environments)
        diagnostics.error(
            f"Redirected configurations cannot include environments but the following have been found:\n{listed}\n\n\n"
            "Such configurations are generated by tools, meaning that one of the tools\n"
            "your application is using is generating the incorrect configuration.\n"
            "Report this issue to the tool's author so that this can be fixed there.",
            document.locate(("env",)),
        )
    target = document.values.get("targetEnvironment")
    if env and target and target != env:
        diagnostics.error(
            f'You have specified the environment "{env}" via the {by}.\n'
            f'This does not match the target environment "{target}" that was used when building the application.\n'
            f'Perhaps you need to re-run the custom build of the project with "{env}" as the selected environment?',
            document.locate(("targetEnvironment",)),
        )


def _warn_that_none_was_chosen(document: ConfigFile, diagnostics: Diagnostics) -> None:
    diagnostics.warning(
        "Multiple environments are defined in the Wrangler configuration file, but no target environment was specified "
        "for the deploy command.\n"
        "To avoid unintentional changes to the wrong environment, it is recommended to explicitly specify the target "
        "environment using the `-e|--env` flag or CLOUDFLARE_ENV env variable.\n"
        "If your intention is to use the top-level environment of your configuration simply pass an empty string to "
        'the flag to target such environment. For example `--env=""`.',
        document.locate(("env",)),
    )
