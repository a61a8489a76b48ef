//! A law with its sums measured in the middle of the data.
//!
//! In: a [`Model`], the terms and shifts of its sums, the values of its variables at one row. Out: the same law in sizes of
//! terms and values of sums, and the maps between its parameters and those.

use super::{Model, Programs};
use scalefast_expr::{Graph, Node, NodeId, Op, SymbolId};
use std::sync::Arc;

/// A sum inside a law: which of its parameters are measured in the middle of the data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Parameters `c` of terms `c × rest`, and the terms.
    pub(crate) terms: Vec<(usize, NodeId)>,
    /// Parameters added (1) to or subtracted (−1) from something that varies, and that.
    pub(crate) shifts: Vec<(usize, NodeId, f64)>,
}

/// A term at the row: `c = size/(rest × exponent)`.
struct Term {
    parameter: usize,
    rest: NodeId,
    /// The exponent of a power that a shift stands beside: the size is then the slope by the logarithm.
    exponent: Option<usize>,
}

impl Model {
    /// The same law with its sums measured at a row of the data, so that neither the unit of `x` nor its distance from one
    /// bends the valleys of `c*x**p + e`.
    ///
    /// A parameter `c` becomes the size of its term there, `c × rest(row)`, where `rest` holds other parameters; beside a
    /// shift `e` it becomes the slope of the term by the logarithm of `x`, and `e` the value of the whole sum. As the exponent
    /// goes through zero, where the sum is a straight line in the logarithm, these pass smoothly (Box and Cox 1964).
    pub(crate) fn centred(&self, sums: &Sums, row: &[f64]) -> Option<Centred> {
        let mut centring = Centring::new(self, sums, row)?;
        for &(j, term) in &sums.terms {
            centring.measure_term(self, j, term);
        }
        let terms = centring.replaced.clone();
        for &(j, sibling, sign) in &sums.shifts {
            centring.measure_sum(self, (j, sibling, sign), &terms);
        }
        let Centring {
            mut graph,
            symbols,
            terms,
            shifts,
            replaced,
            ..
        } = centring;
        if replaced.is_empty() {
            return None;
        }
        let value = graph.substitute(self.value, &replaced);
        let value = graph.simplify(value);
        let mut model = Self {
            graph,
            value,
            compiled: Programs::default(),
            kinds: Arc::default(),
            ..self.clone()
        };
        model.linear = model.linear_block();
        Some(Centred {
            model,
            terms,
            shifts,
            symbols,
        })
    }
}

/// A law on its way to being measured at a row.
struct Centring<'s> {
    sums: &'s Sums,
    graph: Graph,
    /// The free parameters.
    symbols: Vec<SymbolId>,
    /// The variables at the row.
    variables: Vec<(SymbolId, NodeId)>,
    terms: Vec<Term>,
    shifts: Vec<(usize, NodeId, f64)>,
    /// What stands for each parameter in the new law.
    replaced: Vec<(SymbolId, NodeId)>,
}

impl<'s> Centring<'s> {
    fn new(model: &Model, sums: &'s Sums, row: &[f64]) -> Option<Self> {
        let mut graph = model.graph.clone();
        let symbols = model
            .free
            .iter()
            .map(|f| graph.symbol_id(&f.name))
            .collect::<Option<Vec<_>>>()?;
        let mut at_row = |name: &String| {
            let symbol = graph.symbol_id(name)?;
            let value = *row.get(symbol as usize)?;
            Some((symbol, graph.constant(value)))
        };
        let variables = model.variables.iter().filter_map(&mut at_row).collect();
        Some(Self {
            sums,
            graph,
            symbols,
            variables,
            terms: Vec::new(),
            shifts: Vec::new(),
            replaced: Vec::new(),
        })
    }

    /// Replaces the parameter of a term by the size of the term, or by its slope where a shift stands beside it.
    fn measure_term(&mut self, model: &Model, j: usize, term: NodeId) {
        let one = self.graph.constant(1.0);
        let rest = self.graph.substitute(term, &[(self.symbols[j], one)]);
        let rest = self.graph.substitute(rest, &self.variables);
        let rest = self.graph.simplify(rest);
        let held = self.graph.symbols_of(rest);
        let mut parameters = self.sums.terms.iter().map(|&(k, _)| self.symbols[k]);
        if held.is_empty() || parameters.any(|s| held.contains(&s)) {
            return;
        }
        let mut siblings = self.sums.shifts.iter().map(|&(_, sibling, _)| sibling);
        let beside = siblings.any(|sibling| self.graph.depends_on(sibling, self.symbols[j]));
        let exponent = match held[..] {
            [only] if beside && is_power(&self.graph, term, only) => {
                self.symbols.iter().position(|&s| s == only)
            }
            _ => None,
        };
        let own = self.graph.symbol(&model.free[j].name);
        let mut replacement = self.graph.build_binary(Op::Div, own, rest);
        if let Some(k) = exponent {
            let exponent = self.graph.symbol(&model.free[k].name);
            replacement = self.graph.build_binary(Op::Div, replacement, exponent);
        }
        self.terms.push(Term {
            parameter: j,
            rest,
            exponent,
        });
        self.replaced.push((self.symbols[j], replacement));
    }

    /// Replaces a shift by the value of the sum that it stands in, `terms` being what stands for the parameters of terms.
    fn measure_sum(
        &mut self,
        model: &Model,
        (j, sibling, sign): (usize, NodeId, f64),
        terms: &[(SymbolId, NodeId)],
    ) {
        let held = self.graph.symbols_of(sibling);
        let mut others = self.sums.shifts.iter().map(|&(k, ..)| self.symbols[k]);
        if others.any(|s| held.contains(&s)) || !held.iter().any(|s| self.symbols.contains(s)) {
            return;
        }
        let here = self.graph.substitute(sibling, &self.variables);
        let here = self.graph.simplify(here);
        let measured = self.graph.substitute(here, terms);
        let own = self.graph.symbol(&model.free[j].name);
        let op = if sign > 0.0 { Op::Sub } else { Op::Add };
        let replacement = self.graph.build_binary(op, own, measured);
        self.shifts.push((j, here, sign));
        self.replaced.push((self.symbols[j], replacement));
    }
}

/// Whether a term is a multiple of a power of something with this symbol in the exponent and nowhere else.
fn is_power(graph: &Graph, term: NodeId, symbol: SymbolId) -> bool {
    match graph.node(term) {
        Node::Unary(Op::Neg, a) => is_power(graph, a, symbol),
        Node::Binary(Op::Mul | Op::Div, a, b) => {
            match (graph.depends_on(a, symbol), graph.depends_on(b, symbol)) {
                (true, false) => is_power(graph, a, symbol),
                (false, true) => is_power(graph, b, symbol),
                _ => false,
            }
        }
        Node::Binary(Op::Pow, base, exponent) => {
            let bare = match graph.node(exponent) {
                Node::Unary(Op::Neg, a) => graph.node(a),
                other => other,
            };
            bare == Node::Symbol(symbol) && !graph.depends_on(base, symbol)
        }
        _ => false,
    }
}

/// A law whose sums are measured at a row of the data.
pub(crate) struct Centred {
    /// The law in sizes of terms and values of sums.
    pub(crate) model: Model,
    terms: Vec<Term>,
    shifts: Vec<(usize, NodeId, f64)>,
    symbols: Vec<SymbolId>,
}

impl Centred {
    fn at(&self, node: NodeId, theta: &[f64]) -> f64 {
        let mut values = vec![1.0; self.model.graph.symbols().len()];
        for (&symbol, &t) in self.symbols.iter().zip(theta) {
            values[symbol as usize] = t;
        }
        self.model.graph.evaluate(node, &values)
    }

    fn unit(&self, term: &Term, theta: &[f64]) -> f64 {
        self.at(term.rest, theta) * term.exponent.map_or(1.0, |k| theta[k])
    }

    /// From the law's own parameters to sizes of terms and values of sums.
    pub(crate) fn inward(&self, theta: &[f64]) -> Vec<f64> {
        let mut inner = theta.to_vec();
        for term in &self.terms {
            inner[term.parameter] = theta[term.parameter] * self.unit(term, theta);
        }
        for &(j, sibling, sign) in &self.shifts {
            inner[j] = theta[j] + sign * self.at(sibling, theta);
        }
        inner
    }

    /// Back to the law's own parameters.
    pub(crate) fn outward(&self, inner: &[f64]) -> Vec<f64> {
        let mut theta = inner.to_vec();
        for term in &self.terms {
            theta[term.parameter] = inner[term.parameter] / self.unit(term, inner);
        }
        for &(j, sibling, sign) in &self.shifts {
            theta[j] = inner[j] - sign * self.at(sibling, &theta);
        }
        theta
    }
}
