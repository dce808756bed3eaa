"""The networks that can tell how a picture feels."""
