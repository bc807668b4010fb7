"""VNish, the firmware of AnthillOS, on Antminer and other hardware.

Sources: the OpenAPI documents of the firmware, replies recorded from an S21 Pro with
1.2.7, and protocols.md 9.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, override

from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    InvalidReply,
    NotSupported,
)
from ..fields import Fields
from ..miner import Miner
from ..model import Capability, DeviceInfo, MinerStats, PoolConfig
from ..transports import http
from ..transports.wire import Probe
from ._custom_firmware import highest_within, step_of
from ._vnish_api import Api
from ._vnish_config import Config, Settings, pools_settings
from ._vnish_identity import (
    MARK,
    Findings,
    board_serials,
    chips_per_board,
    identity,
    presets,
    watts,
)
from ._vnish_stats import Known, is_stopped, read_stats


class VNish(Miner):
    """A miner with VNish 1.2 or later.

    The password is that of its web page. An API key that was made there may be given
    instead, as the password of the user name ``apikey``.

    What it is set to that way takes effect with a restart of the mining process where
    the firmware says so; the command then restarts it, unless the miner is stopped.
    The limit in W is that of the firmware from 1.3.4 on. Before, it is the power of a
    preset: the highest one is taken that keeps the limit. The firmware may run a lower
    preset than the one that is set while it is hot.
    """

    name = "vnish"
    aliases = ("anthillos",)
    firmware = "vnish"
    models = "Antminer S19, T19, S21, L7 and L9 families and others with VNish 1.2 on"
    transport = "HTTP 80, REST with a token or an API key"
    default_port = http.PORT
    needs_password = "control"
    probes = (http.ROOT,)
    # A restart reads the boards anew, and may tune them.
    confirm_longer: ClassVar[dict[Capability, float]] = {
        Capability.PAUSE: 120.0,
        Capability.PROFILE: 120.0,
        Capability.POWER_LIMIT: 120.0,
        Capability.FAN: 60.0,
        Capability.POOLS: 120.0,
        Capability.BOARD_ENABLE: 180.0,
    }
    restarts = frozenset({*confirm_longer, Capability.TARGET_TEMPERATURE}) - {
        Capability.PAUSE
    }

    def __init__(self, host: str, **options: Any) -> None:
        """Describe a miner without talking to it; options are those of ``Device``."""
        super().__init__(host, **options)
        self._api = Api(self.wire, self.port, self.username, self.password)
        self._known = Known()
        self._locating: bool | None = None

    @override
    @classmethod
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 90 if MARK in evidence.get(http.ROOT, "").lower() else 0

    # Who it is.

    @override
    async def _fetch_info(self) -> DeviceInfo:
        info = Fields(await self._api.get("/info"))
        if not info.has("fw_name") and not info.has("miner"):
            raise InvalidReply("this does not answer as the firmware does")
        model = Fields(await self._if_known("/model"))
        state = await self._read_state()
        config = await self._first_config()
        names, preset = await self._read_presets(config)
        found = Findings(
            info=info,
            model=model,
            state=state,
            config=config,
            presets=names,
            steps=watts(names),
        )
        self._known = Known(
            measure=info.text("hr_measure") or model.text("hr_measure"),
            chips=chips_per_board(model),
            serials=board_serials(await self._if_known("/chains/factory-info")),
            config=config or None,
            preset=preset,
            steps=found.steps,
        )
        return identity(self._info, found)

    async def _if_known(self, path: str) -> Any:
        """Ask for what not all versions of the firmware have."""
        try:
            return await self._api.get(path)
        except NotSupported, AuthenticationFailed, InvalidReply:
            return None

    async def _first_config(self) -> Config:
        """Return the settings, or none without a login that works."""
        if not self._api.usable:
            return Config(None)
        try:
            return Config(await self._api.get_locked("/settings"))
        except AuthenticationFailed as error:
            self._blame_credentials(error)
        except (NotSupported, CommandFailed, InvalidReply) as error:
            if self._connected:
                raise InvalidReply(str(error)) from None
        return Config(None)

    async def _read_presets(self, config: Config) -> tuple[tuple[str, ...], str | None]:
        """Return the names of the presets, or at least which one it runs."""
        if config:
            try:
                reply = await self._api.get_locked("/autotune/presets")
                return tuple(presets(reply, config)), None
            except NotSupported, InvalidReply, CommandFailed:
                return (), None
        summary = Fields(await self._if_known("/perf-summary"))
        preset = summary.child("current_preset").text("name")
        return (preset,) if preset else (), preset

    async def _read_state(self) -> Fields:
        state = Fields(await self._if_known("/status"))
        self._locating = state.boolean("find_miner")
        return state

    # What it does.

    @override
    async def _fetch_settings(self) -> None:
        self._known = self._known.with_config(await self._config())
        self.authentication_error = None
        self._locating = True

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        """Ask for the summary, and for the state where that has none or it blinks."""
        miner = Fields(await self._api.get("/summary"), failed).child("miner")
        state = miner.child("miner_status")
        if not state or self._locating:
            told = Fields(await self._api.get("/status"), failed)
            self._locating = told.boolean("find_miner", field="locating")
            state = state or told
        if not state.has("miner_state"):
            raise InvalidReply("the miner does not tell its state")
        return read_stats(miner, state, self._known, self._locating, failed)

    # What it is told.

    async def _config(self) -> Config:
        config = Config(await self._api.get_locked("/settings"))
        if not config:
            raise InvalidReply("the miner does not tell its settings")
        return config

    async def _word(self) -> str | None:
        return Fields(await self._api.get("/status")).text("miner_state")

    async def _save(self, path: str, settings: Settings) -> None:
        """Write settings, and restart the mining process where they need that.

        Raises:
            CommandFailed: they need a reboot, which is left to the user.
        """
        reply = await self._api.post(path, settings)
        if reply.boolean("reboot_required"):
            raise CommandFailed("it is stored, and takes effect after a reboot only")
        if reply.boolean("restart_required") and not is_stopped(await self._word()):
            await self._api.post("/mining/restart")

    async def _change(self, change: Callable[[Config], Settings]) -> None:
        await self._save("/settings", change(await self._config()))

    @override
    async def _pause(self) -> None:
        if not is_stopped(await self._word()):
            await self._api.post("/mining/stop")

    @override
    async def _resume(self) -> None:
        """Start what was stopped, and resume what somebody else has paused."""
        word = await self._word()
        if is_stopped(word):
            paused = word == "paused"
            await self._api.post("/mining/resume" if paused else "/mining/start")

    @override
    async def _reboot(self) -> None:
        await self._api.post("/system/reboot")

    @override
    async def _restart(self) -> None:
        await self._api.post("/mining/restart")

    @override
    async def _locate(self, on: bool) -> None:
        """Switch the light over if it is not as it should be; it is but a toggle."""
        state = Fields(await self._api.get("/status"))
        if state.boolean("find_miner") is on:
            return
        try:
            await self._api.post("/find-miner", {"on": on})
        except NotSupported:
            await self._api.post("/locate-miner")

    @override
    async def set_power_limit(self, watts: float) -> None:
        """Limit the power in W; before 1.3.4 to the preset below it."""
        steps = self._known.steps
        if self._by_presets and watts <= max(steps.values(), default=0.0):
            watts = highest_within(watts, steps) or watts
        await super().set_power_limit(watts)

    @property
    def _by_presets(self) -> bool:
        return self._known.config is None or not self._known.config.has_power_limit

    @override
    async def _set_power_limit(self, watts: float) -> None:
        if self._by_presets:
            await self._set_profile(step_of(watts, self._known.steps))
        else:
            await self._change(lambda config: config.with_power_limit(watts))

    @override
    async def _set_profile(self, profile: str) -> None:
        await self._change(lambda config: config.with_preset(profile))

    @override
    async def _set_throttle(self, percent: float) -> None:
        await self._save("/mining/throttle", {"percent": round(percent)})

    @override
    async def _set_fan(self, duty: float | None) -> None:
        await self._change(lambda config: config.with_fan(duty))

    @override
    async def _set_target_temperature(self, celsius: float) -> None:
        await self._change(lambda config: config.with_target(celsius))

    @override
    async def _set_board_enabled(self, index: int, on: bool) -> None:
        await self._change(lambda config: config.with_board(index, on=on))

    @override
    async def _set_pools(self, pools: Sequence[PoolConfig]) -> None:
        await self._save("/settings", pools_settings(pools))


DRIVERS = (VNish,)
