"""Every claim that a test can check is checked."""

import ast
import doctest
import importlib
import pkgutil
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ses_suppression
from benchmarks.measure import read
from benchmarks.page import PAGE, RESULTS, names_on
from docs import generate
from docs.configuration import EXAMPLE
from ses_suppression.deployment import METRIC_NAMESPACE, Metric, StackOutput, Variable
from stacks.config import Config, EnvironmentSettings
from tests.pages import anchors_of

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(ses_suppression.__path__, "ses_suppression.")
    if not module.name.endswith(("__main__", ".django"))
)
LEVELS = (
    {"errors", "arns", "deployment", "deprecation"},
    {"core", "webhook", "notification", "policy", "snapshot", "contrib"},
    {"store"},
    {"ingest", "ses_account"},
    {"client", "operations"},
    {"testing"},
    {"integrations", "lists"},
    {"cli"},
)
"""The folders and modules of `ses_suppression`: each imports from those above it alone."""

CODE = ("ses_suppression", "stacks", "lambdas", "local")


@pytest.mark.filterwarnings("ignore:ses_suppression:DeprecationWarning")  # of former modules
@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_and_link_of_a_page_exists(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b(?=`|$|\s{2})", text, re.MULTILINE)) <= targets
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
    files = re.findall(r"`((?:ses_suppression|stacks|lambdas|local|tests|docs)/[\w./-]*)`", text)
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize(
    "file",
    [*PAGES, *(path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py")))],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_every_section_that_is_linked_exists(file: Path) -> None:
    text = file.read_text()
    from_root = re.findall(r"\b(docs/[\w/-]+\.md)#([\w-]+)", text)
    linked = [(ROOT / page, anchor) for page, anchor in from_root]
    if file.suffix == ".md":
        links = re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", text)
        linked = [(file.parent / page if page else file, anchor) for page, anchor in links]
    assert [anchor for page, anchor in linked if anchor not in anchors_of(page)] == []


def test_the_example_of_the_configuration_has_every_key_and_is_accepted() -> None:
    config = Config.from_context({"env": "prod", "environments": {"prod": EXAMPLE}})
    assert list(EXAMPLE) == list(EnvironmentSettings.model_fields)
    assert config.policy == EXAMPLE["policy"]


@pytest.mark.parametrize("page", generate.PAGES, ids=lambda page: page.name)
def test_a_page_that_is_made_from_code_is_what_the_code_says_now(page: Path) -> None:
    assert page.read_text() == generate.PAGES[page](), "run `make docs`"


def test_every_recorded_result_has_its_place_on_the_performance_page() -> None:
    assert sorted(names_on(PAGE.read_text())) == sorted(read(RESULTS))


def test_a_goal_that_was_not_met_is_explained() -> None:
    page = PAGE.read_text()
    for section in page.split("\n## "):
        assert ("| **not met** |" in section) == ("**Not met" in section), section.partition("\n")[
            0
        ]


SOURCES = {
    ".".join(path.relative_to(ROOT / "ses_suppression").with_suffix("").parts): path
    for path in sorted((ROOT / "ses_suppression").rglob("*.py"))
    if path.stem != "__init__"
}


def imported_by(path: Path) -> set[str]:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.update(f"{node.module}.{alias.name}" for alias in node.names)
    return imported


def ours(path: Path) -> set[str]:
    """Return the modules of the package that a file imports, without the package's name."""
    names = {name.removeprefix("ses_suppression.") for name in imported_by(path)}
    return {name for name in SOURCES if any(f"{one}.".startswith(f"{name}.") for one in names)}


@pytest.mark.parametrize("name", SOURCES)
def test_imports_run_one_way_and_the_core_knows_no_aws(name: str) -> None:
    path, folder = SOURCES[name], name.partition(".")[0]
    roots = {one.partition(".")[0] for one in imported_by(path)}
    assert not roots & {"stacks", "lambdas", "local", "tests", "moto", "ministack"}
    if folder not in {"ses_suppression", "__main__"}:
        (level,) = (number for number, names in enumerate(LEVELS) if folder in names)
        folders = {one.partition(".")[0] for one in ours(path)}
        assert folders <= set().union({folder}, *LEVELS[:level])
    if folder == "core":
        assert not re.search(r"\b(now|today|time)\(", path.read_text()), "a clock"
        assert not roots & {"boto3", "botocore", "os", "time"}


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {name: ours(path) - {name} for name, path in SOURCES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(SOURCES)


def test_contributing_says_the_order_of_imports() -> None:
    text = " ".join((ROOT / "CONTRIBUTING.md").read_text().split())
    assert (
        "`cli` → `integrations`, `lists` → `testing` → `client`, `operations` → "
        "`ingest`, `ses_account` → `store` → `core` → `errors`, `arns`, `deployment`" in text
    )
    assert set(re.findall(r"`(\w+)`", text[text.index("`cli` →") : text.index("`deployment`")])) | {
        "deployment"
    } == set().union(*LEVELS) - {
        "deprecation", "webhook", "notification", "policy", "snapshot", "contrib",
    }  # fmt: skip


@pytest.mark.parametrize("folder", CODE)
def test_a_name_that_several_parts_share_is_written_in_the_contract_alone(folder: str) -> None:
    shared: set[str] = {*Variable, *StackOutput, *Metric, METRIC_NAMESPACE}
    # The AWS API, custom resources, an alarm and a graph have these names as well.
    shared -= {"ConfigurationSetName", "Identities", "Sending", "GivenBack", "Applied", "Feed"}
    for path in (ROOT / folder).rglob("*.py"):
        if path.name != "deployment.py":
            nodes = ast.walk(ast.parse(path.read_text()))
            texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
            assert not texts & shared, path


def test_every_test_that_the_reliability_page_names_exists() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    named = re.findall(r"`(tests/(\w+)/[\w/]+\.py)::(\w+)` \| ([\w ,]+) \|", page)
    assert len(named) > 30
    for path, folder, name, lane in named:
        assert f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"
        assert lane.removesuffix(", slow") in LANES[folder], f"{path}::{name}"


LANES = {
    "unit": {"pure"},
    "integration": {"moto", "fault proxy", "DynamoDB Local"},
    "infrastructure": {"template"},
    "e2e": {"emulator", "pure"},  # the judge of the chaos run is tested beside it
}
