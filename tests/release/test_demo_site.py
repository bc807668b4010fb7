"""The simulated miners of the demo, without Home Assistant."""

from collections import Counter
from itertools import islice

import pytest

from custom_components.miningsdk.sdk import Miner, MinerStatus, connect
from tests.benchmark.fleet import WIDE, places
from tests.conftest import OFFSET, loopback_address
from tests.demo.makers import MAIN, MAKERS, PASSWORD, in_turn
from tests.demo.site import DemoSite
from tests.simulators.families import families

# The firmware of these tells nothing by which one could know it again.
NAMELESS = {"braiins-cgminer", "cgminer"}


def test_every_family_is_there() -> None:
    """A family that is simulated is in the demo."""
    assert {family.driver for family in families()} == set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
async def test_each_miner_is_itself_and_takes_the_password(name: str) -> None:
    """With the user name that the driver takes when none is given."""
    ids = set()
    for number in range(3):
        async with MAKERS[name](loopback_address(), OFFSET, number) as device:
            miner = await connect(device.address, password=PASSWORD)
            assert isinstance(miner, Miner)
            try:
                assert miner.name == name
                assert miner.authentication_error is None
                assert (await miner.read()).status is MinerStatus.MINING
                assert miner.authentication_error is None
                ids.add(miner.info.unique_id)
            finally:
                await miner.close()
    assert ids == {None} if name in NAMELESS else len(ids - {None}) == 3


def test_most_are_of_the_main_families() -> None:
    """Beyond the first of each family."""
    names = {id(make): name for name, make in MAKERS.items()}
    made = [names[id(make)] for make, _ in islice(in_turn(), 200)]
    assert tuple(made[: len(MAIN)]) == tuple(MAIN)
    assert set(made[: len(MAKERS)]) == set(MAKERS)
    later = Counter(name in MAIN for name in made[len(MAKERS) :])
    assert later[True] >= 6 * later[False] - 6
    numbers: Counter[str] = Counter()
    for make, number in islice(in_turn(), 200):
        assert number == numbers[names[id(make)]]
        numbers[names[id(make)]] += 1


@pytest.mark.parametrize("miners", [1, 6, 30, 300])
def test_some_more_are_left_for_the_user(miners: int) -> None:
    """The last ones, whatever the form calls them."""
    site = DemoSite(miners)
    for label in ("A miner ({})", "A miner {}"):
        left = [site.is_left_out(label.format(d.address)) for d in site.devices]
        assert left == [False] * miners + [True] * 3
    containers = sum(item.kind == "container" for item in site.equipment)
    assert site.working == miners + containers


def test_the_wide_fleet_of_the_benchmark_is_the_main_families() -> None:
    """Its figures can be compared with earlier ones."""
    fleet = [place.family for place in places(WIDE, 12, net=20)]
    assert (
        fleet
        == [
            "axeos",
            "antminer",
            "whatsminer-v3",
            "avalon",
            "whatsminer",
            "nerdaxe",
        ]
        * 2
    )
