//! A law made ready to be fitted: which symbols are free, which of them enter linearly, and the exact derivatives.
//!
//! In: a parsed [`System`], the roles of its parameters, the names of its variables. Out: one graph with the law, its
//! gradient (`p` nodes) and the non-zero half of its Hessian with respect to the `p` free parameters.

use crate::error::{CoreError, ErrorKind};
use crate::objective::Programs;
use crate::parameter::{Level, Parameter, Role, Transform};
use crate::start::Kinds;
use scalefast_expr::{Graph, Node, NodeId, SymbolId, System, math};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// How a prediction is compared with a datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residual {
    /// `ln L̂ − ln L`.
    Log,
    /// `L̂ − L`.
    Identity,
    /// `L̂/L − 1`: linear in the law and close to [`Residual::Log`], so starts are screened with it.
    Relative,
}

impl Residual {
    /// The residual that starts are screened by: affine in the linear parameters.
    pub(crate) fn screened(self) -> Self {
        match self {
            Self::Identity => Self::Identity,
            Self::Log | Self::Relative => Self::Relative,
        }
    }
}

/// Parameters whose subsets are searched for the linear block.
const MOST_SEARCHED: usize = 16;

/// The reserved symbol of the response; no formula can spell it.
pub(crate) const RESPONSE: &str = "$y";

/// A free parameter of a [`Model`].
#[derive(Clone, Debug)]
pub struct Free {
    /// Its name in the formula.
    pub name: String,
    /// Position in the law's parameter list.
    pub position: usize,
    /// Inclusive bounds, where there are any.
    pub bounds: Option<(f64, f64)>,
    /// The internal scale asked for.
    pub transform: Transform,
    /// Where the global strategy should look, where the law says so.
    pub range: Option<(f64, f64)>,
    /// The level whose rows it acts on; none for all rows.
    pub level: Option<Level>,
}

impl Free {
    /// Whether no row is affected by both parameters.
    fn disjoint(&self, other: &Free) -> bool {
        match (&self.level, &other.level) {
            (Some(a), Some(b)) => a.column == b.column && a.indicator != b.indicator,
            _ => false,
        }
    }
}

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
    /// The programs of its residuals.
    pub(crate) compiled: Programs,
    /// What kind of number each free parameter is, once it was asked for.
    pub(crate) kinds: Arc<OnceLock<Kinds>>,
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
            ));
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

impl Model {
    /// The free parameters that stand inside `min`, `max` or `abs`.
    fn kinked(&self) -> Vec<usize> {
        use scalefast_expr::Op;
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

    /// The same law with `exp(a + z)` written `A*exp(z)` wherever `a` stands in such places alone: its parameters `a` are then
    /// logarithms of the new ones, which are positive and often linear. `None` where there are none.
    pub(crate) fn with_coefficients(&self) -> Option<(Model, Vec<bool>)> {
        let mut graph = self.graph.clone();
        let mut value = self.value;
        let mut logarithms = vec![false; self.p()];
        let mut free = self.free.clone();
        for (j, parameter) in self.free.iter().enumerate() {
            if parameter.level.is_some() || parameter.transform != Transform::Auto {
                continue;
            }
            let Some(symbol) = graph.symbol_id(&parameter.name) else {
                continue;
            };
            let name = format!("$exp {}", parameter.name);
            let coefficient = graph.symbol(&name);
            let pulled = pull_out(&mut graph, value, symbol, coefficient);
            if graph.depends_on(pulled, symbol) {
                continue;
            }
            value = pulled;
            logarithms[j] = true;
            let positive = |bounds: Option<(f64, f64)>| {
                bounds.map(|(low, high)| (math::exp(low), math::exp(high)))
            };
            free[j] = Free {
                name,
                bounds: Some(positive(parameter.bounds).unwrap_or((0.0, f64::INFINITY))),
                range: positive(parameter.range),
                ..parameter.clone()
            };
        }
        if !logarithms.contains(&true) {
            return None;
        }
        let mut model = Self {
            graph,
            value,
            free,
            compiled: Programs::default(),
            kinds: Arc::default(),
            ..self.clone()
        };
        model.linear = model.linear_block();
        Some((model, logarithms))
    }
}

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
        use scalefast_expr::Op;
        let mut graph = self.graph.clone();
        let symbols = self
            .free
            .iter()
            .map(|f| graph.symbol_id(&f.name))
            .collect::<Option<Vec<_>>>()?;
        let variables: Vec<(SymbolId, NodeId)> = self
            .variables
            .iter()
            .filter_map(|name| {
                let symbol = graph.symbol_id(name)?;
                let value = *row.get(symbol as usize)?;
                Some((symbol, graph.constant(value)))
            })
            .collect();
        let one = graph.constant(1.0);
        let mut terms: Vec<Term> = Vec::new();
        let mut replaced: Vec<(SymbolId, NodeId)> = Vec::new();
        for &(j, term) in &sums.terms {
            let rest = graph.substitute(term, &[(symbols[j], one)]);
            let rest = graph.substitute(rest, &variables);
            let rest = graph.simplify(rest);
            let held = graph.symbols_of(rest);
            let taken = |s: &SymbolId| sums.terms.iter().any(|&(k, _)| symbols[k] == *s);
            if held.is_empty() || held.iter().any(taken) {
                continue;
            }
            let beside = sums
                .shifts
                .iter()
                .any(|&(_, sibling, _)| graph.depends_on(sibling, symbols[j]));
            let exponent = match held[..] {
                [only] if beside && is_power(&graph, term, only) => {
                    symbols.iter().position(|&s| s == only)
                }
                _ => None,
            };
            let own = graph.symbol(&self.free[j].name);
            let mut replacement = graph.build_binary(Op::Div, own, rest);
            if let Some(k) = exponent {
                let exponent = graph.symbol(&self.free[k].name);
                replacement = graph.build_binary(Op::Div, replacement, exponent);
            }
            terms.push(Term {
                parameter: j,
                rest,
                exponent,
            });
            replaced.push((symbols[j], replacement));
        }
        let mut shifts: Vec<(usize, NodeId, f64)> = Vec::new();
        let inner = replaced.clone();
        for &(j, sibling, sign) in &sums.shifts {
            let held = graph.symbols_of(sibling);
            let other = |s: &SymbolId| sums.shifts.iter().any(|&(k, ..)| symbols[k] == *s);
            if held.iter().any(other) || !held.iter().any(|s| symbols.contains(s)) {
                continue;
            }
            let here = graph.substitute(sibling, &variables);
            let here = graph.simplify(here);
            let measured = graph.substitute(here, &inner);
            let own = graph.symbol(&self.free[j].name);
            let op = if sign > 0.0 { Op::Sub } else { Op::Add };
            let replacement = graph.build_binary(op, own, measured);
            shifts.push((j, here, sign));
            replaced.push((symbols[j], replacement));
        }
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

/// Whether a term is a multiple of a power of something with this symbol in the exponent and nowhere else.
fn is_power(graph: &Graph, term: NodeId, symbol: SymbolId) -> bool {
    use scalefast_expr::Op;
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

/// The expression with every `exp(… ± symbol …)` replaced by `coefficient^±1 × exp(…)`.
fn pull_out(graph: &mut Graph, root: NodeId, symbol: SymbolId, coefficient: NodeId) -> NodeId {
    use scalefast_expr::Op;
    let nodes = graph.topological(root);
    let mut replaced: HashMap<NodeId, NodeId> = HashMap::new();
    for node in nodes {
        let of = |n: NodeId, replaced: &HashMap<NodeId, NodeId>| *replaced.get(&n).unwrap_or(&n);
        let new = match graph.node(node) {
            Node::Constant(_) | Node::Symbol(_) => node,
            Node::Unary(Op::Exp, argument) => {
                let inner = of(argument, &replaced);
                match without(graph, inner, symbol) {
                    Some((rest, sign)) => {
                        let kept = graph.build_unary(Op::Exp, rest);
                        if sign > 0.0 {
                            graph.build_binary(Op::Mul, coefficient, kept)
                        } else {
                            graph.build_binary(Op::Div, kept, coefficient)
                        }
                    }
                    None => graph.build_unary(Op::Exp, inner),
                }
            }
            Node::Unary(op, a) => {
                let a = of(a, &replaced);
                graph.build_unary(op, a)
            }
            Node::Binary(op, a, b) => {
                let (a, b) = (of(a, &replaced), of(b, &replaced));
                graph.build_binary(op, a, b)
            }
        };
        replaced.insert(node, new);
    }
    replaced.get(&root).copied().unwrap_or(root)
}

/// A sum without the symbol that stands in it once as a term of its own, and the sign of that term.
fn without(graph: &mut Graph, sum: NodeId, symbol: SymbolId) -> Option<(NodeId, f64)> {
    use scalefast_expr::Op;
    let zero = graph.constant(0.0);
    match graph.node(sum) {
        Node::Symbol(s) if s == symbol => Some((zero, 1.0)),
        Node::Unary(Op::Neg, a) => {
            let (rest, sign) = without(graph, a, symbol)?;
            Some((graph.build_unary(Op::Neg, rest), -sign))
        }
        Node::Binary(op @ (Op::Add | Op::Sub), a, b) => {
            let flip = if op == Op::Sub { -1.0 } else { 1.0 };
            match (graph.depends_on(a, symbol), graph.depends_on(b, symbol)) {
                (true, false) => {
                    let (rest, sign) = without(graph, a, symbol)?;
                    Some((graph.build_binary(op, rest, b), sign))
                }
                (false, true) => {
                    let (rest, sign) = without(graph, b, symbol)?;
                    Some((graph.build_binary(op, a, rest), flip * sign))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a node is the constant zero.
pub(crate) fn is_zero(graph: &Graph, node: NodeId) -> bool {
    matches!(graph.node(node), Node::Constant(bits) if f64::from_bits(bits) == 0.0)
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
                    ));
                }
            }
            return Ok(expressions);
        }
    }
    Err(CoreError::new(
        ErrorKind::Settings,
        "tie-cycle",
        "the ties refer to each other in a circle".to_owned(),
    ))
}
