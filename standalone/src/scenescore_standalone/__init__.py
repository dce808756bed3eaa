"""The command `scenescore`: everything on one machine, no servers. It calls the services; it copies nothing."""
