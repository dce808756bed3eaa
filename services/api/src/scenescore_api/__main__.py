"""`python -m scenescore_api`: the gateway."""

from scenescore_api.main import main

main()
