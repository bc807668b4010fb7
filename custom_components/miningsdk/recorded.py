"""The part of the hourly history that the recorder has; it need not be there."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    get_last_statistics,
)
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .statistics import Series


@callback
def async_add(hass: HomeAssistant, series: Series) -> None:
    """Hand a row over; one of the same hour is replaced."""
    is_mean = "mean" in series.row
    metadata = StatisticMetaData(
        mean_type=StatisticMeanType.ARITHMETIC if is_mean else StatisticMeanType.NONE,
        has_sum=not is_mean,
        name=f"{series.device} {series.quantity}",
        source=DOMAIN,
        statistic_id=series.id,
        unit_class=series.unit_class,
        unit_of_measurement=series.unit,
    )
    row = StatisticData(start=datetime.fromtimestamp(series.start, UTC))
    for name, value in series.row.items():
        row[name] = value  # type: ignore[literal-required]
    async_add_external_statistics(hass, metadata, [row])


async def async_last_sums(
    hass: HomeAssistant, ids: Iterable[str], start: int
) -> Mapping[str, tuple[float, float | None]]:
    """Return the sum before an hour, and that of the hour if it has one, by id."""
    return await get_instance(hass).async_add_executor_job(
        _last_sums, hass, tuple(ids), start
    )


def _last_sums(
    hass: HomeAssistant, ids: Iterable[str], start: int
) -> dict[str, tuple[float, float | None]]:
    found: dict[str, tuple[float, float | None]] = {}
    for statistic_id in ids:
        rows = get_last_statistics(hass, 2, statistic_id, False, {"sum"})
        sums = {
            row["start"]: row.get("sum") or 0.0 for row in rows.get(statistic_id, ())
        }
        before = [total for begun, total in sums.items() if begun < start]
        later = [total for begun, total in sums.items() if begun >= start]
        found[statistic_id] = max(before, default=0.0), max(later, default=None)
    return found
