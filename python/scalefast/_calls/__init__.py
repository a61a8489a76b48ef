"""Long calls: interruption, progress, cancelling."""
