"""`python -m scenescore_standalone`: the command `scenescore`."""

import sys

from scenescore_standalone.main import main

sys.exit(main())
