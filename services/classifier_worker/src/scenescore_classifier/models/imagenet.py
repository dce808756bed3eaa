"""What networks that learnt from ImageNet (Deng et al. 2009) name in a picture, and how heads see it.

A police van or a church tells more of a scene's emotion than any one channel: heads get the logarithm of how likely
each thing is.
"""

CLASSES = 1001
"""Things: those of ImageNet, and a background."""

UNLIKELY = 0.01
"""Added to a probability before its logarithm is taken: less than this counts as none."""
