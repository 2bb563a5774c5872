"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import ses_suppression

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(ses_suppression.__path__, "ses_suppression.")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.failed == 0
