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


def remove(module: str, name: str, instead: str) -> Callable[[str], object]:
    """Return the `__getattr__` of a module whose one name is removed.

    Args:
        module: the module.
        name: what is removed.
        instead: what to use in place of it.
    """

    def find(asked: str) -> object:
        if asked == name:
            raise ImportError(f"{module}.{name} is removed: use {instead}")
        raise AttributeError(f"module {module!r} has no attribute {asked!r}")

    return find
