"""Frames in, columns out: reading files, binding columns to symbols, choosing rows."""
