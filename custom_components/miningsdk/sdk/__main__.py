"""Run the command line with ``python -m``."""

import sys

from .cli import main

sys.exit(main())
