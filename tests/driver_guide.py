"""The files and examples of docs/drivers.md, taken from the page as it stands."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
import re
import tomllib

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "drivers.md"
_BLOCK = re.compile(
    r"(?:^File `(?P<file>[^`]+)`:\n\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block of code; ``file`` is what the page calls it."""

    file: str | None
    language: str
    text: str


@cache
def blocks() -> tuple[Block, ...]:
    """Return all blocks of code."""
    return tuple(
        Block(match["file"], match["language"], match["text"])
        for match in _BLOCK.finditer(GUIDE.read_text())
    )


@cache
def files() -> dict[str, str]:
    """Return the files of the example by their path."""
    found = [(block.file, block.text) for block in blocks() if block.file]
    assert len(dict(found)) == len(found), "a file stands there twice"
    return dict(found)


def flow_example() -> str:
    """Return the one block that is no file: the config flow that hands over."""
    (block,) = (block for block in blocks() if block.file is None)
    return block.text


def write(folder: Path, *names: str) -> Path:
    """Write files of the example into a folder, each under its path."""
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(files()[name])
    return folder


def install(folder: Path) -> Path:
    """Put the package into a folder as an installer would do."""
    project = tomllib.loads(files()["pyproject.toml"])
    (module,) = project["tool"]["setuptools"]["py-modules"]
    write(folder, f"{module}.py")
    name, version = project["project"]["name"], project["project"]["version"]
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
    )
    lines = []
    for group, points in project["project"]["entry-points"].items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder
