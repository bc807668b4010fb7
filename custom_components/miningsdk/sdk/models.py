"""What is known of each model of miner, where the device does not tell it itself.

The facts are data: ``models.json``, described by ``models.schema.json``. They are read
when they are first wanted, or by ``load``; that takes some milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
import re
from typing import Any

import orjson

from .model import Board, DeviceInfo, DeviceKind, MinerStats

_FILE = Path(__file__).with_name("models.json")
# "(104T)", "(FIRMWARE 1.2)" or " 104 TH/S" behind a name.
_TAIL = re.compile(r"\s*\([^()]*\)$|\s+\d+(?:\.\d+)?\s*[KMGT](?:H(?:/S)?)?$")
_NOISE = re.compile(r"[^\w+]|_")
_LETTERS = re.compile(r"[A-Z]*")
_SPELLINGS = (("HYDRO", "HYD"), ("PLUS", "+"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model; ``None`` is not known for certain.

    ``chips`` are those of one board. ``hashrate`` in TH/s of its own algorithm and
    ``power`` in W are what the maker publishes. ``cooling`` is ``air``, ``hydro`` or
    ``immersion``; a miner in a liquid has 0 ``fans``. ``names`` are those by which
    devices call it otherwise.
    """

    make: str
    model: str
    algorithm: str | None = None
    boards: int | None = None
    chips: int | None = None
    fans: int | None = None
    cooling: str | None = None
    hashrate: float | None = None
    power: float | None = None
    names: tuple[str, ...] = ()


class _Make:
    """The models of one make, by their names as they can be compared."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._make: str = data["make"]
        self._brand: str = data.get("brand", "")
        self._series: Mapping[str, str] = data.get("series", {})
        self._defaults: Mapping[str, Any] = data.get("defaults", {})
        self._variant = re.compile(f"(.+?)(?:{data.get('variant', '(?!)')})")
        self._by_name: dict[str, Model] = {}
        self.models: list[Model] = []
        self.words = {
            _compact(word)
            for word in (self._make, self._brand, *data.get("also", ()))
            if word
        }
        for name, facts in data["models"].items():
            self._add(name, {**self._defaults, **facts})

    def _add(self, name: str, facts: dict[str, Any]) -> None:
        names = tuple(facts.pop("names", ()))
        variants: Mapping[str, Any] = facts.pop("variants", {})
        usual = facts.get("boards")
        found = []
        for variant, told in variants.items():
            boards, chips = told if isinstance(told, list) else (usual, told)
            counts = {"boards": boards, "chips": chips}
            found.append(self._model(f"{name} {variant}", facts | counts))
        if found:
            # Of a variant that is not listed holds what is the same for all that are.
            for count in ("boards", "chips"):
                values = {getattr(model, count) for model in found}
                facts[count] = values.pop() if len(values) == 1 else None
        family = self._model(name, facts, names)
        self.models += found or [family]

    def _model(
        self, name: str, facts: Mapping[str, Any], names: tuple[str, ...] = ()
    ) -> Model:
        full = f"{self._brand} {name}".strip()
        model = Model(make=self._make, model=full, names=names, **facts)
        for known in (name, *names):
            self._by_name[_compact(known)] = model
        return model

    def find(self, name: str) -> Model | None:
        """Return the model of a compact name, or else the family that it is of."""
        if found := self._by_name.get(name):
            return found
        match = self._variant.fullmatch(name)
        return self._by_name.get(match[1]) if match else None

    def algorithm(self, name: str) -> str | None:
        """Return what a model that is not listed mines, by its first letters."""
        letters = _LETTERS.match(name)
        if not self._series or letters is None:
            return self._defaults.get("algorithm")
        return self._series.get(letters[0])


class _Table:
    """All makes, by the words that stand for them."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.makes = [_Make(make) for make in data["makes"]]
        words = {word: make for make in self.makes for word in make.words}
        # A longer word goes before one that it begins with.
        self._words = dict(sorted(words.items(), key=lambda item: -len(item[0])))

    def make(self, name: str | None) -> _Make | None:
        """Return a make by any of its names."""
        return self._words.get(_compact(name or ""))

    def candidates(self, make: str | None, model: str) -> list[tuple[_Make, str]]:
        """Return which makes a name may be of, and what the model is called there.

        The brand in the name of a model counts before the make that was told: that
        may be the make of the firmware.
        """
        text = _compact(model)
        found = []
        for word, of in self._words.items():
            if text.startswith(word):
                found += [(of, text), (of, text.removeprefix(word))]
        if told := self.make(make):
            found.append((told, text))
        return [(of, name) for of, name in found if name]


@cache
def _table() -> _Table:
    return _Table(orjson.loads(_FILE.read_bytes()))


def load() -> None:
    """Read the table now; a program that must not wait for a file does it early."""
    _table()


def known() -> list[Model]:
    """Return all models of the table, make by make."""
    return [model for make in _table().makes for model in make.models]


def lookup(make: str | None, model: str | None) -> Model | None:
    """Return the model that a device says it is, or ``None`` when it is not known.

    Case, spaces, signs, a rating such as ``104T`` at the end and what stands in
    brackets make no difference. A variant that is not listed counts as its family.
    """
    for of, name in _table().candidates(make, model or ""):
        if found := of.find(name):
            return found
    return None


def algorithm(make: str | None, model: str | None) -> str | None:
    """Return what a model mines; of one that is not known, by its make and letters."""
    if found := lookup(make, model):
        return found.algorithm
    for of, name in reversed(_table().candidates(make, model or "")):
        if found_algorithm := of.algorithm(name):
            return found_algorithm
    return None


def label(info: DeviceInfo) -> str | None:
    """Return the model for people: ``Unknown model (what it calls itself)`` if it is.

    Makes that are not in the table have drivers of their own, which know their models.
    """
    if info.kind is not DeviceKind.MINER or info.model is None:
        return info.model
    own = info.make is not None and _table().make(info.make) is None
    if own or lookup(info.make, info.model):
        return info.model
    return f"Unknown model ({info.model})"


def additions(info: DeviceInfo, model: Model | None) -> dict[str, Any]:
    """Return the facts that the table adds to what a device told of itself."""
    if info.kind is not DeviceKind.MINER:
        return {}
    facts: dict[str, Any] = {"algorithm": algorithm(info.make, info.model)}
    if model is not None:
        facts |= {"boards": model.boards, "fans": model.fans}
        if model.boards and model.chips:
            facts["chips"] = model.boards * model.chips
    return {
        name: value
        for name, value in facts.items()
        if value is not None and getattr(info, name) is None
    }


def fits(model: Model, boards: Sequence[Board]) -> bool:
    """Tell whether boards may be those of a model.

    They are not if there are too many of them, or one has too many chips, or several
    agree on another number of chips: makers change boards and keep the name.
    """
    if model.boards is not None and len(boards) > model.boards:
        return False
    counts = [board.chips for board in boards if board.chips]
    if model.chips is None or not counts:
        return True
    agree = len(counts) > 1 and len(set(counts)) == 1
    return max(counts) <= model.chips and (not agree or counts[0] == model.chips)


def expect(stats: MinerStats, model: Model | None) -> MinerStats:
    """Fill in how many chips each board should have, where the device does not tell."""
    if model is None or model.chips is None:
        return stats
    if all(board.chips_expected is not None for board in stats.boards):
        return stats
    return replace(
        stats,
        boards=tuple(
            board
            if board.chips_expected is not None
            else replace(board, chips_expected=model.chips)
            for board in stats.boards
        ),
    )


def _compact(name: str) -> str:
    """Return a name as it can be compared: capitals, digits and plus signs."""
    bare = name.strip().upper()
    while (shorter := _TAIL.sub("", bare)) != bare:
        bare = shorter
    for spelling, usual in _SPELLINGS:
        bare = bare.replace(spelling, usual)
    return _NOISE.sub("", bare)
