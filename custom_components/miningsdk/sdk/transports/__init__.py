"""The wires on which devices are reached, one module each."""
