import subprocess
import sys


def test_building_the_command_line_imports_nothing_slow() -> None:
    script = (
        "import sys, edgeworker.cli; edgeworker.cli.parser();"
        "print([name for name in ('aiohttp', 'aiosqlite', 'rich', 'sqlite3', 'multipart') if name in sys.modules])"
    )

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"
