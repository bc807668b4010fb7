"""The zip for Home Assistant and the wheel for Python hold what they should."""

from pathlib import Path
import shutil
import subprocess
import sys
import zipfile

import pytest

from scripts.release_zip import build

ROOT = Path(__file__).parents[2]


def test_zip_is_the_integration_and_the_same_each_time(tmp_path: Path) -> None:
    """The manifest lies at the top, no cache is packed, and bytes do not vary."""
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    build(first)
    build(second)
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert "manifest.json" in names
    assert "sdk/drivers/whatsminer.py" in names
    assert "sdk/models.json" in names
    assert "brand/icon.png" in names
    assert "translations/en.json" in names
    assert not [name for name in names if "__pycache__" in name or name[0] == "/"]


@pytest.mark.timeout(180)
def test_wheel_gives_the_package_and_the_command(tmp_path: Path) -> None:
    """``import miningsdk`` and the command come from the wheel alone."""
    uv = shutil.which("uv") or str(ROOT / ".python" / "tools" / "bin" / "uv")
    sources = tmp_path / "sources"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        sources.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, sources)
    shutil.copytree(
        ROOT / "custom_components",
        sources / "custom_components",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    subprocess.run(
        [uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path, sources], check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    assert (installed / "miningsdk" / "py.typed").exists()
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); import miningsdk;"
        "assert miningsdk.__file__.startswith(sys.path[0]), miningsdk.__file__;"
        "from miningsdk.cli import main; main(['drivers', '--models', '--json']);"
        "sys.exit(main(['drivers', '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert '"whatsminer-v3"' in done.stdout
    assert "Whatsminer M60S VK40" in done.stdout
    assert not [m for m in done.stderr.splitlines() if "homeassistant" in m]
