//! A system of formulas: named definitions and outputs, read into one graph.
//!
//! In: texts. Out: a [`System`], whose outputs are expressions of symbols alone, since each
//! definition is substituted where it is named.

use std::collections::HashMap;

use crate::error::FormulaError;
use crate::graph::{Graph, NodeId};
use crate::lexer::is_plain_name;
use crate::op::Op;
use crate::parser::{Meaning, parse};

mod typed;

pub use typed::Typed;

/// Name of the output of a formula that stands alone.
pub const LOSS: &str = "L";

/// One or more named expressions over common symbols.
///
/// ```
/// use scalefast_expr::System;
/// let system = System::parse(
///     &[("L", "E + A/N_total**alpha")],
///     &[("N_total", "N + 47491*N**(1/3)")],
/// )?;
/// assert_eq!(system.symbols(), ["E", "A", "N", "alpha"]);
/// # Ok::<(), scalefast_expr::FormulaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct System {
    /// The expressions of all outputs.
    pub graph: Graph,
    outputs: Vec<(String, NodeId)>,
}

impl System {
    /// Reads the definitions in order, each of which may name earlier ones, then the outputs.
    ///
    /// Both are given as (name, text).
    ///
    /// # Errors
    ///
    /// A text that is no formula; a definition that is no plain name, appears twice, or is named
    /// before its turn; no output, or one twice. The message says which text is at fault.
    pub fn parse(
        outputs: &[(&str, &str)],
        definitions: &[(&str, &str)],
    ) -> Result<System, FormulaError> {
        let mut graph = Graph::new();
        let mut names = HashMap::new();
        for (name, _) in definitions {
            check_definition_name(name)?;
            if names.insert(*name, Meaning::Later).is_some() {
                return Err(FormulaError::new(
                    "duplicate-definition",
                    format!("`{name}` is defined twice"),
                ));
            }
        }
        for (name, text) in definitions {
            names.insert(name, Meaning::Itself);
            let id = parse(&mut graph, text, &names).map_err(|error| FormulaError {
                message: format!("in the definition of `{name}`: {}", error.message),
                ..error
            })?;
            names.insert(name, Meaning::Defined(id));
        }

        if outputs.is_empty() {
            return Err(FormulaError::new("no-output", "there is no formula"));
        }
        let mut roots: Vec<(String, NodeId)> = Vec::with_capacity(outputs.len());
        for (name, text) in outputs {
            if roots.iter().any(|(other, _)| other == name) {
                return Err(FormulaError::new(
                    "duplicate-output",
                    format!("the output `{name}` is given twice"),
                ));
            }
            let id = parse(&mut graph, text, &names).map_err(|error| match outputs.len() {
                1 => error,
                _ => FormulaError {
                    message: format!("in the formula of `{name}`: {}", error.message),
                    ..error
                },
            })?;
            roots.push(((*name).to_owned(), id));
        }
        Ok(System {
            graph,
            outputs: roots,
        })
    }

    /// Reads one formula, whose output is named [`LOSS`].
    ///
    /// # Errors
    ///
    /// Text that is no formula.
    ///
    /// ```
    /// use scalefast_expr::System;
    /// let error = System::formula("E + A/N^alpha").unwrap_err();
    /// assert_eq!(error.code, "caret-power");
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`^` is not an operator of the formula language\n  \
    ///      E + A/N^alpha\n  \
    ///      \u{20}      ^\n\
    ///      hint: powers are written `**`, as in N**alpha",
    /// );
    /// ```
    pub fn formula(text: &str) -> Result<System, FormulaError> {
        System::parse(&[(LOSS, text)], &[])
    }

    /// The outputs, in the order given, with their expressions.
    pub fn outputs(&self) -> &[(String, NodeId)] {
        &self.outputs
    }

    /// The expression of the output of that name.
    pub fn output(&self, name: &str) -> Option<NodeId> {
        let found = self.outputs.iter().find(|(output, _)| output == name);
        found.map(|&(_, id)| id)
    }

    /// The symbols that the outputs are made of, in the order in which their texts (with the
    /// definitions put in) name them first.
    pub fn symbols(&self) -> Vec<String> {
        let mut seen = vec![false; self.graph.symbols().len()];
        let mut symbols = Vec::new();
        for &(_, id) in &self.outputs {
            for symbol in self.graph.symbols_of(id) {
                if !std::mem::replace(&mut seen[symbol as usize], true) {
                    symbols.push(self.graph.symbol_name(symbol).to_owned());
                }
            }
        }
        symbols
    }
}

impl Graph {
    /// Reads a formula into this graph; its symbols are shared with what the graph already holds.
    ///
    /// # Errors
    ///
    /// Text that is no formula.
    pub fn parse(&mut self, text: &str) -> Result<NodeId, FormulaError> {
        parse(self, text, &HashMap::new())
    }
}

fn check_definition_name(name: &str) -> Result<(), FormulaError> {
    let Some(problem) = problem_of_name(name) else {
        return Ok(());
    };
    Err(FormulaError::new(
        "bad-definition-name",
        format!("the definition `{name}` {problem}"),
    ))
}

/// Why nothing can be defined under a name.
fn problem_of_name(name: &str) -> Option<&'static str> {
    let problem = if !is_plain_name(name) {
        "is not a name: names are made of letters, digits, `_` and `.`"
    } else if Op::function(name).is_some() {
        "is the name of a function"
    } else if name == "pi" {
        "is the constant 3.14159…"
    } else {
        return None;
    };
    Some(problem)
}
