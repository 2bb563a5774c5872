"""Names at their former places, for one release."""

import warnings
from collections.abc import Callable
from importlib import import_module


def redirect(old: str, new: str) -> Callable[[str], object]:
    """Warn whoever imports a former module, and return its `__getattr__`.

    Args:
        old: the former module, whose body calls this.
        new: the module to import instead.
    """
    warnings.warn(
        f"{old} moves to {new} and is removed in the next release: import {new}",
        DeprecationWarning,
        stacklevel=3,  # the import statement: Python leaves out the frames of its own importer
    )
    return lambda name: getattr(import_module(new), name)


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
