"""Names at their former places, for one release."""

import warnings
from collections.abc import Callable
from importlib import import_module


def redirect(old: str, new: str) -> Callable[[str], object]:
    """Return the `__getattr__` of a module whose names are in another one now.

    Args:
        old: the former module.
        new: the module to import instead.
    """

    def find(name: str) -> object:
        found = getattr(import_module(new), name)
        warnings.warn(
            f"{old} moves to {new} and is removed in the next release: import {name} from there",
            DeprecationWarning,
            stacklevel=2,
        )
        return found

    return find
