"""The wheel holds the package and its types, and the types hold."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import statehouse

SDK = Path(__file__).resolve().parents[1]
BOUND_S = 300


def _needs(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


def test_the_types_hold_under_mypys_strict_rules() -> None:
    _needs("mypy")
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=SDK, capture_output=True, text=True, timeout=BOUND_S)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wheel_is_built_and_can_be_imported_from(tmp_path: Path) -> None:
    for module in ("build", "setuptools", "wheel"):
        _needs(module)
    # A copy: a build leaves files beside its sources.
    source = tmp_path / "source"
    shutil.copytree(SDK, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(tmp_path), str(source)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=BOUND_S)
    assert done.returncode == 0, done.stdout + done.stderr
    wheel = tmp_path / f"statehouse-{statehouse.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {f"statehouse/{path.name}" for path in (SDK / "src/statehouse").glob("*.py")}
    assert names - {name for name in names if ".dist-info/" in name} == modules | {"statehouse/py.typed"}
    code = "import statehouse; print(statehouse.__version__, statehouse.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(wheel)}, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith(statehouse.__version__) and str(wheel) in done.stdout, done.stderr
