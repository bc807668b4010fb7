"""What the README says of the devices is what the drivers say."""

import re

from custom_components.miningsdk.sdk import registry
from scripts.device_table import README, with_table


def test_table_of_devices_is_that_of_the_drivers() -> None:
    text = README.read_text()
    assert with_table(text) == text, "run: python -m scripts.device_table"
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.MULTILINE)
    assert listed == [driver.name for driver in registry.drivers()]


def test_picture_is_there() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README.read_text()):
        assert (README.parent / path).stat().st_size > 10_000
