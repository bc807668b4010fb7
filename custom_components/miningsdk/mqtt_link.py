"""Home Assistant's own MQTT client, as the SDK's drivers use one."""

from collections.abc import Callable, Collection

from homeassistant.components import mqtt
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from .sdk import DeviceUnreachable
from .sdk.transports.mqtt import Heard, Message


class HassMqttLink:
    """The broker that Home Assistant is connected to; there is no other one."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Use the MQTT integration, set up by the user."""
        self._hass = hass

    async def subscribe(
        self, topics: Collection[str], heard: Heard
    ) -> Callable[[], None]:
        """Have every message to the topics heard; what is returned ends it."""

        @callback
        def received(message: mqtt.ReceiveMessage) -> None:
            payload = message.payload
            raw = payload if isinstance(payload, bytes) else str(payload).encode()
            heard(Message(message.topic, raw, message.retain))

        self.check()
        ends = [
            await mqtt.async_subscribe(self._hass, topic, received, encoding=None)
            for topic in topics
        ]

        def end() -> None:
            for unsubscribe in ends:
                unsubscribe()

        return end

    async def publish(self, topic: str, payload: str) -> None:
        """Send a message."""
        self.check()
        try:
            await mqtt.async_publish(self._hass, topic, payload)
        except HomeAssistantError as error:
            raise DeviceUnreachable(f"MQTT: {error}") from error

    def check(self) -> None:
        """Raise while Home Assistant itself is not connected to its broker."""
        try:
            connected = mqtt.is_connected(self._hass)
        except KeyError:
            connected = False
        if not connected:
            raise DeviceUnreachable("Home Assistant is not connected to an MQTT broker")
