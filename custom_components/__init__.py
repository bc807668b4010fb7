"""Where Home Assistant and the tests find the integration."""
