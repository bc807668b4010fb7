"""Tests of what users install, as they install it."""
