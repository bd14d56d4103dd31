"""How far a long transfer is: a bar on a terminal, nothing elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    def __call__(self, *, keys: int, done: float) -> None:
        """`keys` so far; `done` in the unit of the total."""
        ...


@contextmanager
def progress(title: str, *, total: float | None) -> Iterator[Progress]:
    """`total` None: it is not known how much there is."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[keys]:,} keys"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, keys=0)

        def show(*, keys: int, done: float) -> None:
            bar.update(task, completed=done, keys=keys)

        yield show


def _silent(*, keys: int, done: float) -> None:
    pass
