"""Fixtures by resource: each lives in ``fix_<resource>.py`` and is loaded from here."""

from pathlib import Path

pytest_plugins = [f"tests.{path.stem}" for path in sorted(Path(__file__).parent.glob("fix_*.py"))]
