"""Tests of the integration, in a real Home Assistant core."""
