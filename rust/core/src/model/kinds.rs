//! What kind of number each parameter is, read off the places where it stands: a factor of a term, an offset, an exponent.
//!
//! Longer than the rule, because `role` reads three properties of each node in one order of the graph.

use super::free::Free;
use crate::parameter::Level;
use scalefast_expr::{Graph, Node, NodeId, Op, SymbolId};

/// How one nonlinear parameter is drawn.
#[derive(Clone, Debug)]
pub(crate) enum Draw {
    /// Between two given values: on a logarithmic scale when both are positive.
    Range(f64, f64),
    /// `term = parameter^degree × rest`, drawn through the value of `term`; `alone` when no other parameter stands in it.
    Factor {
        term: NodeId,
        degree: f64,
        alone: bool,
    },
    /// Added to (or subtracted from, `sign` −1) `sibling`, drawn from minus the range of that.
    Offset { sibling: NodeId, sign: f64 },
    /// A pure number.
    Exponent,
}

/// What kind of number each free parameter is, linear or not, in terms of a graph and its symbols.
pub(crate) struct Kinds {
    pub(crate) graph: Graph,
    pub(crate) symbols: Vec<SymbolId>,
    pub(crate) draws: Vec<Draw>,
    /// The law as each parameter sees it: on the rows of its level.
    roots: Vec<NodeId>,
}

impl Kinds {
    /// What kind of number each free parameter is by its places in the formula.
    pub(super) fn read(graph: &Graph, value: NodeId, free: &[Free], variables: &[String]) -> Self {
        let mut graph = graph.clone();
        let symbols: Vec<SymbolId> = free.iter().map(|f| symbol(&mut graph, &f.name)).collect();
        let variables: Vec<SymbolId> = variables.iter().map(|v| symbol(&mut graph, v)).collect();
        let roots: Vec<NodeId> = free
            .iter()
            .map(|parameter| plain_law(&mut graph, value, free, parameter))
            .collect();
        let draws = symbols
            .iter()
            .zip(&roots)
            .map(|(&s, &root)| role(&graph, &variables, &symbols, s, root))
            .collect();
        Kinds {
            graph,
            symbols,
            draws,
            roots,
        }
    }

    /// Whether a free parameter shares its scale with others, so that its size is known to a factor rather than to an amount:
    /// it multiplies a power or exponential of other free parameters, as `k` of `k*x**a` and `A` of `A*exp(b*x)` do (its
    /// value is an extrapolation along them to x = 1 or 0), or stands in the base of a power with a free exponent, as `K` of
    /// `(x/K)**a` and of `x**h/(K**h + x**h)` does, where the law has no value at other signs. A slope, an offset or an amplitude may be zero and is none.
    pub(crate) fn shares_scale(&self, parameter: usize) -> bool {
        let own = self.symbols[parameter];
        let shares = |node: NodeId| {
            let symbols = self.graph.symbols_of(node);
            symbols
                .iter()
                .any(|s| *s != own && self.symbols.contains(s))
        };
        let root = self.roots[parameter];
        match self.draws[parameter] {
            Draw::Factor { term, .. } => {
                self.holds_scale(term, &shares) || self.is_base(root, &shares, |base| base == term)
            }
            _ => self.is_base(
                root,
                &shares,
                |base| matches!(self.graph.node(base), Node::Symbol(s) if s == own),
            ),
        }
    }

    /// Whether a factor of a product is a power with a free exponent or an exponential of free parameters, or a sum of such.
    fn holds_scale(&self, node: NodeId, shares: &impl Fn(NodeId) -> bool) -> bool {
        match self.graph.node(node) {
            Node::Unary(Op::Neg, a) => self.holds_scale(a, shares),
            Node::Unary(Op::Exp, a) => shares(a),
            Node::Binary(Op::Mul | Op::Div, a, b) => {
                self.holds_scale(a, shares) || self.holds_scale(b, shares)
            }
            Node::Binary(Op::Add | Op::Sub, a, b) => {
                self.holds_scale(a, shares) && self.holds_scale(b, shares)
            }
            Node::Binary(Op::Pow, a, b) => {
                if self.graph.constant_value(b).is_some() {
                    self.holds_scale(a, shares)
                } else {
                    shares(b)
                }
            }
            _ => false,
        }
    }

    /// Whether a node of the law is the base of a power with a free exponent.
    fn is_base(
        &self,
        root: NodeId,
        shares: &impl Fn(NodeId) -> bool,
        wanted: impl Fn(NodeId) -> bool,
    ) -> bool {
        let nodes = self.graph.topological(root);
        nodes.into_iter().any(|node| match self.graph.node(node) {
            Node::Binary(Op::Pow, base, exponent) => wanted(base) && shares(exponent),
            _ => false,
        })
    }
}

/// The symbol of a name, made where it is new.
pub(crate) fn symbol(graph: &mut Graph, name: &str) -> SymbolId {
    graph.symbol(name);
    graph.symbol_id(name).unwrap_or_default()
}

/// The law on the rows of the level of a parameter, and of the first level of every other column: the plain law.
pub(crate) fn plain_law(
    graph: &mut Graph,
    value: NodeId,
    all: &[Free],
    parameter: &Free,
) -> NodeId {
    let mut chosen: Vec<&Level> = parameter.level.iter().collect();
    let mut indicators: Vec<(SymbolId, NodeId)> = Vec::new();
    for level in all.iter().filter_map(|free| free.level.as_ref()) {
        let known = chosen.iter().find(|known| known.column == level.column);
        let here = known.is_none_or(|known| known.indicator == level.indicator);
        if known.is_none() {
            chosen.push(level);
        }
        let indicator = graph.constant(f64::from(u8::from(here)));
        indicators.push((symbol(graph, &level.indicator), indicator));
    }
    if indicators.is_empty() {
        return value;
    }
    let plain = graph.substitute(value, &indicators);
    graph.simplify(plain)
}

/// What kind of number a parameter is, from the places where it stands.
fn role(
    graph: &Graph,
    variables: &[SymbolId],
    parameters: &[SymbolId],
    parameter: SymbolId,
    root: NodeId,
) -> Draw {
    let nodes = graph.topological(root);
    let mut varies = vec![false; graph.len()];
    for &node in &nodes {
        varies[node.index()] = match graph.node(node) {
            Node::Symbol(s) => variables.contains(&s),
            other => other.arguments().any(|a| varies[a.index()]),
        };
    }
    // degree[n]: Some(k) when node n is parameter^k times something free of it.
    let mut degree: Vec<Option<f64>> = vec![Some(0.0); graph.len()];
    let mut depends = vec![false; graph.len()];
    for &node in &nodes {
        let i = node.index();
        depends[i] = match graph.node(node) {
            Node::Symbol(s) => s == parameter,
            other => other.arguments().any(|a| depends[a.index()]),
        };
        if !depends[i] {
            continue;
        }
        degree[i] = match graph.node(node) {
            Node::Symbol(_) => Some(1.0),
            Node::Unary(Op::Neg, a) => degree[a.index()],
            Node::Binary(Op::Mul, a, b) => {
                degree[a.index()].zip(degree[b.index()]).map(|(x, y)| x + y)
            }
            Node::Binary(Op::Div, a, b) => {
                degree[a.index()].zip(degree[b.index()]).map(|(x, y)| x - y)
            }
            Node::Binary(Op::Pow, a, b) if !depends[b.index()] => degree[a.index()]
                .zip(graph.constant_value(b))
                .map(|(x, k)| x * k),
            _ => None,
        };
    }
    let monomial = |n: NodeId| depends[n.index()] && degree[n.index()].is_some_and(|d| d != 0.0);
    let mut terms: Vec<NodeId> = Vec::new();
    let mut offsets: Vec<(NodeId, f64)> = Vec::new();
    for &node in &nodes {
        if !depends[node.index()] || monomial(node) {
            continue;
        }
        let arguments: Vec<NodeId> = graph.node(node).arguments().collect();
        for (position, &argument) in arguments.iter().enumerate() {
            if !monomial(argument) {
                continue;
            }
            if varies[argument.index()] {
                terms.push(argument);
            } else if let Node::Binary(op @ (Op::Add | Op::Sub), a, b) = graph.node(node) {
                let sibling = if position == 0 { b } else { a };
                if varies[sibling.index()] && !is_zero(graph, sibling) {
                    offsets.push((sibling, if op == Op::Add { 1.0 } else { -1.0 }));
                }
            }
        }
    }
    if monomial(root) && varies[root.index()] {
        terms.push(root);
    }
    if let Some(&term) = terms.first() {
        let alone = !graph
            .symbols_of(term)
            .iter()
            .any(|s| *s != parameter && parameters.contains(s));
        return Draw::Factor {
            term,
            degree: degree[term.index()].unwrap_or(1.0),
            alone,
        };
    }
    if let Some(&(sibling, sign)) = offsets.first() {
        return Draw::Offset { sibling, sign };
    }
    Draw::Exponent
}

/// Whether a node is the constant zero.
pub(crate) fn is_zero(graph: &Graph, node: NodeId) -> bool {
    matches!(graph.node(node), Node::Constant(bits) if f64::from_bits(bits) == 0.0)
}
