"""Put miners where they stand: in the inventory, in the areas, in what is shown."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, translation

from .const import DOMAIN
from .fleet import Fleet
from .inventory import address
from .positions import Position, Positions
from .positions_csv import Place, Plan
from .positions_table import Problem
from .registered import async_moved, async_suggest_area, registered

# So many miners are dealt with before the loop gets a turn again.
_AT_ONCE = 50


def places_of(fleet: Fleet) -> list[Place]:
    """Return where each miner of a site stands."""
    return [
        Place(
            entry_id=fleet.entry.entry_id,
            site=fleet.entry.title,
            id=record.id,
            host=address(record.info),
            serial_number=record.info.serial_number,
            mac=record.info.mac,
            model=record.info.model,
            name=name_in_registry(fleet, record.id),
            given=record.position,
            ruled=fleet.positions.by_rule(record.info.host),
        )
        for record in fleet.inventory.records.values()
    ]


def name_in_registry(fleet: Fleet, record_id: str) -> str | None:
    """Return what a miner is called now, if it is shown by itself."""
    device = registered(fleet, record_id)
    return None if device is None else device.name_by_user or device.name


async def async_place(fleet: Fleet, given: Mapping[str, Position | None]) -> None:
    """Take what a person says of positions; ``None`` leaves one to the rule."""
    for number, (record_id, position) in enumerate(given.items(), 1):
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        if (record := fleet.inventory.records.get(record_id)) is None:
            continue
        changed = replace(record, position=position or None)
        if changed == record:
            continue
        fleet.inventory.put(changed)
        async_moved(fleet, record, changed)
        if coordinator := fleet.coordinators.get(record_id):
            coordinator.record = changed
            coordinator.async_tell()


async def async_apply(fleets: Iterable[Fleet], plan: Plan) -> None:
    """Do what a table says; what has been removed in the meantime is left out."""
    for fleet in fleets:
        changes = [
            change
            for change in plan.changes
            if change.place.entry_id == fleet.entry.entry_id
        ]
        moves = {change.place.id: change.given for change in changes if change.moves}
        await async_place(fleet, moves)
        for change in changes:
            if change.name and (device := registered(fleet, change.place.id)):
                dr.async_get(fleet.hass).async_update_device(
                    device.id, name_by_user=change.name
                )


async def async_suggest_areas(fleet: Fleet, after: Positions) -> None:
    """Have areas follow another rule, or another way to name them."""
    if not after.area_template:
        # Nothing is suggested any more; what is there may be in use.
        return
    for number, record in enumerate(tuple(fleet.inventory.records.values()), 1):
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        old, new = fleet.positions.area_of(record), after.area_of(record)
        if old != new and (device := registered(fleet, record.id)):
            async_suggest_area(fleet.hass, device, old, new)


async def async_told(hass: HomeAssistant, problems: Iterable[Problem]) -> list[str]:
    """Return what is wrong in words, one text for each problem."""
    texts = await translation.async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    return [
        texts[f"component.{DOMAIN}.exceptions.{one.key}.message"].format(**one.told)
        for one in problems
    ]
