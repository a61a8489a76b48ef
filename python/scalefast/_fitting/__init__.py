"""From runs to a fit: what is fitted, the estimate, the evidence for it, its files."""
