"""What a hash is for each algorithm, and the unit in which people count it.

All hashrates of the vocabulary are in TH/s of the device's own algorithm. A TH/s of
one algorithm is another thing than one of the next: they are never added up.
"""

from dataclasses import dataclass
from typing import Literal

_PER_TERAHASH = {"T": 1.0, "G": 1e3, "M": 1e6, "k": 1e9}


type Quantity = Literal["hashrate", "efficiency"]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm, as ``DeviceInfo.algorithm`` and as people call it.

    Miners of it are sold by the ``unit`` of their hashrate; ``factor`` of these are
    1 TH/s, and so many ``digits`` of them behind the point are worth showing.
    """

    name: str
    label: str
    hashes: str = "TH"
    factor: float = 1.0
    digits: int = 2

    def unit(self, quantity: Quantity) -> str:
        """Return the unit of a hashrate, ``GH/s``, or of an efficiency, ``J/GH``."""
        return f"{self.hashes}/s" if quantity == "hashrate" else f"J/{self.hashes}"

    def convert(self, quantity: Quantity, value: float) -> float:
        """Return a hashrate in TH/s or an efficiency in J/TH in that unit."""
        if self.factor == 1:
            return value
        by = self.factor if quantity == "hashrate" else 1 / self.factor
        # Ten digits leave out the dust of floating point.
        return float(f"{value * by:.10g}")


def _algorithm(
    name: str, label: str, prefix: str, hashes: str = "H", *, digits: int = 2
) -> Algorithm:
    return Algorithm(name, label, f"{prefix}{hashes}", _PER_TERAHASH[prefix], digits)


SHA256 = _algorithm("sha256", "SHA-256", "T")
ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        SHA256,
        _algorithm("blake256", "Blake256", "T"),
        _algorithm("blake2b", "Blake2b", "T", digits=3),
        _algorithm("blake2s", "Blake2s", "T"),
        _algorithm("blake3", "Blake3", "T", digits=3),
        _algorithm("eaglesong", "Eaglesong", "T"),
        _algorithm("equihash", "Equihash", "k", "Sol"),
        _algorithm("ethash", "Ethash", "M"),
        _algorithm("handshake", "Handshake", "T"),
        _algorithm("kadena", "Kadena", "T"),
        _algorithm("kheavyhash", "kHeavyHash", "T", digits=3),
        _algorithm("lbry", "LBRY", "G"),
        _algorithm("randomx", "RandomX", "k"),
        _algorithm("scrypt", "Scrypt", "G", digits=3),
        _algorithm("x11", "X11", "G"),
    )
}


def of(name: str | None) -> Algorithm:
    """Return an algorithm; one that is not known counts in TH/s, like SHA-256."""
    if name is None:
        return SHA256
    return ALGORITHMS.get(name) or Algorithm(name, name)


def rounded(terahashes: float) -> float:
    """Return TH/s without needless digits, whatever the algorithm.

    Four places are enough for SHA-256, but a rate of Equihash begins at the seventh.
    """
    if abs(terahashes) >= 1:
        return round(terahashes, 4)
    return float(f"{terahashes:.6g}")
