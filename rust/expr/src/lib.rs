//! The formula language: text to graph, derivatives, programs, block evaluation.
