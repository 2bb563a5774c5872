"""`make bench`: measure, and with `RECORD=1` write the results and the pages made from them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import cold_start, end_to_end, ingest, memory, parsing, screening
from benchmarks.measure import Result, markdown, read, write
from benchmarks.page import RESULTS
from docs import generate

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
BENCHMARKS = {
    "parsing": parsing.results,
    "ingest": ingest.results,
    "screening": screening.results,
    "end-to-end": end_to_end.results,
    "cold-start": cold_start.results,
    "memory": memory.results,
}


@app.command()
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Some of {', '.join(BENCHMARKS)}; else all.")
    ] = None,
    *,
    record: Annotated[
        bool, typer.Option("--record", help="Write the results, and the pages made from them.")
    ] = False,
) -> None:
    """Measure side by side with what a user would otherwise write, and with the limit."""
    unknown = set(names or ()) - BENCHMARKS.keys()
    if unknown:
        raise typer.BadParameter(f"there are {', '.join(BENCHMARKS)}, not {', '.join(unknown)}")
    chosen = {name: BENCHMARKS[name] for name in names or BENCHMARKS}
    measure(chosen, results=RESULTS if record else None)
    if record:
        generate.main()
    else:
        typer.echo("Nothing was recorded: `make bench RECORD=1` does that.")


def measure(
    benchmarks: Mapping[str, Callable[[], Iterable[Result]]], *, results: Path | None
) -> None:
    """Run benchmarks and print their results.

    Args:
        benchmarks: by their names.
        results: the file that keeps them, written after each result; None: they are only printed.
    """
    for run in benchmarks.values():
        for result in run():
            typer.echo(f"{markdown(result)}\n")
            if results:
                write(results, {**read(results), result.name: result})


if __name__ == "__main__":
    app()
