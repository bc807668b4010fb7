"""What the documentation says of the commands is what the drivers say."""

from collections.abc import Sequence
import re
from typing import ClassVar, override

from custom_components.miningsdk.sdk import Capability, Miner, PoolConfig
from scripts.control_matrix import COMMANDS, PAGE, cell, drivers, matrix, with_tables


def test_tables_are_those_of_the_drivers() -> None:
    text = PAGE.read_text()
    assert with_tables(text) == text, "run: python -m scripts.control_matrix"
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", matrix(), re.MULTILINE)
    assert listed == [driver.name for driver in drivers()]


def test_every_command_of_a_miner_is_told_of() -> None:
    told = {name for driver in drivers() for name in driver.implemented()}
    assert told <= set(COMMANDS)
    setters = {name for name in vars(Miner) if name.startswith("set_")}
    others = {"pause", "reboot", "restart", "locate"}
    assert len(setters | others) == len(COMMANDS)


def test_cells() -> None:
    class Example(Miner):
        name = "example"
        confirm_longer: ClassVar[dict[Capability, float]] = {Capability.FAN: 60.0}
        restarts = frozenset({Capability.FAN})
        unseen = frozenset({Capability.FAN, Capability.LOCATE})

        @override
        async def _reboot(self) -> None: ...

        @override
        async def _locate(self, on: bool) -> None: ...

        @override
        async def _set_fan(self, duty: float | None) -> None: ...

        @override
        async def _set_pools(self, pools: Sequence[PoolConfig]) -> None: ...

    shown = {name: cell(Example, name) for name in COMMANDS}  # type: ignore[type-abstract]
    assert shown[Capability.FAN] == "60 s **R** **T**"
    assert shown[Capability.LOCATE] == "30 s **T**"
    assert shown[Capability.POOLS] == "30 s"
    assert shown[Capability.REBOOT] == "sent"
    assert shown[Capability.PAUSE] == "–"
