"""Headings of the pages."""

import re
from pathlib import Path


def anchors_of(page: Path) -> set[str]:
    """Give the anchors that GitHub makes of the headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
