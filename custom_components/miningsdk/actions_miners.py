"""The actions that tell miners something: pause, resume, reboot, ... on any target."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from homeassistant.const import CONF_MODE, CONF_PASSWORD, CONF_URL
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .batch import Batch, Result, Skipped, async_cancel
from .const import DOMAIN
from .coordinator import MinerCoordinator
from .inventory import paused_by
from .sdk import Miner, MinerStatus, PoolConfig
from .targeting import FILTERS, async_targeted

ACTION_CANCEL: Final = "cancel_batch"
CONF_BATCH_ID: Final = "batch_id"
CONF_BATCH_SIZE: Final = "batch_size"
CONF_DELAY: Final = "delay"
CONF_ON: Final = "on"
CONF_POOLS: Final = "pools"
CONF_USER: Final = "user"
CONF_WATTS: Final = "watts"
CONF_PAUSED_BY_HAND: Final = "paused_by_hand"

_POOL_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_URL): cv.string,
        vol.Required(CONF_USER): cv.string,
        vol.Optional(CONF_PASSWORD, default="x"): cv.string,
    }
)
_STAGES: Final = {
    vol.Optional(CONF_BATCH_SIZE): vol.All(vol.Coerce(int), vol.Range(min=1)),
    vol.Optional(CONF_DELAY, default=0.0): vol.All(
        cv.time_period, lambda period: period.total_seconds()
    ),
}

type Do = Callable[[ServiceCall, MinerCoordinator], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Action:
    """One action: its name, what it does to a miner, and its own fields."""

    name: str
    do: Do
    fields: Mapping[Any, Any] = field(default_factory=dict)


def _told(tell: Callable[[Miner, ServiceCall], Awaitable[None]]) -> Do:
    """Return what has a miner do something, confirmed by the device."""

    async def do(call: ServiceCall, coordinator: MinerCoordinator) -> None:
        await coordinator.async_command(lambda miner: tell(miner, call))

    return do


async def _pause(call: ServiceCall, coordinator: MinerCoordinator) -> None:
    if _is_paused(coordinator):
        # Whoever paused it before stays the one to have a say.
        raise Skipped("it is paused already")
    await coordinator.async_pause(paused_by(call.context.user_id))


async def _resume(call: ServiceCall, coordinator: MinerCoordinator) -> None:
    asked = call.data.get(CONF_PAUSED_BY_HAND, call.context.user_id is not None)
    if not asked and _is_paused(coordinator) and not coordinator.paused_by_automation:
        raise Skipped("it was paused by hand")
    await coordinator.async_resume()


def _is_paused(coordinator: MinerCoordinator) -> bool:
    stats = coordinator.data
    return (
        coordinator.available
        and stats is not None
        and stats.status is MinerStatus.PAUSED
    )


def _pools(call: ServiceCall) -> list[PoolConfig]:
    return [
        PoolConfig(
            url=pool[CONF_URL], user=pool[CONF_USER], password=pool[CONF_PASSWORD]
        )
        for pool in call.data[CONF_POOLS]
    ]


ACTIONS: Final = (
    Action("pause", _pause),
    Action("resume", _resume, {vol.Optional(CONF_PAUSED_BY_HAND): cv.boolean}),
    Action("reboot", _told(lambda miner, _: miner.reboot())),
    Action(
        "set_power_mode",
        _told(lambda miner, call: miner.set_power_mode(call.data[CONF_MODE])),
        {vol.Required(CONF_MODE): cv.string},
    ),
    Action(
        "set_power_limit",
        _told(lambda miner, call: miner.set_power_limit(call.data[CONF_WATTS])),
        {vol.Required(CONF_WATTS): vol.All(vol.Coerce(float), vol.Range(min=0))},
    ),
    Action(
        "set_pools",
        _told(lambda miner, call: miner.set_pools(_pools(call))),
        {vol.Required(CONF_POOLS): vol.All([_POOL_SCHEMA], vol.Length(min=1, max=3))},
    ),
    Action(
        "locate",
        _told(lambda miner, call: miner.locate(call.data[CONF_ON])),
        {vol.Optional(CONF_ON, default=True): cv.boolean},
    ),
)


@callback
def async_setup_miner_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    for action in ACTIONS:
        hass.services.async_register(
            DOMAIN,
            action.name,
            partial(_async_run, action),
            schema=cv.make_entity_service_schema(
                {**FILTERS, **_STAGES, **action.fields}
            ),
            supports_response=SupportsResponse.OPTIONAL,
        )
    hass.services.async_register(
        DOMAIN,
        ACTION_CANCEL,
        _async_cancel,
        schema=vol.Schema({vol.Optional(CONF_BATCH_ID): cv.string}),
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_run(action: Action, call: ServiceCall) -> ServiceResponse:
    """Tell each miner of the target; all are tried, whatever becomes of the others.

    Without a response, failures are raised in the end.
    """
    batch = Batch(
        hass=call.hass,
        action=action.name,
        miners=async_targeted(call),
        work=partial(action.do, call),
        context=call.context,
        size=call.data.get(CONF_BATCH_SIZE),
        delay=call.data[CONF_DELAY],
    )
    results = await batch.async_run()
    if not call.return_response:
        _raise(results)
        return None
    return {
        "batch_id": batch.id,
        "state": batch.state.value,
        "results": [result.as_dict() for result in results],
    }


async def _async_cancel(call: ServiceCall) -> ServiceResponse:
    """Cancel one batch, or all."""
    cancelled: list[Any] = [*async_cancel(call.hass, call.data.get(CONF_BATCH_ID))]
    return {"cancelled": cancelled} if call.return_response else None


def _raise(results: list[Result]) -> None:
    errors = [r.error for r in results if isinstance(r.error, HomeAssistantError)]
    if len(errors) > 1:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="several_failed",
            translation_placeholders={"errors": "; ".join(map(str, errors))},
        )
    if errors:
        raise errors[0]
