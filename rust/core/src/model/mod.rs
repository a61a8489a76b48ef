//! A law made ready to be fitted: which symbols are free, which of them enter linearly, and the exact derivatives.
//!
//! In: a parsed [`System`], the roles of its parameters, the names of its variables. Out: one graph with the law, its
//! gradient (`p` nodes) and the non-zero half of its Hessian with respect to the `p` free parameters.
//! Longer than the rule, because `Model::new` and `resolve_roles` refuse what does not fit in the order in which a law
//! is read.

mod centred;
mod coefficients;
mod free;
mod kinds;
mod programs;
mod residual;

use crate::error::{CoreError, ErrorKind};
use crate::parameter::{Parameter, Role};
use kinds::is_zero;
use scalefast_expr::{Graph, Node, NodeId, Op, System};
use std::sync::{Arc, OnceLock};

pub(crate) use centred::{Centred, Sums};
pub use free::Free;
pub(crate) use kinds::{Draw, Kinds, plain_law, symbol};
pub(crate) use programs::{Compiled, Programs};
pub use residual::Residual;

/// Parameters whose subsets are searched for the linear block.
const MOST_SEARCHED: usize = 16;

/// The reserved symbol of the response; no formula can spell it.
pub(crate) const RESPONSE: &str = "$y";

/// A law, its free parameters and its derivatives.
#[derive(Clone)]
pub struct Model {
    /// Holds every node below.
    pub graph: Graph,
    /// The prediction, with fixed values and ties substituted.
    pub value: NodeId,
    /// The free parameters, in the law's order.
    pub free: Vec<Free>,
    /// The variables that the law reads.
    pub variables: Vec<String>,
    /// Whether each free parameter belongs to the linear block: the law is affine in all of them at once.
    pub linear: Vec<bool>,
    /// All parameters of the law, free or not, in its order.
    pub parameters: Vec<Parameter>,
    expressions: Vec<NodeId>,
    /// The programs of its residuals, which the objective compiles.
    pub(crate) compiled: Programs,
    /// What kind of number each free parameter is, once it was asked for.
    kinds: Arc<OnceLock<Kinds>>,
}

impl Model {
    /// Substitutes fixed and tied parameters and finds the linear block.
    ///
    /// # Errors
    /// `unbound-symbol` when the law uses a name that is neither variable nor parameter, `tie-cycle` when ties refer to
    /// each other, `no-free-parameter` when nothing is left to fit, and the errors of the formulas of ties.
    pub fn new(
        system: &System,
        output: &str,
        variables: &[String],
        parameters: &[Parameter],
    ) -> Result<Self, CoreError> {
        let mut graph = system.graph.clone();
        let root = system.output(output).ok_or_else(|| {
            CoreError::new(
                ErrorKind::Law,
                "unknown-output",
                format!("the law has no output `{output}`"),
            )
        })?;
        let used: Vec<String> = graph
            .symbols_of(root)
            .into_iter()
            .map(|s| graph.symbol_name(s).to_owned())
            .collect();
        for name in &used {
            if !variables.contains(name) && !parameters.iter().any(|p| &p.name == name) {
                return Err(CoreError::new(
                    ErrorKind::Law,
                    "unbound-symbol",
                    format!("`{name}` is neither a variable nor a parameter of this fit"),
                ));
            }
        }
        let expressions = resolve_roles(&mut graph, parameters)?;
        let substitutions: Vec<_> = parameters
            .iter()
            .zip(&expressions)
            .filter(|(p, _)| !matches!(p.role, Role::Free))
            .map(|(p, &e)| {
                let symbol = graph.symbol(&p.name);
                (symbol_of(&graph, symbol), e)
            })
            .collect();
        let value = graph.substitute(root, &substitutions);
        let value = graph.simplify(value);
        let reached = graph.symbols_of(value);
        let free: Vec<Free> = parameters
            .iter()
            .enumerate()
            .filter(|(_, p)| matches!(p.role, Role::Free))
            .map(|(position, p)| Free {
                name: p.name.clone(),
                position,
                bounds: p.bounds,
                transform: p.transform,
                range: p.start,
                level: p.level.clone(),
            })
            .collect();
        if free.is_empty() {
            return Err(CoreError::new(
                ErrorKind::Settings,
                "no-free-parameter",
                "every parameter is fixed or tied: nothing is left to fit".to_owned(),
            )
            .with_argument("fixed"));
        }
        for parameter in &free {
            if !reached
                .iter()
                .any(|&s| graph.symbol_name(s) == parameter.name)
            {
                return Err(CoreError::new(
                    ErrorKind::Settings,
                    "unused-parameter",
                    format!(
                        "parameter `{}` has no influence on the prediction: fix it or leave it out",
                        parameter.name
                    ),
                ));
            }
        }
        let variables = variables
            .iter()
            .filter(|v| used.contains(v))
            .cloned()
            .collect();
        let mut model = Self {
            graph,
            value,
            free,
            variables,
            linear: Vec::new(),
            parameters: parameters.to_vec(),
            expressions,
            compiled: Programs::default(),
            kinds: Arc::default(),
        };
        model.linear = model.linear_block();
        Ok(model)
    }

    /// Number of free parameters.
    pub fn p(&self) -> usize {
        self.free.len()
    }

    /// What kind of number each free parameter is, found once.
    pub(crate) fn kinds(&self) -> &Kinds {
        self.kinds
            .get_or_init(|| Kinds::read(&self.graph, self.value, &self.free, &self.variables))
    }

    /// All parameters of the law from the free ones.
    pub fn expand(&self, free: &[f64]) -> Vec<f64> {
        let mut symbols = vec![f64::NAN; self.graph.symbols().len()];
        for (index, name) in self.graph.symbols().iter().enumerate() {
            if let Some(j) = self.free.iter().position(|f| &f.name == name) {
                symbols[index] = free[j];
            }
        }
        self.expressions
            .iter()
            .map(|&e| self.graph.evaluate(e, &symbols))
            .collect()
    }

    /// `∂(expand)/∂(free)`, row-major (all × free), by forward differentiation.
    pub fn expansion_jacobian(&self, free: &[f64]) -> Vec<f64> {
        let n = self.graph.symbols().len();
        let mut symbols = vec![f64::NAN; n];
        let place: Vec<Option<usize>> = self
            .graph
            .symbols()
            .iter()
            .map(|name| self.free.iter().position(|f| &f.name == name))
            .collect();
        for (index, slot) in place.iter().enumerate() {
            if let Some(j) = slot {
                symbols[index] = free[*j];
            }
        }
        let p = self.p();
        let mut jacobian = vec![0.0; self.expressions.len() * p];
        for j in 0..p {
            let seed: Vec<f64> = place
                .iter()
                .map(|slot| if *slot == Some(j) { 1.0 } else { 0.0 })
                .collect();
            for (i, &e) in self.expressions.iter().enumerate() {
                jacobian[i * p + j] = self.graph.evaluate_dual(e, &symbols, &seed).1;
            }
        }
        jacobian
    }

    /// The prediction compared with the response, as a node of [`Model::graph`].
    pub(crate) fn residual_node(&mut self, residual: Residual) -> NodeId {
        use scalefast_expr::Op;
        let y = self.graph.symbol(RESPONSE);
        match residual {
            Residual::Identity => self.graph.build_binary(Op::Sub, self.value, y),
            Residual::Log => {
                let fitted = self.graph.build_unary(Op::Log, self.value);
                let observed = self.graph.build_unary(Op::Log, y);
                self.graph.build_binary(Op::Sub, fitted, observed)
            }
            Residual::Relative => {
                let ratio = self.graph.build_binary(Op::Div, self.value, y);
                let one = self.graph.constant(1.0);
                self.graph.build_binary(Op::Sub, ratio, one)
            }
        }
    }

    /// A formula of the law's parameters as a node over the free ones.
    ///
    /// # Errors
    /// Those of the parser; `unbound-symbol` for a name that is no parameter.
    pub(crate) fn formula(&mut self, text: &str) -> Result<NodeId, CoreError> {
        let parsed = self.graph.parse(text)?;
        for symbol in self.graph.symbols_of(parsed) {
            let name = self.graph.symbol_name(symbol);
            if !self.parameters.iter().any(|p| p.name == name) {
                return Err(CoreError::new(
                    ErrorKind::Law,
                    "unbound-symbol",
                    format!("`{name}` is not a parameter of the law"),
                ));
            }
        }
        let substitutions: Vec<_> = self
            .parameters
            .iter()
            .zip(&self.expressions)
            .filter(|(p, _)| !matches!(p.role, Role::Free))
            .map(|(p, &e)| {
                let node = self.graph.symbol(&p.name);
                (symbol_of(&self.graph, node), e)
            })
            .collect();
        let substituted = self.graph.substitute(parsed, &substitutions);
        Ok(self.graph.simplify(substituted))
    }

    /// A residual in units of its known standard deviation, the column [`SIGMA`](crate::dataset::SIGMA).
    pub(crate) fn over_sigma(&mut self, residual: NodeId) -> NodeId {
        use scalefast_expr::Op;
        let sigma = self.graph.symbol(crate::dataset::SIGMA);
        let one = self.graph.constant(1.0);
        let precision = self.graph.build_binary(Op::Div, one, sigma);
        self.graph.build_binary(Op::Mul, residual, precision)
    }

    /// The gradient of a node with respect to the free parameters.
    pub(crate) fn gradient(&mut self, node: NodeId) -> Vec<NodeId> {
        let names: Vec<String> = self.free.iter().map(|f| f.name.clone()).collect();
        names
            .iter()
            .map(|name| self.graph.derivative(node, name))
            .collect()
    }

    /// The second derivatives `(j, k, node)`, `j ≤ k`, that are not identically zero.
    pub(crate) fn hessian(&mut self, gradient: &[NodeId]) -> Vec<(usize, usize, NodeId)> {
        let names: Vec<String> = self.free.iter().map(|f| f.name.clone()).collect();
        let mut entries = Vec::new();
        for (j, &g) in gradient.iter().enumerate() {
            for (k, name) in names.iter().enumerate().skip(j) {
                if self.free[j].disjoint(&self.free[k]) {
                    continue;
                }
                let node = self.graph.derivative(g, name);
                if !is_zero(&self.graph, node) {
                    entries.push((j, k, node));
                }
            }
        }
        entries
    }

    /// The largest set of free parameters with `∂²f/∂θj∂θk ≡ 0` for every pair in it.
    ///
    /// The levels of one parameter stand in the same places of the law and so are in it together or not at all.
    fn linear_block(&mut self) -> Vec<bool> {
        let p = self.p();
        let gradient = self.gradient(self.value);
        let mut units: Vec<(&str, Vec<usize>)> = Vec::new();
        let mut unit_of = Vec::with_capacity(p);
        for (j, free) in self.free.iter().enumerate() {
            let name = free.level.as_ref().map_or(&free.name, |level| &level.base);
            let at = units.iter().position(|(known, _)| known == name);
            let at = at.unwrap_or_else(|| {
                units.push((name, Vec::new()));
                units.len() - 1
            });
            units[at].1.push(j);
            unit_of.push(at);
        }
        let members: Vec<Vec<usize>> = units.into_iter().map(|(_, members)| members).collect();
        let n = members.len();
        let mut clash = vec![false; n * n];
        for (j, k, _) in self.hessian(&gradient) {
            let (a, b) = (unit_of[j], unit_of[k]);
            clash[a * n + b] = true;
            clash[b * n + a] = true;
        }
        // A kink has no second derivative and is not affine all the same.
        for j in self.kinked() {
            clash[unit_of[j] * (n + 1)] = true;
        }
        let candidates: Vec<usize> = (0..n)
            .filter(|&a| !clash[a * n + a])
            .take(MOST_SEARCHED)
            .collect();
        let size = |subset: u32| -> usize {
            let chosen = candidates.iter().enumerate();
            chosen
                .filter(|(i, _)| subset >> i & 1 == 1)
                .map(|(_, &a)| members[a].len())
                .sum()
        };
        let mut best = 0u32;
        for subset in 0u32..1 << candidates.len() {
            if size(subset) <= size(best) {
                continue;
            }
            let chosen: Vec<usize> = candidates
                .iter()
                .enumerate()
                .filter(|(i, _)| subset >> i & 1 == 1)
                .map(|(_, &a)| a)
                .collect();
            if chosen
                .iter()
                .all(|&a| chosen.iter().all(|&b| !clash[a * n + b]))
            {
                best = subset;
            }
        }
        let mut linear = vec![false; p];
        for (i, &a) in candidates.iter().enumerate() {
            for &j in &members[a] {
                linear[j] = best >> i & 1 == 1;
            }
        }
        linear
    }
}

fn symbol_of(graph: &Graph, node: NodeId) -> scalefast_expr::SymbolId {
    match graph.node(node) {
        Node::Symbol(symbol) => symbol,
        _ => unreachable!("Graph::symbol returns symbol nodes"),
    }
}

/// Each parameter as an expression of the free ones.
fn resolve_roles(graph: &mut Graph, parameters: &[Parameter]) -> Result<Vec<NodeId>, CoreError> {
    let mut expressions = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let node = match &parameter.role {
            Role::Free => graph.symbol(&parameter.name),
            Role::Fixed(value) => graph.constant(*value),
            Role::Tied(text) => graph.parse(text)?,
        };
        expressions.push(node);
    }
    // A tie may refer to fixed or tied parameters: substitute until only free ones remain.
    for _ in 0..=parameters.len() {
        let mut changed = false;
        let substitutions: Vec<_> = parameters
            .iter()
            .zip(expressions.clone())
            .filter(|(p, _)| !matches!(p.role, Role::Free))
            .map(|(p, e)| {
                let node = graph.symbol(&p.name);
                (symbol_of(graph, node), e)
            })
            .collect();
        for (parameter, slot) in parameters.iter().zip(&mut expressions) {
            if matches!(parameter.role, Role::Tied(_)) {
                let next = graph.substitute(*slot, &substitutions);
                changed |= next != *slot;
                *slot = next;
            }
        }
        if !changed {
            for (parameter, &slot) in parameters.iter().zip(&expressions) {
                let unknown = graph
                    .symbols_of(slot)
                    .into_iter()
                    .map(|s| graph.symbol_name(s).to_owned())
                    .find(|name| {
                        !parameters
                            .iter()
                            .any(|q| &q.name == name && matches!(q.role, Role::Free))
                    });
                if let Some(name) = unknown {
                    return Err(CoreError::new(
                        ErrorKind::Settings,
                        "tie-unknown",
                        format!(
                            "the tie of `{}` uses `{name}`, which is not a parameter of the law",
                            parameter.name
                        ),
                    )
                    .with_argument("tied"));
                }
            }
            return Ok(expressions);
        }
    }
    Err(CoreError::new(
        ErrorKind::Settings,
        "tie-cycle",
        "the ties refer to each other in a circle".to_owned(),
    )
    .with_argument("tied"))
}

impl Model {
    /// The free parameters that stand inside `min`, `max` or `abs`.
    fn kinked(&self) -> Vec<usize> {
        let mut inside = vec![false; self.p()];
        for node in self.graph.topological(self.value) {
            let kink = match self.graph.node(node) {
                Node::Unary(op, _) => op == Op::Abs,
                Node::Binary(op, ..) => matches!(op, Op::Min | Op::Max),
                _ => false,
            };
            if !kink {
                continue;
            }
            for symbol in self.graph.symbols_of(node) {
                let name = self.graph.symbol_name(symbol);
                if let Some(j) = self.free.iter().position(|f| f.name == name) {
                    inside[j] = true;
                }
            }
        }
        (0..self.p()).filter(|&j| inside[j]).collect()
    }
}
