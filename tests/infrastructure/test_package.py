"""What an app installs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import ses_suppression

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves folders behind."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "ses_suppression", source / "ses_suppression", ignore=unwanted)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(target), str(source)], check=True)
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "ses_suppression").rglob("*.py")}
    assert names == modules | {"ses_suppression/py.typed"}


def test_an_app_installs_boto3_and_nothing_else_with_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        metadata = archive.read(name).decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert required == [
        "Requires-Dist: boto3>=1.34",
        'Requires-Dist: rich>=14; extra == "cli"',
        'Requires-Dist: typer>=0.16; extra == "cli"',
        'Requires-Dist: cryptography>=45; extra == "webhook"',
    ]


def test_to_import_the_package_costs_no_sdk() -> None:
    program = "import sys, ses_suppression; print([m for m in sys.modules if 'boto' in m])"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_public_names_are_these() -> None:
    """What is removed or renamed here breaks somebody's app."""
    assert ses_suppression.__all__ == [
        "AddressesUnknownError",
        "AllRecipientsSuppressedError",
        "CacheSettings",
        "ConflictError",
        "InvalidActionError",
        "InvalidAddressError",
        "InvalidPolicyError",
        "InvalidStreamError",
        "MissingSettingError",
        "Policy",
        "Reason",
        "SESSuppressionError",
        "Screening",
        "StoreUnavailableError",
        "Suppression",
        "SuppressionList",
        "Unknown",
        "guard",
        "sending",
    ]
    for name in ses_suppression.__all__:
        assert getattr(ses_suppression, name).__doc__
        # In a process of its own: a module of the same name would be what is imported there.
        statement = f"from ses_suppression import {name}; assert callable({name})"
        subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = ses_suppression.Nothing


def test_the_fixture_is_an_empty_list_in_memory(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_an_app(suppressions):
            assert suppressions.check("jane@example.com") is None
            suppressions.suppress("jane@example.com", by="test", note="as if she had bounced")
            assert suppressions.check("jane@example.com").reason == "MANUAL"
        """
    )
    pytester.runpytest("-p", "ses_suppression.integrations.pytest").assert_outcomes(passed=1)
