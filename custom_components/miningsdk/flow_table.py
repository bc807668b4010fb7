"""Take where miners stand out of a table, after a look at what that would change."""

from typing import Any

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    FileSelector,
    FileSelectorConfig,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from .flow_positions import PositionsFlow, label
from .placing import async_apply, async_told, places_of
from .positions_csv import Plan, export, make_plan
from .positions_table import COLUMNS, MOST_CHARACTERS, BadEncodingError, decode

CONF_CSV = "csv"
CONF_FILE = "file"
_MOST_TOLD = 20

_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_CSV): TextSelector(TextSelectorConfig(multiline=True)),
        vol.Optional(CONF_FILE): FileSelector(
            FileSelectorConfig(accept=".csv,.tsv,.txt,text/csv")
        ),
    }
)


class TooLargeError(ValueError):
    """A file that is no table of miners."""


class TableFlow(PositionsFlow):
    """Import positions and names; nothing is changed before the user has seen what."""

    _text = ""
    _plan = Plan()

    async def async_step_table(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the table; what is known now stands there to begin with."""
        if (fleet := self._fleet()) is None:
            return self.async_abort(reason="no_devices")
        errors: dict[str, str] = {}
        told = {"columns": ", ".join(COLUMNS)}
        if user_input is not None:
            errors = await self._async_take(user_input, told)
            if not errors:
                self._plan = await self.hass.async_add_executor_job(
                    make_plan, self._text, places_of(fleet)
                )
                return await self._async_preview()
        elif not self._text:
            self._text = await self.hass.async_add_executor_job(
                export, places_of(fleet)
            )
        return self.async_show_form(
            step_id="table",
            data_schema=self.add_suggested_values_to_schema(
                _SCHEMA, {CONF_CSV: self._text}
            ),
            errors=errors,
            description_placeholders=told,
        )

    async def _async_take(
        self, user_input: dict[str, Any], told: dict[str, str]
    ) -> dict[str, str]:
        """Take the file, or else the text; return what is wrong, by field."""
        self._text = user_input.get(CONF_CSV, "")
        if not (file_id := user_input.get(CONF_FILE)):
            return {} if self._text.strip() else {"base": "nothing_given"}
        try:
            self._text = await self.hass.async_add_executor_job(
                _read_upload, self.hass, file_id
            )
        except BadEncodingError as error:
            told["line"] = str(error.line)
            return {CONF_FILE: "bad_encoding"}
        except TooLargeError:
            return {CONF_FILE: "file_too_large"}
        except ValueError, OSError:
            return {CONF_FILE: "file_gone"}
        return {}

    async def _async_preview(self) -> ConfigFlowResult:
        return await (
            self.async_step_table_preview()
            if self._plan.changes
            else self.async_step_table_nothing()
        )

    async def async_step_table_preview(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the table would change."""
        return self.async_show_menu(
            step_id="table_preview",
            menu_options=["table_apply", "table"],
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_table_nothing(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show why the table would change nothing."""
        return self.async_show_menu(
            step_id="table_nothing",
            menu_options=["table"],
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_table_apply(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Do it."""
        if (fleet := self._fleet()) is None:
            return self.async_abort(reason="no_devices")
        await async_apply([fleet], self._plan)
        return self.async_create_entry(data=self.config_entry.options)

    async def _async_placeholders(self) -> dict[str, str]:
        plan = self._plan
        names = await self._part_names()
        shown = plan.problems[:_MOST_TOLD]
        words = await async_told(self.hass, shown)
        problems = [
            f"- **{problem.line}** {problem.column or ''}".rstrip() + f": {text}"
            for problem, text in zip(shown, words, strict=True)
        ]
        changes = [
            f"- {change.name or change.place.name or change.place.id}: "
            f"{label(change.place.position, names)} → {label(change.position, names)}"
            for change in plan.changes[:_MOST_TOLD]
        ]
        return {
            "changed": str(len(plan.changes)),
            "unchanged": str(plan.unchanged),
            "unknown": str(plan.unknown),
            "wrong": str(len({problem.line for problem in plan.problems})),
            "ignored": ", ".join(plan.ignored) or "–",
            "changes": _listed(changes, len(plan.changes)),
            "problems": _listed(problems, len(plan.problems)),
        }


def _listed(lines: list[str], total: int) -> str:
    more = total - len(lines)
    return "\n".join([*lines, f"- … (+{more})"] if more else lines) or "–"


def _read_upload(hass: HomeAssistant, file_id: str) -> str:
    with process_uploaded_file(hass, file_id) as path:
        if path.stat().st_size > 4 * MOST_CHARACTERS:
            raise TooLargeError
        return decode(path.read_bytes())
