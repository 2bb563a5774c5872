"""The code of all functions: one asset, pure Python, the same bytes everywhere. No Docker."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

ROOT = Path(__file__).parent.parent
WHEELS = ROOT / ".wheels"
_FILE, _FOLDER = 0o644, 0o755
_PACKAGES = ("ses_suppression", "lambdas")
_NOT_BUNDLED = (
    "__pycache__",
    "__main__.py",
    "requirements.txt",
    "cli",
    "client",
    "contrib",
    "integrations",
    "lists",
    "operations",
    "testing.py",
    "explanation.py",
    "undo.py",
    "checks",
    "environment.py",
    "account_list.py",
    "memory.py",
    "snapshot.py",
    "webhook.py",
)


def function_code() -> lambda_.Code:
    """Give the code of all functions."""
    return lambda_.Code.from_asset(
        str(ROOT / "lambdas"),
        asset_hash_type=AssetHashType.OUTPUT,
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=_LocalBundling()),
    )


@jsii.implements(ILocalBundling)
class _LocalBundling:
    def try_bundle(self, output_dir: str, *_args: Any, **_options: Any) -> bool:  # noqa: ANN401  # jsii's own
        bundle(Path(output_dir))
        return True


def bundle(target: Path) -> None:
    """Put the packages and what they need into a folder.

    Raises:
        RuntimeError: pip failed, or a dependency is not pure Python. (CDK would fall back to Docker
            on anything less.)
    """
    requirements = str(ROOT / "lambdas" / "requirements.txt")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    command += [
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--target",
        str(target),
        "-r",
        requirements,
    ]
    if WHEELS.is_dir():  # filled by `make setup`, so that a synth needs no network
        command += ["--no-index", "--find-links", str(WHEELS)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # our own command
    if result.returncode != 0:
        raise RuntimeError(f"pip could not install {requirements}:\n{result.stderr}")
    for package in _PACKAGES:
        shutil.copytree(
            ROOT / package, target / package, ignore=shutil.ignore_patterns(*_NOT_BUNDLED)
        )
    # pip writes the interpreter's path into these: they would differ between two machines.
    shutil.rmtree(target / "bin", ignore_errors=True)
    for record in [*target.glob("*.dist-info/RECORD"), *target.glob("*.dist-info/direct_url.json")]:
        record.unlink()
    _make_readable(target)
    native = [path.name for path in target.rglob("*") if path.suffix in {".so", ".pyd", ".dylib"}]
    if native:
        raise RuntimeError(f"the bundle has to be pure Python, and has {', '.join(native)}")


def _make_readable(folder: Path) -> None:
    """Let everybody read the code, whatever the umask here: in Lambda somebody else runs it.

    "Troubleshoot Lambda deployment package errors" in AWS's Knowledge Center asks for these modes.
    The asset's hash is one of contents alone, so two modes of one bundle would be one asset.
    """
    for path in (folder, *folder.rglob("*")):
        path.chmod(_FOLDER if path.is_dir() else _FILE)
