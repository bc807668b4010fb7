"""A clock that tests move by hand, for what waits its turn."""

from custom_components.miningsdk.sdk.network import Network
from custom_components.miningsdk.sdk.pool_account import PoolAccount


class Clock:
    """Time that passes only when it is told to, or slept away."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def drive[T: PoolAccount | Network](self, reader: T) -> T:
        """Have a reader live by this clock."""
        reader._api.clock = self
        reader._api.sleep = self.sleep  # type: ignore[assignment]
        return reader
