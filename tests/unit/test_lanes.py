"""The tests follow the tree, and each lane needs no more than it says."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FOLDERS = sorted({path.parent for path in (ROOT / "tests" / "unit").rglob("test_*.py")})

IMPORT_WITHOUT_STACK_AND_EMULATOR = """
import importlib, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ImportError(name)
sys.meta_path.insert(0, Absent())
for name in {names!r}:
    importlib.import_module(name)
"""


def test_the_unit_tests_need_no_cdk_and_no_emulator() -> None:
    modules = [path.relative_to(ROOT).with_suffix("") for path in TESTS]
    names = [".".join(module.parts) for module in modules if module.parts[1] == "unit"]
    absent = {"aws_cdk", "constructs", "jsii", "stacks", "pydantic", "ministack", "moto"}
    program = IMPORT_WITHOUT_STACK_AND_EMULATOR.format(absent=absent, names=names)
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_folder_of_unit_tests_is_one_of_the_code(folder: Path) -> None:
    name = folder.relative_to(ROOT / "tests" / "unit")
    assert (ROOT / "ses_suppression" / name).is_dir() or (ROOT / name).is_dir()


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_imports_from_a_module_of_tests(path: Path) -> None:
    imported = {
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    assert [name for name in imported if ".test_" in name] == []
