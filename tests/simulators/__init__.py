"""Simulated devices that speak their real wire protocols on loopback."""
