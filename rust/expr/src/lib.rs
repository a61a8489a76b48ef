//! The formula language: text to graph, derivatives, programs, block evaluation.

pub mod arithmetic;
pub mod binding;
pub mod differentiate;
pub mod domain;
mod dual;
pub mod error;
pub mod eval;
pub mod exercise;
pub mod formula;
pub mod graph;
mod latex;
mod lexer;
mod lower;
pub mod op;
mod parser;
pub mod postfix;
mod print;
pub mod program;
mod schedule;
mod simplify;
pub mod spelling;
mod workspace;

pub use arithmetic::math;
pub use binding::{Binding, Rate};
pub use error::FormulaError;
pub use eval::{BLOCK, KERNEL_VARIABLE, Kernel, reduce};
pub use formula::{System, Typed};
pub use graph::{Graph, Node, NodeId, SymbolId};
pub use lexer::MAX_CHARACTERS;
pub use op::Op;
pub use parser::MAX_DEPTH;
pub use program::{Family, Output, Program, Workspace};
