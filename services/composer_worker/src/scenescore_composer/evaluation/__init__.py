"""How good the composer's music is, by measures that nothing which composes or selects may look at.

The judges here are fitted to people's labels of performed music. A composer that chose by them would be measured by
its own yardstick, so an import rule keeps everything outside this package from importing it.
"""
