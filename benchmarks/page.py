"""The tables of `docs/performance.md`: made from `benchmarks/results.json`, which a run writes."""

import re
from collections.abc import Mapping

from benchmarks.measure import Result, markdown, read
from benchmarks.servers import ROOT

PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results.json"
_BLOCK = re.compile(r"<!-- result: ([\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def names_on(page: str) -> list[str]:
    """Name the results that have their place on the page."""
    return _BLOCK.findall(page)


def with_results(page: str, results: Mapping[str, Result]) -> str:
    """Write each result into its place."""

    def block(match: re.Match[str]) -> str:
        name = match[1]
        text = markdown(results[name]) if name in results else "not measured yet"
        return f"<!-- result: {name} -->\n{text}\n<!-- end -->"

    return _BLOCK.sub(block, page)


def performance_page() -> str:
    """Return the text of the page with the recorded results."""
    return with_results(PAGE.read_text(), read(RESULTS))
