"""A simulated Bitdeer D40: a client of an MQTT broker, as the real one is."""

import asyncio
from collections.abc import Callable
import contextlib
import math
import time
from typing import Any, override

import aiomqtt
import orjson

from .base import SimulatedDevice, Trouble

TOPICS = ("RunningInfo", "PDUData", "MainData", "TacticsData", "ParameterData")
COMMANDS = (
    "PDUOperate",
    "CoolerOperate",
    "PumpOperate",
    "ParameterSet",
    "RunningOperate",
    "TacticsSet",
)
_SOCKETS = {"m56": 14, "m30": 16, "a1346": 13, "s19xp": 13}
_FANS = 8
_RETRY = 0.05
_MUTE = (Trouble.SILENT, Trouble.CLOSED, Trouble.RESET)


class SimulatedBitdeer(SimulatedDevice):
    """A D40; ``model`` is one of m56, m30, a1346, s19xp.

    It publishes all its topics ``every`` so many seconds. ``alarms`` are its alarm
    texts, ``persistent`` those that stay after a reset. ``stubborn`` hears commands
    without obeying. Topics in ``withheld`` are not published. ``requests`` counts the
    commands that came, which are kept in ``commands``.
    """

    ports = (1883,)

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        port: int = 1883,
        username: str | None = None,
        password: str | None = None,
        topic: str = "C024_D40",
        model: str = "m56",
        serial: int = 1,
        every: float = 5.0,
        alarms: tuple[str, ...] = (),
        persistent: tuple[str, ...] = (),
        running: bool = True,
        pressure: bool = True,
    ) -> None:
        """Describe a container that is not switched on yet."""
        super().__init__(host)
        self._broker = (host, port, username, password)
        self.topic = topic
        self.model = model
        self.serial = serial
        self.every = every
        self.alarms = [*alarms, *persistent]
        self.persistent = set(persistent)
        self.alarm_state = "1" if self.alarms else "0"
        self.running = running
        self.pressure = pressure
        self.stubborn = False
        self.withheld: set[str] = set()
        self.unreadable: set[int] = set()
        self.retain = False
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self._published = asyncio.Event()
        sockets = _SOCKETS[model]
        self.sockets = [["1"] * sockets for _ in range(8)]
        self.pumps = {"OilPump1": "1", "OilPump2": "1"}
        self.pumps |= {"WaterPump1": "1", "WaterPump2": "0"}
        self.fans = [["1"] * _FANS, ["1"] * _FANS]
        self.parameters: dict[str, str] = {
            "CoolOilAlarmTemp": "48.0",
            "HotOilAlarmTemp": "60.0",
            "CoolWaterAlarmTemp": "45.0",
            "HotWaterAlarmTemp": "50.0",
            "CoolOilSettingTemp": "38.0",
            "ExhausFansRunTemp": "30.0",
            "Tank1Enable": "1",
            "Tank2Enable": "1",
            "AirExhaustEnable": "0",
        }
        if pressure:
            self.parameters["PressureAlarmValue"] = "3.8"
        self.tactics = {
            "RunTactics": {
                "TacticsType": "1",
                "ElectricityPrice": {"RunPrice": "0.04", "CurrentPrice": "0.05"},
                "CoinPrice": {"RunPrice": "60000.0", "CurrentPrice": "91000.0"},
            },
            "StopTactics": {
                "TacticsType": "0",
                "ElectricityPrice": {"StopPrice": "0.09", "CurrentPrice": "0.05"},
                "CoinPrice": {"StopPrice": "40000.0", "CurrentPrice": "91000.0"},
            },
        }

    # On the wire.

    @override
    async def start(self) -> None:
        """Connect to the broker, now or as soon as it is there, and stay."""
        task = asyncio.create_task(self._stay())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stay(self) -> None:
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._live()
            await asyncio.sleep(_RETRY)

    async def _live(self) -> None:
        host, port, username, password = self._broker
        async with aiomqtt.Client(
            host, port, username=username, password=password
        ) as client:
            await client.subscribe([(f"{self.topic}{name}", 0) for name in COMMANDS])
            publishing = asyncio.create_task(self._publish_always(client))
            try:
                async for message in client.messages:
                    self._hear(str(message.topic), message.payload)
            finally:
                publishing.cancel()
                with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                    await publishing

    async def _publish_always(self, client: aiomqtt.Client) -> None:
        while True:
            await self._publish(client)
            self._published.set()
            await asyncio.sleep(self.every)

    async def _publish(self, client: aiomqtt.Client) -> None:
        for name in TOPICS:
            if self.trouble in _MUTE or name in self.withheld:
                continue
            payload = await self.mangle(orjson.dumps(self.message(name))) or b""
            await client.publish(f"{self.topic}{name}", payload, retain=self.retain)
            if self.trouble is Trouble.HUGE:
                # Once is enough to find out what it does to the other side.
                return

    async def published(self) -> None:
        """Wait until all topics have been published once more, from now on."""
        for _ in range(2):
            self._published.clear()
            await self._published.wait()

    def _hear(self, topic: str, payload: object) -> None:
        assert isinstance(payload, bytes)
        name, body = topic.removeprefix(self.topic), orjson.loads(payload)
        self.requests += 1
        self.commands.append((name, body))
        if not self.stubborn:
            self._obey(name, body)

    # What it does.

    def _obey(self, name: str, body: dict[str, Any]) -> None:
        orders: dict[str, Callable[[dict[str, Any]], None]] = {
            "PDUOperate": self._operate_pdu,
            "CoolerOperate": self._operate_cooler,
            "PumpOperate": self._operate_pump,
            "ParameterSet": self._set_parameters,
            "RunningOperate": self._operate,
            "TacticsSet": self._set_tactics,
        }
        orders[name](body)

    def _operate_pdu(self, body: dict[str, Any]) -> None:
        pdu, place = int(body["PDUIndex"]), int(body["SocketIndex"])
        sockets = self.sockets[pdu]
        for number in range(len(sockets)) if place == -1 else (place,):
            sockets[number] = body["Operate"]

    def _operate_cooler(self, body: dict[str, Any]) -> None:
        fans, place = self.fans[int(body["CoolerIndex"])], int(body["FansIndex"])
        for number in range(len(fans)) if place == -1 else (place,):
            fans[number] = body["Operate"]

    def _operate_pump(self, body: dict[str, Any]) -> None:
        self.pumps[f"{body['Type']}{body['Index']}"] = body["Operate"]

    def _set_parameters(self, body: dict[str, Any]) -> None:
        wanted = body["RunningParameter"]
        # It takes all of them or nothing.
        if set(wanted) == set(self.parameters):
            self.parameters |= wanted

    def _operate(self, body: dict[str, Any]) -> None:
        match body["Operate"]:
            case "AutoRun" | "AutoStop" as order:
                self.running = order == "AutoRun"
            case "AlarmReset":
                self.alarms = [text for text in self.alarms if text in self.persistent]
                self.alarm_state = "1" if self.alarms else "0"

    def _set_tactics(self, body: dict[str, Any]) -> None:
        self.tactics = body["Tactics"]

    # What it says.

    def message(self, name: str) -> dict[str, Any]:
        """Return what it publishes under a topic."""
        told: dict[str, Callable[[], dict[str, Any]]] = {
            "RunningInfo": self._running_info,
            "PDUData": self._pdu_data,
            "MainData": self._main_data,
            "TacticsData": lambda: {"Tactics": self.tactics},
            "ParameterData": lambda: {"RunningParameter": self.parameters},
        }
        return told[name]() | {"TimeStamp": "2026-11-22 09:30:00"}

    def wander(self, value: float, pace: float = 11.0) -> str:
        """Return a value that moves a little, as text."""
        moved = value * (1 + 0.01 * math.sin(time.monotonic() / pace + self.serial))
        return f"{moved:.1f}"

    def _running_info(self) -> dict[str, Any]:
        return {
            "AlarmState": self.alarm_state,
            "AlarmInfo": self.alarms,
            "RunningState": "1" if self.running else "0",
            "DeviceInfo": {
                **self.pumps,
                "DryCooler": [
                    {
                        "CoolerIndex": str(index),
                        "MainContactor": "1" if "1" in fans else "0",
                        "FansStatus": fans,
                    }
                    for index, fans in enumerate(self.fans)
                ],
            },
        }

    def _pdu_data(self) -> dict[str, Any]:
        return {
            "PDUData": [
                {
                    "PDUIndex": str(index),
                    "ReadStatus": "0" if index in self.unreadable else "1",
                    "SocketStatus": sockets,
                    "PowerData": ["7.0" if on == "1" else "0.0" for on in sockets],
                    "CurrentData": ["10.1" if on == "1" else "0.0" for on in sockets],
                }
                for index, sockets in enumerate(self.sockets)
            ],
            "SerialPortStatus": "1",
        }

    def _main_data(self) -> dict[str, Any]:
        drawn = sum(sockets.count("1") for sockets in self.sockets) * 7.0 + 12
        electricity = {"TotalPower": f"{drawn:.1f}"}
        for number, phase in enumerate("ABC"):
            electricity |= {
                f"Power{phase}": f"{drawn / 3:.1f}",
                f"Voltage{phase}": self.wander(236.0 + number),
                f"Current{phase}": f"{drawn / 3 / 0.236:.1f}",
            }
        climate = {
            "ContainerTemperature": self.wander(28.8),
            "ContainerHumidity": self.wander(63.4),
        }
        for tank in (1, 2):
            climate |= {
                f"Tank{tank}OilH": self.wander(46.0 + tank),
                f"Tank{tank}OilL": self.wander(37.0 + tank),
                f"Tank{tank}WaterH": self.wander(38.0 + tank),
                f"Tank{tank}WaterL": self.wander(30.0 + tank),
            }
            if self.pressure:
                climate[f"Tank{tank}Pressure"] = self.wander(2.3)
        return {
            "PowerData": electricity,
            "TemperatureData": climate,
            "UPSData": {
                "InputVoltage": "235.5",
                "InputFrequency": "49.9",
                "OutputVoltage": "219.9",
                "OutputFrequency": "50.0",
                "Temperature": "38.0",
                "BatteryStatus": "100.0",
            },
        }
