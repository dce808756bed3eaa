"""Pictures made by a Wasserstein GAN, one per emotion, to enlarge the classifier's training set."""
