//! The compute-optimal split in closed form, for laws of two power terms under a cost of one.
//!
//! In: a law L(N, D), a cost, the two free symbols. Out: N*, D* and L* as formulas of the law's parameters and the
//! budget. The law may be any increasing function of c + A·N^x + B·D^y with x, y < 0 < A, B: the additive law, its
//! power (A/N^α + B/D^β)^γ, a logarithm, an offset, a positive factor. The cost must be k·N^s·D^t with s, t > 0.
//! At the optimum x·A·N^x/s = y·B·D^y/t (Hoffmann et al. 2022, equation 4, for s = t = 1).
//! Longer than the rule, because `solve` writes the whole solution into one graph.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use scalefast_expr::{Graph, Node, NodeId, Op, System};

use super::monomial::{Reader, Term};
use super::split::{Split, import};
use crate::error::CoreError;

/// The reserved symbols of the budget and of the inner sum; no formula can spell them.
pub(super) const BUDGET: &str = "$budget";
const INNER: &str = "$inner";
pub(super) const FIRST: &str = "$first";

/// The solution of the first-order condition: `P·N^x = D^y` with `P = w·A/B`, on the curve `N^s·D^t = X`.
const DEFINITIONS: [(&str, &str); 5] = [
    ("w", "x*t/(s*y)"),
    ("q", "x + s*y/t"),
    ("X", "C/k"),
    ("scale", "(w*A/B)**(-1/q)"),
    ("growth", "y/(t*q)"),
];

/// The optimum in those terms. The second power term of the law is `w` times the first there.
const SOLUTION: [(&str, &str); 3] = [
    ("N", "scale*X**growth"),
    ("inner", "c + A*(1 + w)*scale**x*X**(growth*x)"),
    ("D", "(X/first**s)**(1/t)"),
];

/// The optimum as formulas.
#[derive(Clone, Debug)]
pub struct ClosedForm {
    pub(super) graph: Graph,
    /// N*, D*, L*.
    pub(super) optimum: [NodeId; 3],
    /// Nodes that must be above zero for the formulas to be a minimum.
    pub(super) conditions: Vec<NodeId>,
    /// Symbols of the cost's coefficient and exponents.
    pub(super) cost_symbols: Vec<String>,
    /// D as a formula of N and the budget.
    pub(super) second_of_first: NodeId,
    /// The law itself, and the free symbols.
    pub(super) law: NodeId,
    pub(super) free: [String; 2],
    parameters: Vec<String>,
}

/// One optimal split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allocation {
    /// The first free variable (N).
    pub first: f64,
    /// The second free variable (D).
    pub second: f64,
    /// The law's value there.
    pub loss: f64,
}

impl ClosedForm {
    /// Finds the closed form of `output` of `system` under the first output of `cost`, in the `free` variables.
    ///
    /// # Errors
    /// Kind `Law`: `unknown-output`; `no-closed-form` where the law or the cost has another shape.
    ///
    /// ```
    /// use scalefast_core::allocate::ClosedForm;
    /// use scalefast_expr::System;
    /// let law = System::formula("E + A/N**alpha + B/D**beta")?;
    /// let form = ClosedForm::detect(&law, "L", &System::formula("6*N*D")?, ("N", "D")).unwrap();
    /// assert_eq!(form.parameters(), ["alpha", "beta", "A", "B", "E"]);
    /// let best = form.allocate(&[0.3478, 0.3658, 482.0, 2085.0, 1.817], 1e24).unwrap();
    /// assert!((6.0 * best.first * best.second / 1e24 - 1.0).abs() < 1e-14);
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn detect(
        system: &System,
        output: &str,
        cost: &System,
        free: (&str, &str),
    ) -> Result<Self, CoreError> {
        let root = system.output(output).ok_or_else(|| {
            CoreError::law(
                "unknown-output",
                format!("the law has no output `{output}`"),
            )
        })?;
        let Some(&(_, cost_root)) = cost.outputs().first() else {
            return Err(CoreError::law("unknown-output", "the cost has no formula"));
        };
        let mut graph = system.graph.clone();
        let cost_root = import(&mut graph, &cost.graph, cost_root, &HashMap::new());
        let free_nodes = [graph.symbol(free.0), graph.symbol(free.1)];
        let symbols = free_nodes.map(|node| match graph.node(node) {
            Node::Symbol(symbol) => symbol,
            _ => u32::MAX,
        });
        let cost_term = Reader::new(&mut graph, symbols, cost_root)
            .term(cost_root)
            .ok_or_else(|| {
                refused(format!(
                    "the cost is not a constant times powers of {} and {}",
                    free.0, free.1
                ))
            })?;
        let split = Split::find(&mut graph, symbols, root).ok_or_else(|| {
            refused(format!(
                "the law is not a monotone function of one power term of {} and one of {}",
                free.0, free.1
            ))
        })?;
        let free = [free.0.to_owned(), free.1.to_owned()];
        ClosedForm::solve(graph, (root, free), &split, cost_term)
    }

    fn solve(
        mut graph: Graph,
        (law, free): (NodeId, [String; 2]),
        split: &Split,
        cost: Term,
    ) -> Result<Self, CoreError> {
        let solution = System::parse(&SOLUTION, &DEFINITIONS)?;
        let [left, right] = split.terms;
        let [s, t] = cost.exponents;
        let (a, x, b, y) = (
            left.coefficient,
            left.exponents[0],
            right.coefficient,
            right.exponents[1],
        );
        let (budget, any_first) = (graph.symbol(BUDGET), graph.symbol(FIRST));
        let mut meanings: HashMap<&str, NodeId> = [
            ("A", a),
            ("x", x),
            ("B", b),
            ("y", y),
            ("c", split.constant),
            ("s", s),
            ("t", t),
            ("k", cost.coefficient),
            ("C", budget),
            ("first", any_first),
        ]
        .into();
        let mut solved = |name: &str, meanings: &HashMap<&str, NodeId>| match solution.output(name)
        {
            Some(node) => import(&mut graph, &solution.graph, node, meanings),
            None => budget,
        };
        let first = solved("N", &meanings);
        let inner = solved("inner", &meanings);
        let second_of_first = solved("D", &meanings);
        meanings.insert("first", first);
        let second = solved("D", &meanings);

        let placeholder = graph.symbol(INNER);
        let outer = split.rebuild(&mut graph, placeholder);
        let slope = graph.derivative(outer, INNER);
        let meanings: HashMap<&str, NodeId> = [(INNER, inner)].into();
        let whole = graph.clone();
        let loss = import(&mut graph, &whole, outer, &meanings);
        let slope = import(&mut graph, &whole, slope, &meanings);
        let falling = [x, y].map(|exponent| graph.build_unary(Op::Neg, exponent));
        let conditions = vec![a, b, falling[0], falling[1], s, t, cost.coefficient, slope];
        let optimum = [first, second, loss];

        let cost_symbols = names_of(&graph, &[cost.coefficient, s, t]);
        let mut parameters = names_of(&graph, &[&optimum[..], &conditions, &[law]].concat());
        parameters.retain(|name| !free.contains(name));
        Ok(ClosedForm {
            graph,
            optimum,
            conditions,
            cost_symbols,
            second_of_first,
            law,
            free,
            parameters,
        })
    }

    /// The symbols whose values an allocation needs: parameters of the law and of the cost, and variables that are
    /// held fixed.
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// The optimal split for `values` of the parameters (in their order) and a budget in the unit of the cost.
    /// `None` where the formulas are no interior minimum, such as for a term that grows.
    pub fn allocate(&self, values: &[f64], budget: f64) -> Option<Allocation> {
        let by_symbol = self.by_symbol(values, budget);
        let value = |node: NodeId| self.graph.evaluate(node, &by_symbol);
        if !self.conditions.iter().all(|&node| value(node) > 0.0) {
            return None;
        }
        let [first, second, loss] = self.optimum.map(value);
        (first.is_finite() && second.is_finite() && loss.is_finite()).then_some(Allocation {
            first,
            second,
            loss,
        })
    }

    fn by_symbol(&self, values: &[f64], budget: f64) -> Vec<f64> {
        let value = |name: &String| match self.parameters.iter().position(|p| p == name) {
            Some(k) => values.get(k).copied().unwrap_or(f64::NAN),
            None if name == BUDGET => budget,
            None => f64::NAN,
        };
        self.graph.symbols().iter().map(value).collect()
    }

    /// N*, D* and L* as text, with `$budget` for the budget.
    pub fn formulas(&self) -> [String; 3] {
        self.optimum.map(|node| self.graph.print(node))
    }
}

/// The symbols below some nodes, without the reserved ones.
fn names_of(graph: &Graph, nodes: &[NodeId]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for symbol in nodes.iter().flat_map(|&node| graph.symbols_of(node)) {
        let name = graph.symbol_name(symbol);
        if !name.starts_with('$') && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn refused(message: String) -> CoreError {
    CoreError::law("no-closed-form", format!("no closed form: {message}"))
}
