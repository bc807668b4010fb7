"""The cgminer socket API of Braiins OS: of BOSminer, and of BOSer after it.

Sources: the vendor's page on the BOSminer API, and recorded replies of both. It asks
for no password. One request brings all commands at once.
"""

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any

from ..algorithms import rounded
from ..errors import CommandFailed, InvalidReply, MiningSDKError, NotSupported
from ..fields import Fields
from ..model import Board, Fan, Fault, MinerSettings, MinerStats, MinerStatus
from ..transports import cgminer
from ..transports.wire import Wire
from ._braiins_identity import make_and_model
from ._braiins_status import Judge, Signs
from ._process_clock import ProcessClock
from .cgminer import WINDOWS, difficulty, first, hashrate, pools, unjoin

# What is asked, and the field that is not known without the answer.
_COMMANDS = {
    "summary": "hashrate",
    "devs": "boards",
    "devdetails": "boards",
    "temps": "boards",
    "fans": "fans",
    "pools": "pools",
    "tunerstatus": "power",
    "tempctrl": "settings",
}
# Ids of boards count from 1, on the S9 from 6, where they are plugged in.
_FIRST_IDS = (6, 1)
# BOSminer tells Hz, BOSer MHz; no chip runs at that many MHz.
_HERTZ = 100_000
_NO_SENSOR = (0.0, -273.0)
_TUNING = ("tuning", "testing")
_BROKEN = ("refused", "fail", "error")
# What hashes for longer than this after a pause has not taken it.
_PAUSES_WITHIN = 120.0
_UNEXPLAINED = "it does not hash, and nothing tells why"

type Replies = dict[str, dict[str, Any]]


class Socket:
    """The socket API of one miner; it learns what this firmware knows of it."""

    def __init__(self, wire: Wire, port: int, judge: Judge) -> None:
        """Prepare; the judge remembers when the miner was last asleep."""
        self._wire = wire
        self._port = port
        self._judge = judge
        # When it was paused from here, and whether it has stopped since.
        self._paused_at: float | None = None
        self._stopped = False
        self._turned: set[int] = set()
        # The API answers from the mining process, whose clock then goes on.
        self._clock = ProcessClock()
        self.reset()

    def reset(self) -> None:
        """Forget what the firmware can do; another one may have been installed."""
        self._joined = True
        self._missing: set[str] = set()

    def expect_pause(self) -> None:
        """Note that it was paused from here, which not all firmware shows."""
        self._paused_at, self._stopped = monotonic(), False

    def expect_start(self) -> None:
        """Note that it was resumed from here."""
        self._paused_at = None
        self._judge.expect_start()

    async def run(self, name: str, parameter: str | None = None) -> dict[str, Any]:
        """Run one command; see ``transports.cgminer.command``."""
        return await cgminer.command(self._wire, self._port, name, parameter)

    async def identity(self) -> dict[str, Any]:
        """Return what it tells of who the miner is.

        Raises:
            InvalidReply: it is none with this firmware.
            and what ``run`` raises.
        """
        replies = await self._ask(("version", "devdetails"), {})
        version = Fields(first(replies["version"].get("VERSION")))
        program = next((k for k in version.data if k.upper().startswith("BOS")), None)
        if program is None:
            raise InvalidReply("the miner does not run this firmware")
        details = list(Fields(replies["devdetails"]).children("DEVDETAILS"))
        name = next((model for d in details if (model := d.text("Model"))), None)
        make, model = make_and_model(name)
        words = (version.text(program) or "").split()
        return {
            "make": make,
            "model": model,
            # BOSer is another program, whose version says nothing of the firmware.
            "firmware_version": words[-1]
            if words and not program.upper().startswith("BOSER")
            else None,
        }

    async def knows(self, name: str) -> bool:
        """Tell whether the firmware has a command and lets us run it."""
        try:
            reply = await self.run("check", name)
        except NotSupported, CommandFailed:
            return False
        check = Fields(first(reply.get("CHECK")))
        return bool(check.boolean("Exists") and check.boolean("Access"))

    async def stats(self, failed: dict[str, str]) -> MinerStats:
        """Return what the miner does.

        Raises:
            InvalidReply: it tells no summary.
            and what ``run`` raises.
        """
        replies = await self._ask(_COMMANDS, failed)
        summary = Fields(first(replies["summary"].get("SUMMARY")), failed)
        if not summary:
            raise InvalidReply(failed.get("hashrate") or "the miner tells no summary")
        tuner = Fields(first(replies["tunerstatus"].get("TUNERSTATUS")), failed)
        found = pools(replies["pools"], failed)
        known = found if "pools" not in failed and replies["pools"] else None
        signs = self._signs(summary, tuner)
        status = self._judge.status(
            Signs(**signs, uptime=summary.number("Elapsed"), pools=known)
        )
        if status is MinerStatus.UNKNOWN:
            failed.setdefault("status", _UNEXPLAINED)
        fans = self._fans(replies["fans"], failed)
        return MinerStats(
            status=status,
            hashrate=hashrate(summary, *WINDOWS, "av"),
            hashrate_average=hashrate(summary, "av", field="hashrate_average"),
            power=tuner.number("ApproximateMinerPowerConsumption", field="power"),
            power_limit=tuner.number("PowerLimit", field="power_limit", missing=(0,)),
            fans=fans,
            boards=_boards(replies, failed),
            pools=found,
            accepted=summary.integer("Accepted", field="accepted"),
            rejected=summary.integer("Rejected", field="rejected"),
            stale=summary.integer("Stale", field="stale"),
            hardware_errors=summary.integer("Hardware Errors", field="hardware_errors"),
            best_difficulty=difficulty(summary.data.get("Best Share")),
            uptime=summary.integer("Elapsed", field="uptime"),
            settings=_settings(replies["tempctrl"], fans, failed),
            faults=_faults(tuner),
            failed=failed,
        )

    async def _ask(self, names: Iterable[str], failed: dict[str, str]) -> Replies:
        """Return the answers by command; what is not known is empty."""
        wanted = [name for name in names if name not in self._missing]
        found = await self._together(wanted) if self._joined else None
        if found is None:
            self._joined = False
            found = {}
            for name in wanted:
                found[name] = await self._alone(name, failed)
        for name, reply in found.items():
            self._note(name, reply, failed)
        return {name: found.get(name, {}) for name in names}

    async def _alone(self, name: str, failed: dict[str, str]) -> dict[str, Any]:
        try:
            return await cgminer.request(self._wire, self._port, {"command": name})
        except InvalidReply as error:
            failed.setdefault(_COMMANDS.get(name, name), str(error))
            return {}

    async def _together(self, names: list[str]) -> Replies | None:
        try:
            reply = await cgminer.request(
                self._wire, self._port, {"command": "+".join(names)}
            )
        except InvalidReply:
            return None
        return unjoin(reply, names)

    def _note(self, name: str, reply: dict[str, Any], failed: dict[str, str]) -> None:
        """Note why a command was refused, but for what this firmware never knew."""
        try:
            cgminer.raise_for_status(reply)
        except NotSupported:
            self._missing.add(name)
        except MiningSDKError as error:
            failed.setdefault(_COMMANDS.get(name, name), str(error))

    def _signs(self, summary: Fields, tuner: Fields) -> dict[str, Any]:
        """Return what its words and its hashrate say of its state."""
        elapsed = summary.number("Elapsed", field="uptime")
        if self._clock.has_restarted(elapsed):
            # A restart of the mining process ends a pause.
            self._paused_at = None
        alive = self._clock.goes(elapsed)
        hashing = alive and bool(hashrate(summary, *WINDOWS))
        words = [
            (chain.text("Status") or "").lower()
            for chain in tuner.children("TunerChainStatus")
        ]
        asleep = self._sleeps(hashing) or any("paused" in word for word in words)
        if any("resuming" in word for word in words):
            self._judge.expect_start()
        tunes = any(word.startswith(_TUNING) for word in words)
        return {
            "told": "paused" if asleep else "",
            "tuner": "tuning" if tunes else "",
            "hashing": hashing,
        }

    def _sleeps(self, hashing: bool) -> bool:  # noqa: FBT001
        """Tell whether it still does what it was told from here: not to hash."""
        if self._paused_at is None:
            return False
        if not hashing:
            self._stopped = True
        elif self._stopped or monotonic() - self._paused_at > _PAUSES_WITHIN:
            self._paused_at = None
        return not hashing

    def _fans(self, reply: object, failed: dict[str, str]) -> tuple[Fan, ...]:
        """Return the fans; places where none was ever seen to turn are left out."""
        found = []
        for place, fan in enumerate(Fields(reply, failed).children("FANS")):
            index = fan.integer("ID", "FAN", field="fans")
            speed = fan.number("RPM", field="fans", digits=0)
            duty = fan.number("Speed", field="fans", digits=0)
            index = place if index is None else index
            if speed:
                self._turned.add(index)
            found.append(Fan(index=index, speed=speed, duty=duty))
        return tuple(fan for fan in found if fan.index in self._turned)


def _boards(replies: Replies, failed: dict[str, str]) -> tuple[Board, ...]:
    """Return the boards, whose parts several commands tell by the same id."""
    devs = _by_id(replies["devs"], "DEVS", failed)
    details = _by_id(replies["devdetails"], "DEVDETAILS", failed)
    temps = _by_id(replies["temps"], "TEMPS", failed)
    ids = sorted({*devs, *details, *temps})
    start = next((least for least in _FIRST_IDS if ids and ids[0] >= least), 0)
    nothing = Fields(None)
    return tuple(
        _board(
            number - start,
            devs.get(number, nothing),
            details.get(number, nothing),
            temps.get(number, nothing),
        )
        for number in ids
    )


def _by_id(
    reply: Mapping[str, Any], name: str, failed: dict[str, str]
) -> dict[int, Fields]:
    found = Fields(reply, failed).children(name)
    return {
        number: part
        for part in found
        if (number := part.integer("ID", field="boards")) is not None
    }


def _board(index: int, device: Fields, details: Fields, temps: Fields) -> Board:
    frequency = details.number("Frequency", field="boards", missing=(0,))
    if frequency is not None:
        frequency = round(frequency / 1e6 if frequency > _HERTZ else frequency, 1)
    nominal = device.number("Nominal MHS", field="boards", scale=1e-6, missing=(0,))
    return Board(
        index=index,
        hashrate=hashrate(device, *WINDOWS, "av", field="boards"),
        hashrate_expected=None if nominal is None else rounded(nominal),
        temperature_board=_celsius(temps, "Board"),
        temperature_chip=_celsius(temps, "Chip"),
        chips=details.integer("Chips", field="boards", missing=(0,)),
        frequency=frequency,
        voltage=details.number("Voltage", field="boards", digits=3, missing=(0,)),
        enabled=device.boolean("Enabled", field="boards"),
    )


def _celsius(temps: Fields, key: str) -> float | None:
    value = temps.number(key, field="boards", digits=1, missing=_NO_SENSOR)
    return value if value is not None and -50 < value < 200 else None


def _settings(
    reply: object, fans: tuple[Fan, ...], failed: dict[str, str]
) -> MinerSettings:
    control = Fields(first(Fields(reply).data.get("TEMPCTRL")), failed)
    mode = (control.text("Mode") or "").lower()
    duties = [fan.duty for fan in fans if fan.duty is not None]
    return MinerSettings(
        fan=max(duties, default=None) if mode == "manual" else None,
        fan_automatic=mode == "automatic" if mode else None,
        target_temperature=control.number("Target", field="settings", missing=(0,)),
    )


def _faults(tuner: Fields) -> tuple[Fault, ...]:
    """Return what the tuner complains of, board by board."""
    found = []
    for chain in tuner.children("TunerChainStatus"):
        said = chain.text("Status") or ""
        if any(word in said.lower() for word in _BROKEN):
            number = chain.integer("HashchainIndex", field="faults")
            found.append(
                Fault(
                    code="hashchain",
                    # What follows in braces is the state of the program.
                    message=said.partition(" {")[0],
                    component=None if number is None else f"hashchain {number}",
                )
            )
    return tuple(found)
