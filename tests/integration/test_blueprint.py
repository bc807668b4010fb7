"""The blueprint that pauses miners on a high tariff, run in Home Assistant."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
import shutil
from typing import Any, override

from homeassistant.components import automation
from homeassistant.components.switch import SwitchEntity
from homeassistant.const import (
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import (
    setup_test_component_platform,
)

import custom_components.miningsdk
from tests.integration.conftest import AddSite, Axe
from tests.integration.fixtures_fleet import (
    FROZEN,
    Clock,
    clock_fixture,  # noqa: F401
    entity_id,
    until,
)

pytestmark = FROZEN

BLUEPRINT = (
    Path(custom_components.miningsdk.__file__).parent
    / "blueprints"
    / "automation"
    / "pause_on_high_tariff.yaml"
)
TARIFF = "sensor.price"
QUARTER = 15 * 60


class FakeMiner(SwitchEntity):
    """A switch that does what it is told, unless it is broken."""

    _attr_should_poll = False

    def __init__(self, name: str) -> None:
        self._attr_name = name
        self._attr_unique_id = name
        self._attr_is_on = True
        self.entity_id = f"switch.{name}"
        self.broken = False
        self.told: list[str] = []

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        self._obey("on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        self._obey("off")

    def _obey(self, what: str) -> None:
        self.told.append(what)
        if self.broken:
            raise HomeAssistantError("the miner refuses")
        self.be(on=what == "on")

    def be(self, *, on: bool | None) -> None:
        """Become on or off by itself or by hand, or unavailable with ``None``."""
        self._attr_available = on is not None
        if on is not None:
            self._attr_is_on = on
        self.async_write_ha_state()


class Scene:
    """A tariff and miners, and the automation between them."""

    def __init__(self, hass: HomeAssistant, clock: Clock) -> None:
        self.hass = hass
        self.clock = clock
        self.one, self.two, self.three = (
            FakeMiner(name) for name in ("one", "two", "three")
        )
        self.miners = [self.one, self.two, self.three]
        self.targets = [miner.entity_id for miner in self.miners]

    async def settle(self) -> None:
        """Let happen what can happen now; runs that wait for later are left alone."""
        for _ in range(60):
            await asyncio.sleep(0)

    async def forward(self, seconds: float) -> None:
        """Go on by so much, and a bit."""
        self.clock.freezer.tick(seconds + 1)
        await self.settle()

    async def price(self, value: object) -> None:
        """Set the tariff, whatever it is."""
        self.hass.states.async_set(TARIFF, str(value))
        await self.settle()

    async def automate(self, **inputs: Any) -> None:
        """Set up the automation as a user of the blueprint would."""
        folder = Path(self.hass.config.path("blueprints/automation/miningsdk"))
        await self.hass.async_add_executor_job(_copy, folder)
        config = {
            "id": "tariff",
            "alias": "Tariff",
            "use_blueprint": {
                "path": f"miningsdk/{BLUEPRINT.name}",
                "input": {"tariff": TARIFF, "miners": self.targets, **inputs},
            },
        }
        assert await async_setup_component(
            self.hass, automation.DOMAIN, {automation.DOMAIN: [config]}
        )
        await self.settle()
        state = self.hass.states.get("automation.tariff")
        assert state is not None
        assert state.state == STATE_ON

    @property
    def running(self) -> bool:
        """Tell whether the automation is at work."""
        state = self.hass.states.get("automation.tariff")
        assert state is not None
        return bool(state.attributes["current"])

    @property
    def shown(self) -> str:
        """Return what the miners are at: ``-`` off, ``?`` unavailable, ``+`` on."""
        signs = {STATE_ON: "+", STATE_OFF: "-", STATE_UNAVAILABLE: "?"}
        states = [self.hass.states.get(target) for target in self.targets]
        return "".join(signs[state.state] for state in states if state)

    @property
    def told(self) -> list[list[str]]:
        """Return what the miners were told since this was asked last."""
        told = [miner.told for miner in self.miners]
        for miner in self.miners:
            miner.told = []
        return told


def _copy(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(BLUEPRINT, folder)


type MakeScene = Callable[..., Awaitable[Scene]]


@pytest.fixture(name="scene")
async def scene_fixture(
    hass: HomeAssistant, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MakeScene:
    """Return a function that sets the scene, at a tariff and with given inputs."""
    monkeypatch.setattr(hass.config, "config_dir", str(tmp_path))

    async def make(price: object = 0.1, **inputs: Any) -> Scene:
        scene = Scene(hass, clock)
        setup_test_component_platform(hass, "switch", scene.miners)
        assert await async_setup_component(
            hass, "switch", {"switch": {"platform": "test"}}
        )
        await scene.settle()
        hass.states.async_set(TARIFF, str(price))
        await scene.automate(**inputs)
        return scene

    return make


@pytest.fixture(autouse=True)
async def ended(hass: HomeAssistant) -> Any:
    """End the automation with the test: it may wait for a tariff for ever."""
    yield
    if hass.states.get("automation.tariff"):
        await hass.services.async_call(
            automation.DOMAIN,
            "turn_off",
            {"entity_id": "automation.tariff", "stop_actions": True},
            blocking=True,
        )


def test_home_assistant_reads_it() -> None:
    """Anchors included; and it says where it comes from."""
    loaded: Any = parse_yaml(BLUEPRINT.read_text())
    about = loaded["blueprint"]
    assert about["domain"] == "automation"
    assert about["source_url"].endswith(
        f"custom_components/miningsdk/blueprints/automation/{BLUEPRINT.name}"
    )
    assert all(given["name"] for given in about["input"].values())
    assert all(given["description"] for given in about["input"].values())


async def test_pauses_above_the_threshold_and_resumes_below(scene: MakeScene) -> None:
    """The price itself is still cheap at the threshold."""
    home = await scene(0.1)
    await home.price(0.3)
    assert home.shown == "+++"
    await home.price(0.31)
    assert home.shown == "---"
    await home.forward(QUARTER)
    assert home.shown == "---"
    await home.price(0.2)
    assert home.shown == "+++"
    await home.forward(QUARTER)
    assert not home.running
    assert home.told == [["off", "on"]] * 3


async def test_a_threshold_of_ones_own_may_be_negative(scene: MakeScene) -> None:
    """Prices below zero are real."""
    home = await scene(-0.05, threshold=-0.01)
    await home.price(0)
    assert home.shown == "---"
    await home.forward(QUARTER)
    await home.price(-0.02)
    assert home.shown == "+++"


async def test_a_tariff_may_be_named(scene: MakeScene) -> None:
    """Any name that is not said to be expensive is cheap."""
    home = await scene("low")
    await home.price("peak")
    assert home.shown == "---"
    await home.forward(QUARTER)
    await home.price("high")
    assert home.shown == "---"
    await home.price("shoulder")
    assert home.shown == "+++"


async def test_names_of_ones_own(scene: MakeScene) -> None:
    """As many as the supplier has."""
    home = await scene("blau", expensive_tariffs=["rot"])
    await home.price("high")
    assert home.shown == "+++"
    await home.price("rot")
    assert home.shown == "---"


async def test_shortest_times_are_kept_to(scene: MakeScene) -> None:
    """A price that jumps about does not wear out the miners."""
    home = await scene(0.1, minimum_off={"minutes": 20}, minimum_on={"minutes": 10})
    await home.price(0.5)
    assert home.shown == "---"
    await home.price(0.1)
    await home.forward(19 * 60)
    assert home.shown == "---"
    await home.forward(60)
    assert home.shown == "+++"
    await home.price(0.5)
    await home.forward(9 * 60)
    assert home.shown == "+++"
    await home.forward(60)
    assert home.shown == "---"
    await home.forward(20 * 60)
    await home.price(0.1)
    assert home.shown == "+++"
    assert home.told == [["off", "on", "off", "on"]] * 3


async def test_a_miner_paused_by_hand_stays_so(scene: MakeScene) -> None:
    """Before, and in the time between two high tariffs."""
    home = await scene(0.1)
    home.two.be(on=False)
    await home.price(0.5)
    assert home.shown == "---"
    await home.forward(QUARTER)
    await home.price(0.1)
    assert home.shown == "+-+"
    home.three.be(on=False)
    await home.price(0.5)
    await home.forward(QUARTER)
    assert home.shown == "---"
    await home.forward(QUARTER)
    await home.price(0.1)
    assert home.shown == "+--"
    assert home.told == [["off", "on", "off", "on"], [], ["off", "on"]]


async def test_a_miner_resumed_by_hand_is_left_to_mine(scene: MakeScene) -> None:
    """Whoever does that knows the price."""
    home = await scene(0.5)
    await home.price(0.6)
    home.one.be(on=True)
    await home.forward(QUARTER)
    await home.price(0.7)
    assert home.shown == "+--"
    await home.price(0.1)
    assert home.shown == "+++"
    assert home.told == [["off"], ["off", "on"], ["off", "on"]]


@pytest.mark.parametrize("nothing", [STATE_UNAVAILABLE, "unknown"])
async def test_an_unknown_tariff_does_nothing(scene: MakeScene, nothing: str) -> None:
    """Neither way."""
    home = await scene(0.1)
    await home.price(nothing)
    assert home.shown == "+++"
    await home.price(0.5)
    assert home.shown == "---"
    await home.forward(QUARTER)
    await home.price(nothing)
    await home.forward(QUARTER)
    assert home.shown == "---"
    await home.price(0.5)
    assert home.shown == "---"
    await home.price(nothing)
    await home.price(0.1)
    assert home.shown == "+++"
    await home.price(nothing)
    await home.forward(QUARTER)
    assert home.shown == "+++"
    assert not home.running


async def test_one_that_refuses_does_not_stop_the_others(scene: MakeScene) -> None:
    """Neither from pausing nor from resuming."""
    home = await scene(0.1)
    home.one.broken = True
    await home.price(0.5)
    assert home.shown == "+--"
    await home.forward(QUARTER)
    home.two.broken = True
    await home.price(0.1)
    assert home.shown == "+-+"
    await home.forward(QUARTER)
    assert not home.running


async def test_one_that_comes_back_mining_is_paused_too(scene: MakeScene) -> None:
    """It was off, or was rebooted and has forgotten its pause."""
    home = await scene(0.1)
    home.one.be(on=None)
    await home.price(0.5)
    await home.forward(QUARTER)
    assert home.shown == "?--"
    home.one.be(on=True)
    await home.settle()
    assert home.shown == "---"
    home.two.be(on=None)
    await home.settle()
    home.two.be(on=True)
    await home.settle()
    assert home.shown == "---"
    await home.price(0.1)
    assert home.shown == "+++"
    assert home.told == [["off", "on"], ["off", "off", "on"], ["off", "on"]]


async def test_one_that_comes_back_paused_stays_whose_it_was(scene: MakeScene) -> None:
    """Paused by hand before it went away: it is not resumed for that."""
    home = await scene(0.1)
    home.one.be(on=False)
    home.one.be(on=None)
    await home.price(0.5)
    await home.forward(QUARTER)
    home.one.be(on=False)
    await home.settle()
    await home.price(0.1)
    assert home.shown == "-++"
    assert home.told == [[], ["off", "on"], ["off", "on"]]


async def test_one_that_is_away_at_the_time_is_resumed_later(scene: MakeScene) -> None:
    """A miner must not stay paused because it did not answer just then."""
    home = await scene(0.5)
    await home.price(0.6)
    await home.forward(QUARTER)
    home.two.be(on=None)
    await home.price(0.1)
    assert home.shown == "+?+"
    await home.forward(QUARTER)
    assert home.running
    home.one.be(on=False)
    home.two.be(on=False)
    await home.settle()
    assert home.shown == "-++"
    assert not home.running


async def test_one_that_is_away_does_not_keep_others_from_pausing(
    scene: MakeScene,
) -> None:
    """It gets expensive again before it comes back."""
    home = await scene(0.5)
    await home.price(0.6)
    await home.forward(QUARTER)
    home.two.be(on=None)
    await home.price(0.1)
    await home.forward(QUARTER)
    await home.price(0.5)
    assert home.shown == "-?-"
    await home.forward(QUARTER)
    home.two.be(on=False)
    await home.settle()
    await home.price(0.1)
    assert home.shown == "+++"


# A restart of Home Assistant.


async def restart(home: Scene) -> None:
    """Have Home Assistant finish its start."""
    await home.hass.async_start()
    await home.settle()


@pytest.fixture
def starting(hass: HomeAssistant) -> None:
    """Have Home Assistant not be started yet."""
    hass.set_state(CoreState.not_running)


@pytest.mark.usefixtures("starting")
@pytest.mark.parametrize(("resume", "shown"), [(True, "+++"), (False, "--+")])
async def test_a_restart_while_cheap(
    hass: HomeAssistant, scene: MakeScene, *, resume: bool, shown: str
) -> None:
    """What was paused before the restart is resumed, if that is wanted."""
    home = await scene(0.1, resume_after_restart=resume)
    home.one.be(on=False)
    home.two.be(on=False)
    await restart(home)
    assert home.shown == shown
    assert not home.running


@pytest.mark.usefixtures("starting")
@pytest.mark.parametrize(("resume", "shown"), [(True, "+++"), (False, "-++")])
async def test_a_restart_while_expensive(
    scene: MakeScene, *, resume: bool, shown: str
) -> None:
    """What still mines is paused; what was paused counts as ours, if wanted."""
    home = await scene(0.5, resume_after_restart=resume)
    home.one.be(on=False)
    await restart(home)
    assert home.shown == "---"
    await home.forward(QUARTER)
    await home.price(0.1)
    assert home.shown == shown


@pytest.mark.usefixtures("starting")
async def test_a_restart_before_the_tariff_is_known(scene: MakeScene) -> None:
    """It comes a little later, and so do the miners."""
    home = await scene("unavailable")
    for miner in home.miners:
        miner.be(on=None)
    await restart(home)
    home.one.be(on=False)
    await home.price(0.1)
    assert home.shown == "+??"
    home.two.be(on=False)
    home.three.be(on=True)
    await home.settle()
    assert home.shown == "+++"
    assert home.told == [["on"], ["on"], []]
    assert not home.running


async def test_a_change_of_the_automation_while_expensive(scene: MakeScene) -> None:
    """The run that paused the miners ended with it; they are resumed all the same."""
    home = await scene(0.1)
    await home.price(0.5)
    assert home.shown == "---"
    await home.hass.services.async_call(
        automation.DOMAIN,
        "turn_off",
        {"entity_id": "automation.tariff", "stop_actions": True},
        blocking=True,
    )
    await home.hass.services.async_call(
        automation.DOMAIN, "turn_on", {"entity_id": "automation.tariff"}, blocking=True
    )
    home.hass.bus.async_fire("automation_reloaded")
    await home.settle()
    assert home.running
    await home.forward(QUARTER)
    await home.price(0.1)
    assert home.shown == "+++"


async def test_a_change_of_another_automation_does_nothing(scene: MakeScene) -> None:
    """Least of all resume what was paused by hand."""
    home = await scene(0.1)
    home.one.be(on=False)
    home.hass.bus.async_fire("automation_reloaded")
    await home.settle()
    assert home.shown == "-++"
    assert not home.running
    assert home.told == [[], [], []]


async def test_run_by_hand(scene: MakeScene) -> None:
    """As the menu of the automation offers: it looks at the tariff."""
    home = await scene(0.5)
    await home.hass.services.async_call(
        automation.DOMAIN, "trigger", {"entity_id": "automation.tariff"}
    )
    await home.settle()
    assert home.shown == "---"


# With real simulated miners.


async def test_on_simulated_miners(
    hass: HomeAssistant,
    clock: Clock,
    add_site: AddSite,
    axe: Axe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the price to the chips and back, over the wire."""
    monkeypatch.setattr(hass.config, "config_dir", str(tmp_path))
    devices = [await axe() for _ in range(3)]
    entry = await add_site(*devices)
    home = Scene(hass, clock)
    home.targets = [
        entity_id(hass, "switch", key, "mining")
        for key in entry.runtime_data.inventory.records
    ]
    hass.states.async_set(TARIFF, "0.1")
    await home.automate()
    devices[2].asleep = True
    await entry.runtime_data.coordinators[
        next(reversed(entry.runtime_data.inventory.records))
    ].async_refresh()
    assert home.shown == "++-"

    await home.price(0.5)
    await until(lambda: home.shown == "---")
    assert [device.asleep for device in devices] == [True, True, True]
    await home.forward(QUARTER)
    await home.price(0.1)
    await until(lambda: home.shown == "++-")
    assert [device.asleep for device in devices] == [False, False, True]
