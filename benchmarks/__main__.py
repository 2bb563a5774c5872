"""`make bench`: measure, and write what was found into `docs/performance.md`."""

from typing import Annotated

import typer

from benchmarks import cold_start, end_to_end, ingest, memory, parsing, screening
from benchmarks.measure import markdown, read, write
from benchmarks.page import PAGE, RESULTS, with_results

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
) -> None:
    """Measure side by side with what a user would otherwise write, and with the limit."""
    unknown = set(names or ()) - BENCHMARKS.keys()
    if unknown:
        raise typer.BadParameter(f"there are {', '.join(BENCHMARKS)}, not {', '.join(unknown)}")
    found = read(RESULTS)
    for name in names or BENCHMARKS:
        for result in BENCHMARKS[name]():
            typer.echo(f"{markdown(result)}\n")
            found[result.name] = result
            write(RESULTS, found)
    PAGE.write_text(with_results(PAGE.read_text(), found))


if __name__ == "__main__":
    app()
