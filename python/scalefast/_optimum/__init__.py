"""The best split of compute under one law."""
