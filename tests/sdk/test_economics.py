"""What a hash earns and costs, against sums done by hand."""

from hypothesis import given, strategies as st
import pytest

from custom_components.miningsdk.sdk.economics import (
    break_even_tariff,
    cost_per_ths,
    hashprice_btc,
    power_cost_per_day,
    profit_per_day,
    revenue_per_day,
)

DIFFICULTY = 1.2e14
REWARD = 3.14
HASHPRICE = hashprice_btc(DIFFICULTY, REWARD)


def test_hashprice() -> None:
    # A difficulty of 2^-32 * 1e12 means one TH for each block.
    assert hashprice_btc(1e12 / 2**32, 1.0) == pytest.approx(86_400)
    assert pytest.approx(5.2638352e-7) == HASHPRICE


def test_the_whole_network_earns_144_blocks_a_day() -> None:
    hashrate = DIFFICULTY * 2**32 / 600 / 1e12
    assert revenue_per_day(hashrate, HASHPRICE) == pytest.approx(144 * REWARD)


def test_a_miner_of_200_terahashes() -> None:
    revenue = revenue_per_day(200, HASHPRICE, 90_000.0)
    assert revenue == pytest.approx(9.4749, abs=1e-4)
    assert revenue_per_day(200, HASHPRICE, 90_000.0, pool_fee=2) == pytest.approx(
        9.2854, abs=1e-4
    )
    cost = power_cost_per_day(3500, 0.10)
    assert cost == pytest.approx(8.4)
    assert profit_per_day(revenue, cost) == pytest.approx(1.0749, abs=1e-4)
    tariff = break_even_tariff(revenue, 3500)
    assert tariff == pytest.approx(0.1128, abs=1e-4)
    assert profit_per_day(revenue, power_cost_per_day(3500, tariff)) == pytest.approx(0)
    assert cost_per_ths(cost, 200) == pytest.approx(0.042)


def test_a_tariff_below_zero_pays() -> None:
    assert power_cost_per_day(1000, -0.05) == pytest.approx(-1.2)


def test_what_is_unknown_stays_unknown() -> None:
    assert hashprice_btc(None, REWARD) is None
    assert hashprice_btc(DIFFICULTY, None) is None
    assert hashprice_btc(0, REWARD) is None
    assert hashprice_btc(-1, REWARD) is None
    assert revenue_per_day(None, HASHPRICE) is None
    assert revenue_per_day(1, None) is None
    assert revenue_per_day(1, HASHPRICE, None) is None
    assert power_cost_per_day(None, 1) is None
    assert power_cost_per_day(1, None) is None
    assert profit_per_day(None, 1) is None
    assert profit_per_day(1, None) is None
    assert break_even_tariff(None, 1) is None
    assert break_even_tariff(1, None) is None
    assert break_even_tariff(1, 0) is None
    assert cost_per_ths(None, 1) is None
    assert cost_per_ths(1, None) is None
    assert cost_per_ths(1, 0) is None
    assert revenue_per_day(0, HASHPRICE) == 0, "nothing is not unknown"


@given(
    hashrate=st.floats(0.1, 1e7),
    power=st.floats(1, 1e8),
    price=st.floats(1, 1e8),
)
def test_at_break_even_nothing_is_left(
    hashrate: float, power: float, price: float
) -> None:
    revenue = revenue_per_day(hashrate, HASHPRICE, price)
    assert revenue is not None
    tariff = break_even_tariff(revenue, power)
    left = profit_per_day(revenue, power_cost_per_day(power, tariff))
    assert left == pytest.approx(0, abs=revenue * 1e-9)
