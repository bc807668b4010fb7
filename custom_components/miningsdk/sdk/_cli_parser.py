"""What the command line understands."""

import argparse
import math
import os
from pathlib import Path
from typing import Any

import orjson

from .targets import InvalidTarget, register_addresses

PASSWORD = "MININGSDK_PASSWORD"  # The name of a variable, not a secret.
PAIRED_AS = "miningsdk"
# What only some drivers take, by the names that all of them use.
OPTIONS = (
    "unit",
    "topic",
    "anonymous",
    "invert",
    "allow_cooling",
    "channel",
    "base",
    "table",
    "registers",
    "secure",
)
type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001
_HOST: dict[str, Any] = {
    "metavar": "HOST[:PORT]",
    "help": "the device; for a pool also an address such as https://HOST/PATH, "
    "or nothing for the pool's own",
}
_EPILOG = f"""\
exit codes: 0 done; 1 the device refused or could not be reached; 2 wrong usage

The password may also stand in the environment variable {PASSWORD}, so that
it is not seen in the list of processes.
"""


def build(version: str) -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="miningsdk",
        description="Find, read and control Bitcoin mining hardware.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"miningsdk {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_scan(commands)
    _add_read(commands)
    _add_watch(commands)
    _add_set(commands)
    _add_pair(commands)
    _add_drivers(commands)
    return parser


def _command(
    commands: Commands,
    name: str,
    help_text: str,
    *parents: argparse.ArgumentParser,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + ".",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=parents,
        # The beginning of one option's name may be the whole name of another one.
        allow_abbrev=False,
    )
    parser.set_defaults(
        json=False,
        driver=None,
        drivers=None,
        username=None,
        password=os.environ.get(PASSWORD) or None,
        timeout=None,
        **dict.fromkeys(OPTIONS),
    )
    return parser


def _common() -> argparse.ArgumentParser:
    # No defaults here: an option may stand before or after an action, and the
    # default of the inner parser would undo what the outer one was given.
    parent = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    parent.add_argument("--json", action="store_true", help="print JSON, not tables")
    parent.add_argument(
        "--drivers",
        metavar="DIR",
        help="folder with files that describe further drivers "
        "(default: ~/.config/miningsdk/drivers)",
    )
    return parent


def _credentials() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    parent.add_argument("--username", metavar="U", help="account on the device")
    parent.add_argument(
        "--password", metavar="P", help=f"its password (or set {PASSWORD})"
    )
    parent.add_argument(
        "--timeout",
        metavar="S",
        type=_positive,
        help="seconds for each reading (default: what the driver thinks fit)",
    )
    return parent


def _device() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    parent.add_argument(
        "--driver",
        metavar="NAME",
        help="do not identify the device but use this driver (see: miningsdk drivers)",
    )
    _add_driver_options(parent.add_argument_group("options of some drivers"))
    return parent


def _add_driver_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--unit", metavar="ID", type=_unit_id, help="Modbus unit id (default 1)"
    )
    group.add_argument(
        "--topic", metavar="NAME", help="what all MQTT topics of the device begin with"
    )
    group.add_argument(
        "--anonymous", action="store_true", help="use an MQTT broker without a login"
    )
    group.add_argument(
        "--invert",
        action="store_true",
        help="the meter's current transformers are the wrong way round",
    )
    group.add_argument(
        "--allow-cooling",
        action="store_true",
        help="allow commands to the cooling of a container; "
        "miners overheat within minutes without it",
    )
    group.add_argument(
        "--channel",
        metavar="N",
        type=_whole,
        help="one circuit of a meter of several, counted from 0 (default: their sum)",
    )
    group.add_argument(
        "--base", metavar="ADDRESS", type=_whole, help="where a SunSpec map begins"
    )
    group.add_argument(
        "--table",
        metavar="FILE",
        type=_json_file,
        help="JSON file with the registers of a meter that has no driver of its own",
    )

    group.add_argument(
        "--registers",
        metavar="LIST",
        type=_registers,
        help="where the channels of a sensor are, counted from 0, such as 2,3,4,5",
    )
    group.add_argument(
        "--secure",
        action=argparse.BooleanOptionalAction,
        help="ask a pool by https, or not (default: as its address says; "
        "else https on the internet, http at home)",
    )


def _add_scan(commands: Commands) -> None:
    parser = _command(
        commands, "scan", "find devices on the network", _common(), _credentials()
    )
    parser.add_argument(
        "targets",
        nargs="+",
        metavar="TARGET",
        help="network (10.0.0.0/24), range (10.0.0.1-50), address or name, "
        "each with :PORT or not",
    )
    parser.add_argument(
        "--concurrency",
        metavar="N",
        type=_count,
        default=256,
        help="hosts asked at once (default 256)",
    )
    parser.add_argument(
        "--connect-timeout",
        metavar="S",
        type=_positive,
        default=1.0,
        help="seconds that a host has to answer (default 1)",
    )
    parser.add_argument(
        "--second-timeout",
        metavar="S",
        type=_not_negative,
        default=3.0,
        help="seconds for silent hosts when asked again (default 3; 0: do not ask)",
    )
    parser.add_argument(
        "--listen",
        action=argparse.BooleanOptionalAction,
        help="also find devices that announce themselves by mDNS "
        "(default: unless all targets are on this machine)",
    )


def _add_read(commands: Commands) -> None:
    parser = _command(
        commands, "read", "read one device", _common(), _credentials(), _device()
    )
    parser.add_argument("host", nargs="?", **_HOST)


def _add_watch(commands: Commands) -> None:
    parser = _command(
        commands,
        "watch",
        "read devices again and again",
        _common(),
        _credentials(),
        _device(),
    )
    parser.add_argument("hosts", nargs="*", **_HOST)
    parser.add_argument(
        "--interval",
        metavar="S",
        type=_not_negative,
        default=5.0,
        help="seconds from one reading to the next (default 5)",
    )
    parser.add_argument(
        "--count", metavar="N", type=_count, help="stop after so many readings"
    )


def _add_set(commands: Commands) -> None:
    def parents() -> list[argparse.ArgumentParser]:
        # Parsers share the options of a parent, and their defaults with them.
        return [_common(), _credentials(), _device()]

    parser = _command(
        commands, "set", "tell a device what to do and see that it does", *parents()
    )
    parser.add_argument("host", metavar="HOST[:PORT]")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help_text: str) -> argparse.ArgumentParser:
        return actions.add_parser(
            name,
            help=help_text,
            description=help_text,
            parents=parents(),
            allow_abbrev=False,
        )

    action("pause", "stop hashing")
    action("resume", "hash again")
    action("reboot", "reboot the device")
    action("restart", "restart the mining process")
    action("locate", "blink").add_argument("value", choices=("on", "off"))
    for name, unit, help_text in (
        ("power-limit", "W", "limit the power"),
        ("throttle", "PERCENT", "run at a part of full power"),
        ("target-temperature", "C", "what the fans aim for"),
        ("frequency", "MHZ", "frequency of the chips"),
        ("voltage", "V", "voltage of the chips"),
    ):
        action(name, help_text).add_argument("value", metavar=unit, type=_not_negative)
    action("power-mode", "choose a power mode").add_argument("value", metavar="NAME")
    action("profile", "choose a tuning profile").add_argument("value", metavar="NAME")
    action("fan", "duty of the fans").add_argument(
        "value", metavar="auto|PERCENT", type=_fan
    )
    board = action("board", "let a hashboard hash, or keep it from it")
    board.add_argument(
        "key", metavar="INDEX", type=_whole, help="the index that a reading shows"
    )
    board.add_argument("value", choices=("on", "off"))
    action("cooling", "switch the cooling of a container").add_argument(
        "value", choices=("on", "off")
    )
    action("reset-cooling", "acknowledge the alarms of a container's cooling")
    socket = action("socket", "switch a socket of a container or meter")
    socket.add_argument("key", metavar="INDEX", type=_whole)
    socket.add_argument("value", choices=("on", "off"))
    actuator = action("actuator", "switch a pump, fan or mode of a container")
    actuator.add_argument("key", metavar="KEY")
    actuator.add_argument("value", choices=("on", "off"))
    setpoint = action("setpoint", "set a value of a container's cooling")
    setpoint.add_argument("key", metavar="KEY")
    setpoint.add_argument("value", metavar="VALUE", type=_number)
    pools = action("pools", "replace the pools, in order of priority")
    pools.add_argument(
        "value", nargs="+", metavar="URL USER [PASS]", help="one to three of these"
    )


def _add_pair(commands: Commands) -> None:
    parser = _command(
        commands,
        "pair",
        "have a device make a password while its button is pressed",
        _common(),
    )
    parser.add_argument("host", metavar="HOST[:PORT]")
    parser.add_argument(
        "--driver",
        metavar="NAME",
        help="do not identify the device but use this driver (see: miningsdk drivers)",
    )
    parser.add_argument(
        "--name",
        default=PAIRED_AS,
        help="what the device lists the password by; an earlier one of the same name "
        f"becomes void (default {PAIRED_AS})",
    )
    parser.add_argument(
        "--timeout", metavar="S", type=_positive, help="seconds to wait for the device"
    )


def _add_drivers(commands: Commands) -> None:
    parser = _command(
        commands, "drivers", "list the device families that are known", _common()
    )
    parser.add_argument(
        "--models",
        action="store_true",
        help="list the models of miners instead, with what is known of each",
    )


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def _positive(text: str) -> float:
    if (value := _number(text)) <= 0:
        raise argparse.ArgumentTypeError("it must be more than 0")
    return value


def _not_negative(text: str) -> float:
    if (value := _number(text)) < 0:
        raise argparse.ArgumentTypeError("it must not be negative")
    return value


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("it must be a whole number from 0 to 65535")
    return int(text)


def _unit_id(text: str) -> int:
    if (value := _whole(text)) > 255:
        raise argparse.ArgumentTypeError("it must be a whole number from 0 to 255")
    return value


def _json_file(name: str) -> Any:
    try:
        return orjson.loads(Path(name).read_bytes())
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{name}: {error}") from None


def _registers(text: str) -> tuple[int, ...]:
    try:
        return register_addresses(text)
    except InvalidTarget as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("it must be a whole number from 1")
    return int(text)


def _fan(text: str) -> float | str:
    return text if text == "auto" else _not_negative(text)
