"""Tests of the SDK, the integration and the frontend."""
