"""The house's own rules: what the linters cannot say."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("connect", "connectors", "core_log")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FORBIDDEN_NAMES = re.compile(r"(Manager|Helper|Util|Utils|Base|Impl|Abstract)$")


def test_no_file_is_a_crowd() -> None:
    crowded = {str(path.relative_to(ROOT)): lines for path in SOURCES if (lines := path.read_text().count("\n")) > 600}
    assert not crowded


def test_names_say_what_things_are() -> None:
    vague = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and FORBIDDEN_NAMES.search(node.name)
    ]
    assert not vague


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if (tree := ast.parse(path.read_text())).body and ast.get_docstring(tree) is None
    ]
    assert not silent


def test_the_wheel_holds_the_packages_and_nothing_of_the_users() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    assert set(settings["include"]) == {pattern for package in PACKAGES for pattern in (package, f"{package}.*")}
    assert not list((ROOT / "config").rglob("*.py")), "config/ holds files to copy: an importable one would shadow a user's own"


def test_every_folder_of_code_is_a_package() -> None:
    """The wheel's packages are found by their __init__.py: a folder without one would be left out in silence."""
    assert not [str(path.parent.relative_to(ROOT)) for path in SOURCES if not (path.parent / "__init__.py").exists()]
