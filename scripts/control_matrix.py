"""Write the tables of docs/control.md: what miners can be told, from their drivers."""

from collections.abc import Iterable, Sequence
from pathlib import Path
import sys

from custom_components.miningsdk.sdk import Capability, Miner, registry

PAGE = Path(__file__).parents[1] / "docs" / "control.md"
_TAKEN = "nothing: it is done once the device has taken it"
# What a command is called, and what the device must show before it counts as done.
COMMANDS = {
    Capability.PAUSE: (
        "`pause`, `resume`",
        "`status` is `paused`; after `resume` neither `paused` nor `unknown`",
    ),
    Capability.REBOOT: ("`reboot`", _TAKEN),
    Capability.RESTART: ("`restart` of the mining process", _TAKEN),
    Capability.LOCATE: ("`locate`", "`locating`"),
    Capability.POOLS: (
        "`pools`, one to three of them",
        "`pools`: addresses and users in their order; passwords are never told",
    ),
    Capability.POWER_LIMIT: ("`power-limit` in W", "`power_limit`"),
    Capability.POWER_MODE: ("`power-mode`", "`power_mode`"),
    Capability.PROFILE: ("`profile`", "`settings.profile`"),
    Capability.THROTTLE: ("`throttle` in % of full power", "`settings.throttle`"),
    Capability.FAN: (
        "`fan` in % or `auto`",
        "`settings.fan` or `settings.fan_automatic`",
    ),
    Capability.TARGET_TEMPERATURE: (
        "`target-temperature` in °C",
        "`settings.target_temperature`",
    ),
    Capability.FREQUENCY: ("`frequency` in MHz", "`settings.frequency`"),
    Capability.VOLTAGE: ("`voltage` in V", "`settings.voltage`"),
    Capability.BOARD_ENABLE: (
        "one hashboard on or off (`set_board_enabled` of the SDK)",
        "`enabled` of that board",
    ),
}
_ONLY_TAKEN = (Capability.REBOOT, Capability.RESTART)


def drivers() -> list[type[Miner]]:
    """Return the drivers of miners, by name."""
    return [driver for driver in registry.drivers() if issubclass(driver, Miner)]


def with_tables(page: str) -> str:
    """Return the page's text with its tables brought up to date."""
    tables = {"commands": commands(), "matrix": matrix(), "sleep": sleep()}
    for name, table in tables.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}{table}{end}{after}"
    return page


def commands() -> str:
    """Return the table of the commands."""
    return _table(("command", "shown by"), COMMANDS.values())


def matrix() -> str:
    """Return the table of who takes which command."""
    return _table(
        ("driver", *map(_words, COMMANDS)),
        (
            (f"`{driver.name}`", *(cell(driver, name) for name in COMMANDS))
            for driver in drivers()
        ),
    )


def cell(driver: type[Miner], capability: Capability) -> str:
    """Return whether a driver takes a command, how long it may take, and its marks."""
    if capability not in driver.implemented():
        return "–"
    if capability in _ONLY_TAKEN:
        return "sent"
    within = driver.confirm_longer.get(capability, driver.confirm_within)
    marks = {"R": driver.restarts, "T": driver.unseen}
    shown = [f"**{mark}**" for mark, names in marks.items() if capability in names]
    return " ".join((f"{within:g} s", *shown))


def sleep() -> str:
    """Return the table of those settings that sleep takes the place of."""
    return _table(
        ("driver", "setting"),
        (
            (f"`{driver.name}`", ", ".join(map(_words, sorted(driver.lost_asleep))))
            for driver in drivers()
            if driver.lost_asleep
        ),
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _words(capability: Capability) -> str:
    return capability.value.replace("_", " ")


if __name__ == "__main__":
    text = PAGE.read_text()
    wanted = with_tables(text)
    if "--check" in sys.argv[1:] and text != wanted:
        sys.exit("docs/control.md is old; run: python -m scripts.control_matrix")
    PAGE.write_text(wanted)
