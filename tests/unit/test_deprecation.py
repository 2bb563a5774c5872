"""The former places of names still work, and say where the names are now."""

import subprocess
import sys
from importlib import import_module

import pytest

MOVED = {
    "ses_suppression.webhook": ("ses_suppression.integrations.webhook", "receive"),
    "ses_suppression.notification": ("ses_suppression.core.notification", "parse"),
    "ses_suppression.policy": ("ses_suppression.core.policy", "Policy"),
    "ses_suppression.contrib.django": ("ses_suppression.integrations.django", "EmailBackend"),
}


@pytest.mark.parametrize("old", MOVED)
def test_a_former_module_warns_whoever_imports_it_and_has_the_names_of_the_new_one(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, name = MOVED[old]
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=f"{old} moves to {new} and is removed") as warned:
        exec(f"from {old} import {name}", found := {"__name__": "an app"})  # noqa: S102  # an import
    assert found[name] is getattr(import_module(new), name)
    assert [one.filename for one in warned] == ["<string>"]


def test_warnings_that_are_errors_end_the_import_with_the_new_path() -> None:
    program = "from ses_suppression.webhook import receive"
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr.endswith("import ses_suppression.integrations.webhook\n")


@pytest.mark.parametrize("place", ["ses_suppression", "ses_suppression.snapshot"])
def test_a_name_that_is_removed_names_what_to_use(place: str) -> None:
    with pytest.raises(ImportError, match=r"Snapshot is removed: use .*iter_screen.*screen FILE"):
        exec(f"from {place} import Snapshot")  # noqa: S102  # an import


@pytest.mark.filterwarnings("ignore:ses_suppression")
@pytest.mark.parametrize("old", [*MOVED, "ses_suppression", "ses_suppression.snapshot"])
def test_a_name_that_never_was_is_no_warning(old: str) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        import_module(old).no_such_name  # noqa: B018  # it raises
