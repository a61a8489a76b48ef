//! The formula language: text to graph, derivatives, programs, block evaluation.

pub mod differentiate;
mod dual;
pub mod error;
pub mod formula;
pub mod graph;
mod latex;
mod lexer;
pub mod op;
mod parser;
pub mod postfix;
mod print;
mod simplify;
pub mod spelling;

pub use error::FormulaError;
pub use formula::System;
pub use graph::{Graph, Node, NodeId, SymbolId};
pub use op::Op;
