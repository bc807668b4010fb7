"""Units of algorithms, and TH/s that keep their digits."""

import pytest

from custom_components.miningsdk.sdk import algorithms
from custom_components.miningsdk.sdk.algorithms import ALGORITHMS, SHA256, of, rounded


@pytest.mark.parametrize(
    ("name", "hashrate", "shown", "unit"),
    [
        ("sha256", 200.0, 200.0, "TH/s"),
        ("scrypt", 0.017, 17.0, "GH/s"),
        ("x11", 1.77, 1770.0, "GH/s"),
        ("ethash", 0.00368, 3680.0, "MH/s"),
        ("equihash", 8.4e-7, 840.0, "kSol/s"),
        ("randomx", 2.12e-7, 212.0, "kH/s"),
        ("kheavyhash", 12.0, 12.0, "TH/s"),
        ("unheardof", 0.5, 0.5, "TH/s"),
        (None, 0.5, 0.5, "TH/s"),
    ],
)
def test_hashrates(name: str | None, hashrate: float, shown: float, unit: str) -> None:
    algorithm = of(name)
    assert algorithm.convert("hashrate", hashrate) == shown
    assert algorithm.unit("hashrate") == unit


def test_an_efficiency_goes_with_its_hashrate() -> None:
    """2780 W for 840 kSol/s."""
    equihash = of("equihash")
    assert equihash.unit("efficiency") == "J/kSol"
    assert equihash.convert("efficiency", round(2780 / 8.4e-7, 2)) == pytest.approx(
        2780 / 840
    )
    assert (SHA256.unit("efficiency"), SHA256.convert("efficiency", 17.5)) == (
        "J/TH",
        17.5,
    )


def test_names_are_those_of_the_vocabulary() -> None:
    for name, algorithm in ALGORITHMS.items():
        assert algorithm.name == name == name.lower()
        assert name.isalnum()
        assert algorithm.label.lower().replace("-", "") == name
    assert of("sha256") is SHA256
    assert algorithms.of("unheardof").label == "unheardof"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (200.123456, 200.1235),
        (1.0, 1.0),
        (0.0, 0.0),
        (0.01654321987, 0.0165432),
        (8.401234567e-7, 8.40123e-7),
    ],
)
def test_small_rates_are_not_rounded_away(told: float, kept: float) -> None:
    assert rounded(told) == kept
