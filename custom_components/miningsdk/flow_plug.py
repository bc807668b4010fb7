"""What measures the power of a miner: an entity, or the socket it is plugged into."""

from collections.abc import Iterator, Mapping
from typing import Any

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_DEVICE
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .const import (
    CONF_CONTAINER,
    CONF_PLUGS,
    CONF_POWER_ENTITY,
    CONF_SOCKET,
    CONF_SOCKETS,
)
from .containers import Plugged, socket_name
from .fleet import Fleet
from .forms import measuring_entity, multi_select, own_entities
from .inventory import Record
from .sdk import Container


class PlugFlow(OptionsFlow):
    """Tell what one miner is plugged into."""

    _device_id = ""

    async def async_step_plug(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which miner it is about."""
        fleet = self._fleet()
        if fleet is None or not fleet.inventory.records:
            return self.async_abort(reason="no_devices")
        if user_input is not None:
            self._device_id = user_input[CONF_DEVICE]
            return await self.async_step_plug_device()
        records = fleet.inventory.records.values()
        return self.async_show_form(
            step_id="plug",
            data_schema=multi_select(CONF_DEVICE, records, multiple=False),
        )

    async def async_step_plug_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the entity that measures it and for its socket; both may be none."""
        fleet = self._fleet()
        record = fleet.inventory.records.get(self._device_id) if fleet else None
        if fleet is None or record is None:
            return self.async_abort(reason="no_devices")
        told, errors = {"name": record.name}, dict[str, str]()
        if user_input is not None:
            place = _place_of(user_input.get(CONF_SOCKET))
            told |= (problem := _problem(fleet, record, place))
            if not problem:
                return self._keep(record, user_input.get(CONF_POWER_ENTITY), place)
            errors = {CONF_SOCKET: "in_another_container"}
            if "other" in problem:
                errors = {CONF_SOCKET: "socket_taken"}
        return self.async_show_form(
            step_id="plug_device",
            data_schema=self.add_suggested_values_to_schema(
                self._schema(fleet, record), user_input or self._now(fleet)
            ),
            errors=errors,
            description_placeholders=told,
        )

    def _fleet(self) -> Fleet | None:
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return None
        fleet: Fleet = self.config_entry.runtime_data
        return fleet

    def _schema(self, fleet: Fleet, record: Record) -> vol.Schema:
        own = own_entities(self.hass, self.config_entry.entry_id, record.id)
        fields: dict[vol.Marker, Any] = {
            vol.Optional(CONF_POWER_ENTITY): measuring_entity("power", own)
        }
        if sockets := list(_sockets(fleet, record)):
            fields[vol.Optional(CONF_SOCKET)] = SelectSelector(
                SelectSelectorConfig(options=sockets, mode=SelectSelectorMode.DROPDOWN)
            )
        return vol.Schema(fields)

    def _now(self, fleet: Fleet) -> dict[str, str]:
        """Return what measures the miner until now."""
        plugs: Mapping[str, str] = self.config_entry.options.get(CONF_PLUGS, {})
        now = {}
        if entity_id := plugs.get(self._device_id):
            now[CONF_POWER_ENTITY] = entity_id
        if plugged := fleet.containers.socket_of(self._device_id):
            now[CONF_SOCKET] = _value(plugged.container.id, plugged.index)
        return now

    def _plugs(self) -> dict[str, Any]:
        """Return those of the options that this flow is about."""
        options = self.config_entry.options
        plugs = {CONF_PLUGS: dict(options.get(CONF_PLUGS, {}))}
        if CONF_SOCKETS in options:
            plugs[CONF_SOCKETS] = dict(options[CONF_SOCKETS])
        return plugs

    def _keep(
        self, record: Record, entity_id: str | None, place: tuple[str, int] | None
    ) -> ConfigFlowResult:
        plugs = self._plugs()
        sockets = plugs.setdefault(CONF_SOCKETS, {})
        for kept in (plugs[CONF_PLUGS], sockets):
            kept.pop(record.id, None)
        if entity_id:
            plugs[CONF_PLUGS][record.id] = entity_id
        if place is not None:
            container_id, socket = place
            sockets[record.id] = {CONF_CONTAINER: container_id, CONF_SOCKET: socket}
        return self.async_create_entry(data={**self.config_entry.options, **plugs})


def _sockets(fleet: Fleet, record: Record) -> Iterator[SelectOptionDict]:
    """Yield the sockets of all containers, and the miner's own in any case."""
    now = fleet.containers.socket_of(record.id)
    for container in fleet.attached.values():
        if not isinstance(container.device, Container):
            continue
        known: dict[int, str] = {
            socket.index: f"{container.name}: {socket_name(socket)}"
            for socket in getattr(container.data, "sockets", ())
        }
        if now is not None and now.container is container:
            known.setdefault(now.index, now.name)
        for index, label in known.items():
            yield SelectOptionDict(value=_value(container.id, index), label=label)


def _value(container_id: str, index: int) -> str:
    return f"{container_id}:{index}"


def _place_of(value: str | None) -> tuple[str, int] | None:
    if not value:
        return None
    container_id, _, index = value.rpartition(":")
    return container_id, int(index)


def _problem(
    fleet: Fleet, record: Record, place: tuple[str, int] | None
) -> dict[str, str]:
    """Return who is in the socket already, or for which container the miner is."""
    if place is None:
        return {}
    container_id, index = place
    for other in fleet.inventory.records.values():
        plugged: Plugged | None = fleet.containers.socket_of(other.id)
        if (
            other.id != record.id
            and plugged is not None
            and (plugged.container.id, plugged.index) == (container_id, index)
        ):
            return {"other": other.name}
    chosen = fleet.containers.chosen_for(record.id)
    if chosen is not None and chosen.id != container_id:
        return {"container": chosen.name}
    return {}
