//! The expression graph: every distinct subexpression of a formula exactly once.
//!
//! Between the parser and everything that works on formulas. Nodes are hash-consed: building the same
//! node twice gives the same id, so common subexpressions are shared by construction. Children always
//! have smaller ids than their parents, so every pass over the graph is a loop over ids and no
//! formula, however deep, can exhaust the stack.

use std::collections::HashMap;

use crate::op::{Op, Value};

/// The place of a node in its [`Graph`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The position among the graph's nodes.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The node at a position, which must lie below [`Graph::len`] of the graph it is used with.
    pub fn from_index(index: usize) -> NodeId {
        NodeId(index as u32)
    }
}

/// The place of a symbol's name in [`Graph::symbols`].
pub type SymbolId = u32;

/// One subexpression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// A number, by its bits so that it can be hashed.
    Constant(u64),
    /// A name.
    Symbol(SymbolId),
    /// An operator of one argument.
    Unary(Op, NodeId),
    /// An operator of two arguments.
    Binary(Op, NodeId, NodeId),
}

impl Node {
    /// The arguments, left to right.
    pub fn arguments(self) -> impl DoubleEndedIterator<Item = NodeId> {
        let (first, second) = match self {
            Node::Constant(_) | Node::Symbol(_) => (None, None),
            Node::Unary(_, a) => (Some(a), None),
            Node::Binary(_, a, b) => (Some(a), Some(b)),
        };
        first.into_iter().chain(second)
    }
}

/// A set of expressions that share their common parts.
///
/// ```
/// use scalefast_expr::graph::Graph;
/// use scalefast_expr::op::Op;
/// let mut graph = Graph::new();
/// let (n, two) = (graph.symbol("N"), graph.constant(2.0));
/// let product = graph.binary(Op::Mul, two, n);
/// assert_eq!(product, graph.binary(Op::Mul, two, n));
/// assert_eq!(graph.evaluate(product, &[21.0]), 42.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    places: HashMap<Node, NodeId>,
    symbols: Vec<String>,
    symbol_places: HashMap<String, SymbolId>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Graph {
        Graph::default()
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node yet.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node at `id`.
    pub fn node(&self, id: NodeId) -> Node {
        self.nodes[id.index()]
    }

    /// Every name, in the order in which the symbols were made; a [`SymbolId`] is a position here.
    pub fn symbols(&self) -> &[String] {
        &self.symbols
    }

    /// The name of a symbol.
    pub fn symbol_name(&self, symbol: SymbolId) -> &str {
        &self.symbols[symbol as usize]
    }

    /// The symbol of that name, if the graph has it.
    pub fn symbol_id(&self, name: &str) -> Option<SymbolId> {
        self.symbol_places.get(name).copied()
    }

    /// The number at a node, if it is a constant.
    pub fn constant_value(&self, id: NodeId) -> Option<f64> {
        match self.node(id) {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The node of a name.
    pub fn symbol(&mut self, name: &str) -> NodeId {
        let symbol = match self.symbol_id(name) {
            Some(symbol) => symbol,
            None => {
                let symbol = self.symbols.len() as SymbolId;
                self.symbols.push(name.to_owned());
                self.symbol_places.insert(name.to_owned(), symbol);
                symbol
            }
        };
        self.intern(Node::Symbol(symbol))
    }

    /// The node of a number.
    pub fn constant(&mut self, value: f64) -> NodeId {
        self.intern(Node::Constant(value.to_bits()))
    }

    /// The node `op(a)`, exactly as asked for: nothing is folded or rewritten.
    pub fn unary(&mut self, op: Op, a: NodeId) -> NodeId {
        debug_assert_eq!(op.info().arity, 1);
        self.intern(Node::Unary(op, a))
    }

    /// The node `op(a, b)`, exactly as asked for: nothing is folded or rewritten.
    pub fn binary(&mut self, op: Op, a: NodeId, b: NodeId) -> NodeId {
        debug_assert_eq!(op.info().arity, 2);
        self.intern(Node::Binary(op, a, b))
    }

    /// The id of a node that exists already.
    pub(crate) fn find(&self, node: Node) -> Option<NodeId> {
        self.places.get(&node).copied()
    }

    fn intern(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.find(node) {
            return id;
        }
        let id = NodeId::from_index(self.nodes.len());
        debug_assert!(node.arguments().all(|argument| argument < id));
        self.nodes.push(node);
        self.places.insert(node, id);
        id
    }

    /// For each node up to the greatest root, whether some root is made of it.
    pub fn reachable(&self, roots: &[NodeId]) -> Vec<bool> {
        let length = roots.iter().map(|root| root.index() + 1).max().unwrap_or(0);
        let mut reached = vec![false; length];
        for root in roots {
            reached[root.index()] = true;
        }
        for index in (0..length).rev() {
            if reached[index] {
                for argument in self.nodes[index].arguments() {
                    reached[argument.index()] = true;
                }
            }
        }
        reached
    }

    /// The nodes that `root` is made of, arguments before what uses them, `root` last.
    pub fn topological(&self, root: NodeId) -> Vec<NodeId> {
        let reached = self.reachable(&[root]);
        (0..reached.len())
            .filter(|&index| reached[index])
            .map(NodeId::from_index)
            .collect()
    }

    /// Whether the symbol appears in the expression.
    pub fn depends_on(&self, root: NodeId, symbol: SymbolId) -> bool {
        self.find(Node::Symbol(symbol))
            .is_some_and(|id| id <= root && self.reachable(&[root])[id.index()])
    }

    /// The symbols of an expression, in the order in which its text names them first.
    pub fn symbols_of(&self, root: NodeId) -> Vec<SymbolId> {
        let mut seen = vec![false; root.index() + 1];
        let mut stack = vec![root];
        let mut symbols = Vec::new();
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            if let Node::Symbol(symbol) = self.node(id) {
                symbols.push(symbol);
            }
            stack.extend(self.node(id).arguments().rev());
        }
        symbols
    }

    /// The expression with symbols replaced by other expressions, all at once; nothing is simplified.
    pub fn substitute(&mut self, root: NodeId, replacements: &[(SymbolId, NodeId)]) -> NodeId {
        let order = self.topological(root);
        let mut replaced = vec![root; root.index() + 1];
        for id in order {
            replaced[id.index()] = match self.node(id) {
                Node::Constant(_) => id,
                Node::Symbol(symbol) => replacements
                    .iter()
                    .find(|(from, _)| *from == symbol)
                    .map_or(id, |(_, to)| *to),
                Node::Unary(op, a) => self.unary(op, replaced[a.index()]),
                Node::Binary(op, a, b) => self.binary(op, replaced[a.index()], replaced[b.index()]),
            };
        }
        replaced[root.index()]
    }

    /// The value of an expression, node by node: the slow twin of every faster evaluator.
    ///
    /// `values` has one number a symbol, by [`SymbolId`]; a symbol beyond its end is NaN.
    pub fn evaluate(&self, root: NodeId, values: &[f64]) -> f64 {
        let mut results = vec![f64::NAN; root.index() + 1];
        for id in self.topological(root) {
            results[id.index()] = match self.node(id) {
                Node::Constant(bits) => f64::from_bits(bits),
                Node::Symbol(symbol) => values.get(symbol as usize).copied().unwrap_or(f64::NAN),
                Node::Unary(op, a) => apply_unary(op, results[a.index()]),
                Node::Binary(op, a, b) => apply_binary(op, results[a.index()], results[b.index()]),
            };
        }
        results[root.index()]
    }
}

/// The value of an operator of one argument.
pub(crate) fn apply_unary(op: Op, a: f64) -> f64 {
    match op.info().value {
        Value::Unary(value) => value(a),
        Value::Binary(value) => value(a, a),
    }
}

/// The value of an operator of two arguments.
pub(crate) fn apply_binary(op: Op, a: f64, b: f64) -> f64 {
    match op.info().value {
        Value::Unary(value) => value(a),
        Value::Binary(value) => value(a, b),
    }
}
