"""What every Scenescore service needs: jobs and their legal moves, contracts, ports and adapters."""
