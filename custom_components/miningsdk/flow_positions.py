"""Where miners stand: by a rule, by hand, and when a machine was replaced."""

from collections.abc import Callable, Iterator
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_DEVICE
from homeassistant.helpers import translation
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .const import DOMAIN
from .fleet import Fleet
from .flow_plug import PlugFlow
from .forms import TEXT
from .inventory import Record, address
from .placing import async_place, async_suggest_areas, name_in_registry
from .positions import (
    CONF_AREA_NAME,
    CONF_RULE,
    DEFAULT_AREA_NAME,
    EXAMPLE_RULE,
    PARTS,
    InvalidRuleError,
    Position,
    Positions,
    Rule,
    check_area_name,
)
from .positions_table import LONGEST_CELL, wrong_with
from .replacement import async_replace

CONF_MACHINE = "machine"
_MOST_EXAMPLES = 3
_NOTHING = "–"

_RULE_SCHEMA = vol.Schema(
    {vol.Optional(CONF_RULE): TEXT, vol.Optional(CONF_AREA_NAME): TEXT}
)
_PLACE_SCHEMA = vol.Schema({vol.Optional(part): TEXT for part in PARTS})


class PositionsFlow(PlugFlow):
    """Tell where miners stand."""

    _ruled: dict[str, str]

    async def async_step_positions(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how."""
        if self._fleet() is None:
            return self.async_abort(reason="no_devices")
        return self.async_show_menu(
            step_id="positions", menu_options=["rule", "place", "table", "swap"]
        )

    # By the address.

    async def async_step_rule(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the rule of the site, and how areas are to be named."""
        errors: dict[str, str] = {}
        told = {"example": EXAMPLE_RULE, "area_example": DEFAULT_AREA_NAME}
        if user_input is not None:
            self._ruled = {
                key: user_input.get(key, "").strip()
                for key in (CONF_RULE, CONF_AREA_NAME)
            }
            errors, wrong = _problems(self._ruled)
            if not errors:
                return await self.async_step_rule_preview()
            told |= wrong
        now = {CONF_AREA_NAME: DEFAULT_AREA_NAME, **self.config_entry.options}
        return self.async_show_form(
            step_id="rule",
            data_schema=self.add_suggested_values_to_schema(
                _RULE_SCHEMA, user_input or now
            ),
            errors=errors,
            description_placeholders=told,
        )

    async def async_step_rule_preview(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the rule would do."""
        if (fleet := self._fleet()) is None:
            return self.async_abort(reason="no_devices")
        after = Positions(self._ruled)
        records = list(fleet.inventory.records.values())
        fits = [record for record in records if after.by_rule(record.info.host)]
        names = await self._part_names()
        examples = [
            f"- `{record.info.host}`: {label(after.by_rule(record.info.host), names)}"
            for record in (fits or records)[:_MOST_EXAMPLES]
        ]
        return self.async_show_menu(
            step_id="rule_preview",
            menu_options=["rule_save", "rule"],
            description_placeholders={
                "rule": self._ruled[CONF_RULE] or _NOTHING,
                "fits": str(len(fits)),
                "total": str(len(records)),
                "given": str(sum(bool(record.position) for record in records)),
                "areas": str(len({after.area_of(record) for record in fits} - {None})),
                "examples": "\n".join(examples) or _NOTHING,
            },
        )

    async def async_step_rule_save(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Keep the rule."""
        if fleet := self._fleet():
            await async_suggest_areas(fleet, Positions(self._ruled))
        return self.async_create_entry(
            data={**self.config_entry.options, **self._ruled}
        )

    def _positions(self) -> dict[str, Any]:
        """Return those of the options that this flow is about."""
        options = self.config_entry.options
        return {k: options[k] for k in (CONF_RULE, CONF_AREA_NAME) if k in options}

    # By hand.

    async def async_step_place(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which miner it is about."""
        fleet = self._fleet()
        if fleet is None or not fleet.inventory.records:
            return self.async_abort(reason="no_devices")
        if user_input is not None:
            self._device_id = user_input[CONF_DEVICE]
            return await self.async_step_place_device()
        return self.async_show_form(
            step_id="place",
            data_schema=vol.Schema(
                {vol.Required(CONF_DEVICE): await self._async_choice(fleet)}
            ),
        )

    async def async_step_place_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where it stands; nothing at all leaves it to the rule."""
        fleet = self._fleet()
        record = fleet.inventory.records.get(self._device_id) if fleet else None
        if fleet is None or record is None:
            return self.async_abort(reason="no_devices")
        ruled, errors = fleet.positions.by_rule(record.info.host), dict[str, str]()
        told = {
            "name": name_in_registry(fleet, record.id) or record.name,
            "host": address(record.info),
            "ruled": label(ruled, await self._part_names()),
            "most": str(LONGEST_CELL),
        }
        if user_input is not None:
            parts = {part: user_input.get(part, "").strip() for part in PARTS}
            errors = {part: "bad_part" for part in PARTS if wrong_with(parts[part])}
            given = Position.of(parts)
            if not errors and (other := _occupant(fleet, record, given)):
                errors, told["other"] = {"slot": "position_taken"}, other
            if not errors:
                given = given if given != ruled else Position()
                await async_place(fleet, {record.id: given})
                return self.async_create_entry(data=self.config_entry.options)
        now = fleet.positions.of(record).as_dict()
        return self.async_show_form(
            step_id="place_device",
            data_schema=self.add_suggested_values_to_schema(
                _PLACE_SCHEMA, now if user_input is None else user_input
            ),
            errors=errors,
            description_placeholders=told,
        )

    # A machine that was replaced.

    async def async_step_swap(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which machine has taken the place of which."""
        fleet, errors = self._fleet(), dict[str, str]()
        if fleet is None or len(fleet.inventory.records) < 2:
            return self.async_abort(reason="nothing_to_swap")
        if user_input is not None:
            device, machine = user_input[CONF_DEVICE], user_input[CONF_MACHINE]
            if (new := fleet.inventory.records.get(machine)) is None:
                return self.async_abort(reason="no_devices")
            if device != machine:
                await async_replace(fleet, device, new.info)
                return self.async_create_entry(data=self.config_entry.options)
            errors = {CONF_MACHINE: "same_device"}
        choice = await self._async_choice(fleet)
        schema = vol.Schema(
            {vol.Required(CONF_DEVICE): choice, vol.Required(CONF_MACHINE): choice}
        )
        return self.async_show_form(
            step_id="swap",
            data_schema=self.add_suggested_values_to_schema(schema, user_input or {}),
            errors=errors,
        )

    async def _async_choice(self, fleet: Fleet) -> SelectSelector:
        names = await self._part_names()
        return SelectSelector(
            SelectSelectorConfig(
                options=list(_options(fleet, names)),
                mode=SelectSelectorMode.DROPDOWN,
                sort=True,
            )
        )

    async def _part_names(self) -> dict[str, str]:
        """Return what the parts of a position are called."""
        texts = await translation.async_get_translations(
            self.hass, self.hass.config.language, "options", {DOMAIN}
        )
        step = f"component.{DOMAIN}.options.step.place_device.data"
        return {part: texts[f"{step}.{part}"] for part in PARTS}


def _problems(ruled: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what is wrong with a rule, by field, and what fills the gaps of that."""
    errors: dict[str, str] = {}
    told: dict[str, str] = {"parts": ", ".join(PARTS)}
    checks: dict[str, Callable[[str], object]] = {
        CONF_RULE: Rule.parse,
        CONF_AREA_NAME: check_area_name,
    }
    for field, check in checks.items():
        try:
            if ruled[field]:
                check(ruled[field])
        except InvalidRuleError as error:
            errors[field] = error.key
            told |= error.told
    return errors, told


def label(position: Position, names: dict[str, str]) -> str:
    """Return a position in words."""
    parts = position.as_dict().items()
    return ", ".join(f"{names[part]} {text}" for part, text in parts) or _NOTHING


def _options(fleet: Fleet, names: dict[str, str]) -> Iterator[SelectOptionDict]:
    for record in fleet.inventory.records.values():
        name = name_in_registry(fleet, record.id) or record.name
        told = address(record.info)
        if position := fleet.positions.of(record):
            told = f"{told}; {label(position, names)}"
        yield SelectOptionDict(value=record.id, label=f"{name} ({told})")


def _occupant(fleet: Fleet, record: Record, position: Position) -> str | None:
    """Return the name of another miner where only one fits."""
    if not position.is_exact:
        return None
    for other in fleet.inventory.records.values():
        if other.id != record.id and fleet.positions.of(other) == position:
            return name_in_registry(fleet, other.id) or other.name
    return None
