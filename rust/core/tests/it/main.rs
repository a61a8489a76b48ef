//! The tests of the public interface, linked as one binary: each file is a subject.

mod covariance;
mod fit;
