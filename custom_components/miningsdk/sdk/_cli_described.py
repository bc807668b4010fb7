"""Drivers of the command line that files describe, and warnings for its user."""

from collections.abc import Generator
from contextlib import contextmanager
import logging
import os
from pathlib import Path
import sys

from ._cli_set import WrongUsage
from ._cli_show import plain

_PREFIX = "miningsdk:"


def usual_folder() -> Path:
    """Return where the files are looked for unless another folder is named."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "miningsdk" / "drivers"


def use_described(folder: str | None) -> bool:
    """Register the drivers of a folder; complain and return false if one is broken.

    Raises:
        WrongUsage: the folder that was named does not exist.
    """
    found = usual_folder() if folder is None else Path(folder)
    if not found.is_dir():
        if folder is not None:
            raise WrongUsage(f"there is no folder {folder}")
        return True
    # Most people have no such files, and need not wait for this.
    from . import described  # noqa: PLC0415

    problems = described.use(found)
    for problem in problems:
        print(f"{_PREFIX} {plain(str(problem))}", file=sys.stderr)  # noqa: T201
    return not problems


@contextmanager
def warnings_shown() -> Generator[None]:
    """Print what the SDK warns of on the standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter(f"{_PREFIX} %(message)s"))
    logger = logging.getLogger(__package__)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
