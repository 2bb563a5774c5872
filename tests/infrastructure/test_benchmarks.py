"""What a run of the benchmarks writes: nothing, unless it is asked to record."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.__main__ import measure
from benchmarks.measure import Result, Row, read, write
from benchmarks.page import RESULTS


def result(name: str, value: float) -> Result:
    row = Row(name="ours", values=(value,))
    return Result(name=name, title="x", back_end="x", unit="s", rows=(row,), goals=())


def test_a_run_that_is_not_recorded_leaves_the_results_alone() -> None:
    before = RESULTS.read_bytes()
    measure({"fast": lambda: [result("ingest", 1.0)]}, results=None)
    assert RESULTS.read_bytes() == before


def test_a_recorded_run_keeps_the_other_results_and_each_one_that_came_before_an_end(
    tmp_path: Path,
) -> None:
    file = tmp_path / "results.json"
    write(file, {"other": result("other", 1.0), "ingest": result("ingest", 2.0)})

    def interrupted() -> Iterator[Result]:
        yield result("ingest", 3.0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure({"ingest": interrupted}, results=file)
    found = read(file)
    assert found["other"].rows[0].values == (1.0,)
    assert found["ingest"].rows[0].values == (3.0,)
