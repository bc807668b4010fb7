"""What a hash of SHA-256 earns and what it costs; unknown in, unknown out."""

_SECONDS = 86_400
_HOURS = 24
_HASHES = 1e12  # in one TH
# On average a block takes this many hashes at difficulty 1.
_HASHES_AT_1 = 2**32


def hashprice_btc(difficulty: float | None, reward: float | None) -> float | None:
    """Return what 1 TH/s earns in a day: BTC per TH/s and day.

    86400 s * 10^12 hashes / (difficulty * 2^32 hashes) * reward, with ``reward`` the
    BTC of one block, subsidy and fees. An identity of the protocol, not a forecast.
    """
    if reward is None or reward < 0 or difficulty is None or difficulty <= 0:
        return None
    return _SECONDS * _HASHES / (difficulty * _HASHES_AT_1) * reward


def revenue_per_day(
    hashrate: float | None,
    hashprice: float | None,
    price: float | None = 1.0,
    *,
    pool_fee: float = 0.0,
) -> float | None:
    """Return the revenue of a day in the currency of ``price``: BTC when it is 1.

    hashrate TH/s * hashprice BTC/(TH/s*day) * price per BTC * (1 - pool_fee / 100),
    with ``pool_fee`` in %.
    """
    if hashrate is None or hashprice is None or price is None:
        return None
    return hashrate * hashprice * price * (1 - pool_fee / 100)


def power_cost_per_day(
    power: float | None, price_per_kwh: float | None
) -> float | None:
    """Return what a day of power costs: W * 24 h / 1000 * price per kWh.

    The price may be negative, as dynamic tariffs are at times.
    """
    if power is None or price_per_kwh is None:
        return None
    return _energy(power) * price_per_kwh


def profit_per_day(revenue: float | None, cost: float | None) -> float | None:
    """Return revenue less cost of a day, both in one currency."""
    return None if revenue is None or cost is None else revenue - cost


def break_even_tariff(revenue: float | None, power: float | None) -> float | None:
    """Return the price per kWh at which the profit of a day is zero.

    revenue per day / (W * 24 h / 1000), in the currency of the revenue per kWh;
    unknown without power.
    """
    if revenue is None or power is None or power <= 0:
        return None
    return revenue / _energy(power)


def cost_per_ths(cost: float | None, hashrate: float | None) -> float | None:
    """Return what a day of 1 TH/s costs: cost per day / TH/s.

    It compares with the hashprice in the same currency; unknown without hashrate.
    """
    if cost is None or hashrate is None or hashrate <= 0:
        return None
    return cost / hashrate


def _energy(power: float) -> float:
    """Return the kWh of a day at a power in W."""
    return power * _HOURS / 1000
