"""What a site earns and costs: the network's data and any electricity price."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .const import (
    CONF_NETWORK,
    CONF_POOL_FEE,
    CONF_POWER_ENTITY,
    CONF_PRICE_ENTITY,
    DOMAIN,
    LOGGER,
)
from .measured import async_number, async_power
from .sdk import MiningSDKError
from .sdk.economics import (
    break_even_tariff,
    cost_per_ths,
    power_cost_per_day,
    profit_per_day,
    revenue_per_day,
)
from .sdk.network import Network, NetworkStats
from .totals import ALGORITHM, Totals

if TYPE_CHECKING:
    from .coordinator import MiningConfigEntry

_INTERVAL = timedelta(minutes=2)
_HUNDREDTHS = ("ct", "cent", "cents", "c", "¢", "p", "öre", "øre")


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """A day of the site in its currency; ``None`` where a part is unknown."""

    revenue: float | None = None
    power_cost: float | None = None
    profit: float | None = None
    break_even: float | None = None
    cost_per_ths: float | None = None


class MarketCoordinator(DataUpdateCoordinator[NetworkStats]):
    """Read the network now and then; the site itself does not wait for it."""

    config_entry: MiningConfigEntry

    def __init__(self, hass: HomeAssistant, entry: MiningConfigEntry) -> None:
        """Prepare to read the server that the options name.

        Raises:
            InvalidTarget: the option is no address of a server.
        """
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{DOMAIN} network",
            update_interval=_INTERVAL,
            always_update=False,
        )
        self._network = Network(
            entry.options[CONF_NETWORK], session=async_get_clientsession(hass)
        )

    @override
    async def _async_update_data(self) -> NetworkStats:
        try:
            return await self._network.read()
        except MiningSDKError as error:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="network_unreachable",
                translation_placeholders={"error": str(error)},
            ) from error


@callback
def async_money(hass: HomeAssistant, entry: MiningConfigEntry) -> Money:
    """Return what a day comes to at this hashrate, power and price.

    The network pays for one algorithm: where a site mines another one too, all but the
    power cost is about the former alone, and about its share of the power.
    """
    fleet = entry.runtime_data
    market = fleet.market
    stats = None if market is None else market.data
    price = None if stats is None else stats.price(hass.config.currency)
    hashrate = fleet.totals.of(ALGORITHM).hashrate
    power = async_site_power(hass, entry)
    share = _share(fleet.totals, power)
    tariff = async_price(hass, entry)
    revenue = (
        None
        if stats is None or price is None
        else revenue_per_day(
            hashrate,
            stats.hashprice,
            price,
            pool_fee=float(entry.options.get(CONF_POOL_FEE, 0)),
        )
    )
    cost = power_cost_per_day(share, tariff)
    return Money(
        revenue=revenue,
        power_cost=power_cost_per_day(power, tariff),
        profit=profit_per_day(revenue, cost),
        break_even=break_even_tariff(revenue, share),
        cost_per_ths=cost_per_ths(cost, hashrate),
    )


def _share(totals: Totals, power: float | None) -> float | None:
    """Return how much of a site's power goes into the work that the network pays for.

    Of a meter's power as much as of that of the miners, which all have to tell theirs.
    """
    if totals.work.keys() <= {ALGORITHM}:
        return power
    used = totals.of(ALGORITHM).power
    if power is None or used is None or not totals.power or totals.without_power:
        return None
    return power * used / totals.power


@callback
def async_site_power(hass: HomeAssistant, entry: MiningConfigEntry) -> float | None:
    """Return the power of the site in W: that of its meter, if it has one.

    Without a meter all miners that answer have to tell theirs.
    """
    if not (entity_id := entry.options.get(CONF_POWER_ENTITY)):
        totals = entry.runtime_data.totals
        return None if totals.without_power else totals.power
    return async_power(hass, entity_id)


@callback
def async_price(hass: HomeAssistant, entry: MiningConfigEntry) -> float | None:
    """Return the price of a kWh in whole currency, from the entity's own unit.

    Dynamic tariffs come per kWh or per MWh, and in the currency or in hundredths.
    """
    if not (entity_id := entry.options.get(CONF_PRICE_ENTITY)):
        return None
    value, unit = async_number(hass, entity_id)
    if value is None:
        return None
    money, _, energy = unit.partition("/")
    if energy.strip().lower() == "mwh":
        value /= 1000
    if money.strip().lower() in _HUNDREDTHS:
        value /= 100
    return value
