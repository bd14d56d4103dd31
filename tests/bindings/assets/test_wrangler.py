import pytest

from edgeworker.bindings import AssetsBinding
from edgeworker.config import Assets
from tests.wrangler_compat.project import Project, texts

ALONE = 'name = "w"\ncompatibility_date = "2026-01-01"\n'


def test_a_worker_may_be_assets_alone(project: Project) -> None:
    project.write("public/index.html")
    project.write("index.js")
    project.write("wrangler.toml", ALONE + 'assets = { directory = "./public" }\n')

    (worker,) = project.load().require().workers

    assert (worker.main, worker.is_default_script) == (None, False)
    assert worker.assets == Assets(project.folder / "public")


def test_every_setting_is_read(project: Project) -> None:
    project.write("site/index.html")
    project.worker(
        '[assets]\ndirectory = "site"\nbinding = "FILES"\nhtml_handling = "drop-trailing-slash"\n'
        'not_found_handling = "404-page"\nbase_path = "docs//v1"\nrun_worker_first = ["/api/*", "!/api/x"]\n'
    )

    loaded = project.load()

    assert texts(loaded, "warning") == []
    (worker,) = loaded.require().workers
    assert worker.assets == Assets(
        project.folder / "site", "drop-trailing-slash", "404-page", "/docs/v1/", ("/api/*", "!/api/x"), True
    )
    assert worker.bindings == (AssetsBinding("FILES"),)


@pytest.mark.parametrize(
    ("head", "prefers"),
    [
        ('compatibility_date = "2025-04-01"\n', True),
        ('compatibility_date = "2025-03-31"\n', False),
        ('compatibility_date = "2025-04-01"\ncompatibility_flags = ["assets_navigation_has_no_effect"]\n', False),
        (
            'compatibility_date = "2024-01-01"\ncompatibility_flags = ["assets_navigation_prefers_asset_serving"]\n',
            True,
        ),
    ],
)
def test_whether_navigation_prefers_assets_is_a_matter_of_date_and_flags(
    project: Project, head: str, prefers: bool
) -> None:
    project.write("public/index.html")
    project.write("wrangler.toml", f'name = "w"\n{head}assets = {{ directory = "public" }}\n')

    assets = project.load().require().workers[0].assets

    assert assets is not None
    assert assets.navigation_prefers_assets is prefers


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ("", 'The "assets" property in your configuration is missing the required "directory" property.'),
        (
            'directory = "nothing"',
            'The directory specified by the "assets.directory" field in your configuration file does not exist:\n',
        ),
        (
            'directory = "wrangler.toml"',
            'The directory specified by the "assets.directory" field in your configuration file is not a directory:\n',
        ),
        ('directory = "public"\nbinding = "A"', "Cannot use assets with a binding in an assets-only Worker.\n"),
        ('directory = "public"\nrun_worker_first = true', "Cannot set run_worker_first without a Worker script.\n"),
        (
            'directory = "public"\nrun_worker_first = ["api"]',
            "Invalid routes in `run_worker_first`:\n'api': rules must start with '/' or '!/'",
        ),
        (
            'directory = "public"\nrun_worker_first = ["!api", "/a", "/a"]',
            "Invalid routes in `run_worker_first`:\n'!api': negative rules must start with '!/'",
        ),
        (
            'directory = "public"\nrun_worker_first = ["!/a"]',
            "Invalid routes in `run_worker_first`:\nOnly negative `run_worker_first` rules were provided;",
        ),
        (
            'directory = "public"\nrun_worker_first = []',
            "Invalid routes in `run_worker_first`:\nNo `run_worker_first` rules were provided;",
        ),
        (
            'directory = "public"\nbase_path = "https://x.example/"',
            'Invalid "assets.base_path" "https://x.example/": The value must be a pathname, not a URL.',
        ),
        (
            'directory = "public"\nbase_path = "a?b"',
            'Invalid "assets.base_path" "a?b": The value must not contain query',
        ),
        ('directory = "public"\nbase_path = "a/../b"', 'Invalid "assets.base_path" "a/../b": The value must not'),
    ],
)
def test_what_cannot_be_meant_is_an_error(project: Project, settings: str, error: str) -> None:
    project.write("public/index.html")
    project.write("wrangler.toml", f"{ALONE}[assets]\n{settings}\n")

    assert texts(project.load(), "error")[0].startswith(error)
