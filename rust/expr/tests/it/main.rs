//! The tests of the public interface, linked as one binary: each file is a subject.

mod common;
mod conformance;
mod corpus;
mod derivatives;
mod errors;
mod operator_page;
mod robustness;
mod round_trip;
mod systems;
mod ulp;
