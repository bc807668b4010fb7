"""The command line has a device make a password at its button."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from custom_components.miningsdk.sdk.drivers.homewizard import HomeWizardV2
from tests.conftest import Simulate, loopback_address
from tests.sdk.test_cli import Run, run  # noqa: F401
from tests.simulators.homewizard import SimulatedHomeWizardV2, maker_of_devices
from tests.simulators.shelly import SimulatedShelly

DRIVER = ("--driver", "homewizard-v2")

type Meter = Callable[..., Awaitable[Any]]


@pytest.fixture(autouse=True)
def simulated_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HomeWizardV2, "authority", maker_of_devices().pem)
    monkeypatch.delenv("MININGSDK_PASSWORD", raising=False)


@pytest.fixture
def meter(simulate: Simulate) -> Meter:
    """Return a function that switches on a meter without any token."""

    async def switch_on(**options: Any) -> Any:
        return await simulate(SimulatedHomeWizardV2, **options)

    return switch_on


async def test_the_password_is_printed(run: Run, meter: Meter) -> None:  # noqa: F811
    device = await meter()
    device.press()
    done = await run("pair", device.address, *DRIVER)
    assert done.code == 0, done.err
    assert done.out == device.tokens["local/miningsdk"] + "\n"
    read = await run(
        *("read", device.address, *DRIVER, "--json"), "--password", done.out.strip()
    )
    assert read.code == 0, read.err
    assert read.json["stats"]["power"]


async def test_as_json_and_under_another_name(run: Run, meter: Meter) -> None:  # noqa: F811
    device = await meter()
    device.press()
    done = await run("pair", device.address, *DRIVER, "--name", "hall", "--json")
    assert done.code == 0, done.err
    assert done.json["password"] == device.tokens["local/hall"]
    assert done.json["info"]["driver"] == "homewizard-v2"


async def test_the_device_is_identified(run: Run, meter: Meter) -> None:  # noqa: F811
    device = await meter()
    device.press()
    done = await run("pair", device.address)
    assert done.code == 0, done.err
    assert done.out.strip() in device.tokens.values()


async def test_nobody_has_pressed_the_button(run: Run, meter: Meter) -> None:  # noqa: F811
    device = await meter()
    done = await run("pair", device.address, *DRIVER)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "miningsdk: press the button on the device, then ask again within 30 s\n"
    )


async def test_devices_that_make_none(run: Run, simulate: Simulate) -> None:  # noqa: F811
    """Whether they are named or identified."""
    plug = await simulate(SimulatedShelly)
    done = await run("pair", plug.address)
    assert (done.code, done.out) == (1, "")
    assert "shelly, which makes no passwords; those that do: homewizard-v2" in done.err
    done = await run("pair", plug.address, "--driver", "shelly")
    assert (done.code, done.out) == (2, "")
    assert "those that do: homewizard-v2" in done.err


@pytest.mark.parametrize(
    "words", ["pair", "pair 127.0.0.1 --driver none", "pair 127.0.0.300", "pair a b"]
)
async def test_wrong_usage(run: Run, words: str) -> None:  # noqa: F811
    done = await run(*words.split())
    assert (done.code, done.out) == (2, "")


async def test_nothing_or_something_else_answers(
    run: Run,  # noqa: F811
    meter: Meter,
) -> None:
    away = f"{loopback_address()}:20443"
    for words in ((away, *DRIVER), (away,)):
        done = await run("pair", *words, "--timeout", "1")
        assert (done.code, done.out) == (1, "")
        assert "refused" in done.err
    foreign = await meter(foreign=True)
    foreign.press()
    done = await run("pair", foreign.address, *DRIVER)
    assert (done.code, done.out) == (1, "")
    assert "not trusted" in done.err
    assert foreign.tokens == {}
