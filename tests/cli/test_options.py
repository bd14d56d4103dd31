import argparse
from pathlib import Path

from edgeworker.cli.options import add_config_options, load_options


def test_the_options_become_what_load_wants() -> None:
    parser = argparse.ArgumentParser()
    add_config_options(parser)

    loaded = load_options(
        parser.parse_args(
            ["-c", "a.toml", "-c", "b.toml", "--edge", "edge.toml", "-e", "x", "--var", "A:1", "--origin", "http://o"]
        )
    )

    assert loaded.configs == (Path("a.toml"), Path("b.toml"))
    assert (loaded.edge, loaded.env, loaded.variables, loaded.origin) == (Path("edge.toml"), "x", ("A:1",), "http://o")
    assert loaded.default_script.name == "worker.py"
    assert not loaded.use_default_script
