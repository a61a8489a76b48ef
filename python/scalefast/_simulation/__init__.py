"""Runs simulated from a law: designs and noise."""
