"""The drivers, one module per firmware or meter family.

A module lists its driver classes in ``DRIVERS``; ``registry`` finds it by itself.
"""
