//! The formula language: text to graph, derivatives, programs, block evaluation.

pub mod error;
pub mod graph;
pub mod op;

pub use error::FormulaError;
pub use graph::{Graph, Node, NodeId, SymbolId};
pub use op::Op;
