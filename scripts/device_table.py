"""Write the table of supported devices into the README, from the drivers themselves."""

from pathlib import Path
import sys

from custom_components.miningsdk.sdk import registry
from custom_components.miningsdk.sdk._cli_show import describe_driver

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- devices: begin -->\n", "<!-- devices: end -->\n"
_NEEDS = {
    "never": "no",
    "control": "for control",
    "always": "yes",
}


def table() -> str:
    """Return the table as Markdown."""
    rows = [
        "| driver | make | models | wire | password | control |",
        "|---|---|---|---|---|---|",
    ]
    for driver in registry.drivers():
        capabilities = describe_driver(driver)["capabilities"]
        names = capabilities if isinstance(capabilities, list) else []
        control = ", ".join(name.replace("_", " ") for name in names)
        rows.append(
            f"| `{driver.name}` | {driver.make or 'any'} | {driver.models} "
            f"| {driver.transport} | {_NEEDS[driver.needs_password]} "
            f"| {control or 'read only'} |"
        )
    return "\n".join(rows) + "\n"


def with_table(readme: str) -> str:
    """Return the README's text with the table brought up to date."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    text = README.read_text()
    wanted = with_table(text)
    if "--check" in sys.argv[1:] and text != wanted:
        sys.exit("README.md: the table of devices is old; run scripts/device_table.py")
    README.write_text(wanted)
