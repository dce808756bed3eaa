"""`python -m scenescore_client`: the command `scenescore-client`."""

import sys

from scenescore_client.main import main

sys.exit(main())
