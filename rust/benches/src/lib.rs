//! Nothing but benches: `make bench-stages` runs them.
