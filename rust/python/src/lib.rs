//! Python bindings: conversion, release of the GIL, signals. No arithmetic.
use pyo3::prelude::*;

/// The compiled core of scalefast.
#[pymodule]
mod _core {}
