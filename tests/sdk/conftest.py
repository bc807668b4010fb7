"""Fixtures for the tests of the SDK."""

import asyncio
from collections.abc import Callable
import os
from pathlib import Path
import subprocess
import sys

import pytest

SDK = Path(__file__).parents[2] / "custom_components" / "miningsdk" / "sdk"

type Python = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Python:
    """Return a function that runs Python with the SDK as a package of its own."""
    place = tmp_path_factory.mktemp("site")
    (place / "miningsdk").symlink_to(SDK)
    environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONSAFEPATH": "1"}

    def python(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return python


@pytest.fixture
async def be_quick() -> None:
    """Do without asyncio's notes of who made what, which take a third of the time."""
    asyncio.get_running_loop().set_debug(False)
