//! The graph as a list of steps, for whoever rebuilds a formula elsewhere (as a Polars expression).
//!
//! In: a node. Out: tokens in topological order; each operation names its arguments by their
//! positions in the list, so that shared parts stay shared.

use crate::formula::System;
use crate::graph::{Graph, Node, NodeId};

/// One step of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A number.
    Constant(f64),
    /// A symbol.
    Symbol(String),
    /// An operator applied to earlier steps.
    Operation {
        /// The operator's name in the table of [`crate::op`].
        name: &'static str,
        /// Positions of the arguments in the list.
        arguments: Vec<usize>,
    },
}

impl Graph {
    /// The steps that make up an expression; the last one is the expression itself.
    ///
    /// ```
    /// use scalefast_expr::postfix::Token;
    /// use scalefast_expr::System;
    /// let system = System::formula("exp(x)*2")?;
    /// let tokens = system.graph.postfix(system.outputs()[0].1);
    /// assert_eq!(tokens[0], Token::Symbol("x".into()));
    /// assert_eq!(tokens[1], Token::Operation { name: "exp", arguments: vec![0] });
    /// assert_eq!(tokens[2], Token::Constant(2.0));
    /// assert_eq!(tokens[3], Token::Operation { name: "mul", arguments: vec![1, 2] });
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn postfix(&self, root: NodeId) -> Vec<Token> {
        let order = self.topological(root);
        let mut positions = vec![0; root.index() + 1];
        let mut tokens = Vec::with_capacity(order.len());
        for (position, id) in order.into_iter().enumerate() {
            positions[id.index()] = position;
            let node = self.node(id);
            tokens.push(match node {
                Node::Constant(bits) => Token::Constant(f64::from_bits(bits)),
                Node::Symbol(symbol) => Token::Symbol(self.symbol_name(symbol).to_owned()),
                Node::Unary(op, _) | Node::Binary(op, ..) => Token::Operation {
                    name: op.info().name,
                    arguments: node
                        .arguments()
                        .map(|argument| positions[argument.index()])
                        .collect(),
                },
            });
        }
        tokens
    }
}

impl System {
    /// The steps of an output, or nothing if there is no output of that name.
    pub fn postfix(&self, output: &str) -> Option<Vec<Token>> {
        Some(self.graph.postfix(self.output(output)?))
    }
}
