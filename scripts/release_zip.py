"""Build the zip that is unpacked into ``custom_components/miningsdk``."""

import json
from pathlib import Path
import re
import sys
import tomllib
import zipfile

ROOT = Path(__file__).parents[1]
INTEGRATION = ROOT / "custom_components" / "miningsdk"
# The same files make the same zip, byte for byte.
_EPOCH = (2026, 1, 1, 0, 0, 0)


def check_version(tag: str) -> None:
    """Exit unless all files name the version of the tag."""
    versions = {
        "the tag": tag.removeprefix("v"),
        "manifest.json": json.loads((INTEGRATION / "manifest.json").read_text())[
            "version"
        ],
        "pyproject.toml": tomllib.loads((ROOT / "pyproject.toml").read_text())[
            "project"
        ]["version"],
    }
    changelog = (ROOT / "CHANGELOG.md").read_text()
    if match := re.search(r"^## \[(\d\S*)\]", changelog, re.MULTILINE):
        versions["CHANGELOG.md"] = match[1]
    if len(set(versions.values())) > 1:
        sys.exit(f"release: the versions differ: {versions}")


def build(target: Path) -> None:
    """Write the zip, its files in order and without caches."""
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(INTEGRATION.rglob("*")):
            if file.is_dir() or "__pycache__" in file.parts:
                continue
            entry = zipfile.ZipInfo(str(file.relative_to(INTEGRATION)), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1]:
        check_version(sys.argv[1])
    build(ROOT / "dist" / "miningsdk.zip")
