"""The former places of names still work, and say where the names are now."""

from importlib import import_module

import pytest

MOVED = {
    "ses_suppression.webhook": ("ses_suppression.integrations.webhook", "receive"),
    "ses_suppression.notification": ("ses_suppression.core.notification", "parse"),
    "ses_suppression.policy": ("ses_suppression.core.policy", "Policy"),
    "ses_suppression.contrib.django": ("ses_suppression.integrations.django", "EmailBackend"),
}


@pytest.mark.parametrize("old", MOVED)
def test_a_name_at_its_former_place_works_and_names_the_new_one(old: str) -> None:
    new, name = MOVED[old]
    with pytest.warns(DeprecationWarning, match=f"{old} moves to {new} and is removed"):
        found = getattr(import_module(old), name)
    assert found is getattr(import_module(new), name)


def test_a_name_that_is_removed_names_what_to_use() -> None:
    with pytest.raises(ImportError, match=r"Snapshot is removed: use .*iter_screen.*screen FILE"):
        _ = import_module("ses_suppression.snapshot").Snapshot


@pytest.mark.parametrize("old", [*MOVED, "ses_suppression.snapshot"])
def test_a_name_that_never_was_is_no_warning(old: str) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        import_module(old).no_such_name  # noqa: B018  # it raises
