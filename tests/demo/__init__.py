"""The demo: a mixed site of simulated miners in a real Home Assistant."""
