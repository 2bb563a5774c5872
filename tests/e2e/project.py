"""Other configurations than those of `cdk.json`, for the unmodified app."""

import json
from pathlib import Path
from typing import Any

from local.cdk import ROOT


def project_with(folder: Path, **environments: dict[str, Any]) -> Path:
    """Write a `cdk.json` of its own into a folder; everything else is as in the repository's."""
    settings = json.loads((ROOT / "cdk.json").read_text())
    settings["app"] = f"python3 {ROOT / 'app.py'}"
    settings["context"]["environments"] = environments
    (folder / "cdk.json").write_text(json.dumps(settings))
    return folder
