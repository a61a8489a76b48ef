"""From means to a plan of a training run."""
