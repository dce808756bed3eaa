"""The networks that can tell a scene's emotion, behind one registry."""
