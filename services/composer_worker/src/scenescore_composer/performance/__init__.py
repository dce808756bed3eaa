"""How written notes are played: `shaping` bar by bar, before tokens are made; `touch` note by note, in the end."""
