"""FLOPs of architectures, lifetime costs, accelerators."""
