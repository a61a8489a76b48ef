"""Many laws and many budgets: sweeps, questions in other directions, comparisons."""
