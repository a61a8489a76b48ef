//! What is asked of a law and a cost, as expressions of one graph: what to minimise, the constraint, and their
//! derivatives along it.
//!
//! Stage: before the numeric solver. In: a law, a cost, the free variables N and D (or one of them). Out: graph nodes.
//! With x = ln N, y = ln D and a constraint K(x, y) = target, D follows from N with slope y′ = −K_x/K_y, and the total
//! derivative of anything along the constraint is T(f) = f_x + y′·f_y. So the slope and the curvature of the objective
//! are T(f) and T(T(f)): exact, by the derivatives of the graph. Where D is solved from K inexactly, T(f) = 0 remains
//! the first-order condition of the minimum.
//! Longer than the rule, because `Question::new` builds one graph from constraint to curvature.

use std::collections::HashMap;

use scalefast_expr::{Graph, NodeId, Op, System};

use super::split::import;
use crate::error::CoreError;

/// The reserved symbol of the constraint's target; no formula can spell it.
pub(super) const TARGET: &str = "$target";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The least loss at a cost; with one free variable, the loss there.
    Budget,
    /// The least cost of a loss; with one free variable, its cost.
    Loss,
    /// One free variable: its value at which the other, held fixed, is optimal for their common cost.
    Companion,
}

/// A question, ready to be compiled.
#[derive(Clone, Debug)]
pub struct Question {
    pub(super) aim: Aim,
    pub(super) graph: Graph,
    pub(super) free: Vec<String>,
    /// ln(K/target).
    pub(super) residual: NodeId,
    /// The derivatives of the residual by the logarithm of each free variable.
    pub(super) residual_slopes: Vec<NodeId>,
    /// Whether the constraint rises with the free variables.
    pub(super) rising: bool,
    /// The last free variable as a formula of the rest, where the constraint is affine in it.
    pub(super) explicit: Option<NodeId>,
    /// Objective, slope and curvature along the constraint, by the logarithm of the first free variable.
    pub(super) along: Option<[NodeId; 3]>,
    /// First and second variable, cost, loss.
    pub(super) reported: [NodeId; 4],
    /// Which of the two reported variables each free one is.
    pub(super) free_places: Vec<usize>,
    /// Lowest and highest value of each free variable; `None` where the user sets none.
    pub(super) bounds: Vec<[Option<f64>; 2]>,
    parameters: Vec<String>,
}

impl Question {
    /// A question about `output` of `law`. The outputs of `spending` are the cost, then the two variables to report,
    /// which may be free symbols, pinned ones, or formulas of others. `free` holds one or two symbols, `bounds` the
    /// lowest and highest value of each (`None`: unbounded).
    ///
    /// # Errors
    /// Kind `Law`: `unknown-output`; `no-tradeoff` where the cost or the law does not depend on a free variable.
    /// Kind `Settings`: `bad-bounds`.
    pub fn new(
        law: &System,
        output: &str,
        spending: &System,
        aim: Aim,
        free: &[&str],
        bounds: &[[Option<f64>; 2]],
    ) -> Result<Self, CoreError> {
        let root = law.output(output).ok_or_else(|| {
            CoreError::law(
                "unknown-output",
                format!("the law has no output `{output}`"),
            )
        })?;
        let [cost, first, second] = spending.outputs() else {
            return Err(CoreError::law(
                "unknown-output",
                "a cost and two variables are needed",
            ));
        };
        check_bounds(free, bounds)?;
        let mut graph = law.graph.clone();
        let none = HashMap::new();
        let mut imported = |node: NodeId| import(&mut graph, &spending.graph, node, &none);
        let (cost, first, second) = (imported(cost.1), imported(first.1), imported(second.1));
        let target = graph.symbol(TARGET);
        let names = [first, second].map(|node| graph.print(node));
        let constraint = match aim {
            Aim::Budget => cost,
            Aim::Loss => root,
            Aim::Companion => companion(&mut graph, root, cost, &names, free)?,
        };
        let share = graph.build_binary(Op::Div, constraint, target);
        let residual = graph.build_unary(Op::Log, share);
        let mut residual_slopes = Vec::new();
        for name in free {
            let slope = log_slope(&mut graph, residual, name);
            let read = graph
                .symbol_id(name)
                .is_some_and(|id| graph.depends_on(residual, id));
            if !read {
                let what = if aim == Aim::Loss { "law" } else { "cost" };
                return Err(CoreError::law(
                    "no-tradeoff",
                    format!("the {what} does not depend on `{name}`, so nothing ties it down"),
                )
                .with_column(*name));
            }
            residual_slopes.push(slope);
        }
        let explicit = match free.last() {
            Some(last) => explicit(&mut graph, constraint, target, last),
            None => None,
        };
        let along = match free {
            [x, y] => {
                let objective = match aim {
                    Aim::Loss => graph.build_unary(Op::Log, cost),
                    _ => root,
                };
                let rise = graph.build_binary(Op::Div, residual_slopes[0], residual_slopes[1]);
                let bend = graph.build_unary(Op::Neg, rise);
                let mut total = |node: NodeId| {
                    let by_x = log_slope(&mut graph, node, x);
                    let by_y = log_slope(&mut graph, node, y);
                    let moved = graph.build_binary(Op::Mul, bend, by_y);
                    graph.build_binary(Op::Add, by_x, moved)
                };
                let slope = total(objective);
                Some([objective, slope, total(slope)])
            }
            _ => None,
        };
        let reported = [first, second, cost, root];
        let place = |name: &&str| names.iter().position(|reported| reported == name);
        let free_places = free.iter().filter_map(place).collect();
        let mut parameters: Vec<String> = Vec::new();
        for node in reported.iter().chain([&residual]) {
            for symbol in graph.symbols_of(*node) {
                let name = graph.symbol_name(symbol);
                if name != TARGET && !free.contains(&name) && !parameters.iter().any(|p| p == name)
                {
                    parameters.push(name.to_owned());
                }
            }
        }
        Ok(Question {
            aim,
            graph,
            free: free.iter().map(|name| (*name).to_owned()).collect(),
            residual,
            residual_slopes,
            rising: aim != Aim::Loss,
            explicit,
            along,
            reported,
            free_places,
            bounds: bounds.to_vec(),
            parameters,
        })
    }

    /// The symbols whose values an answer needs.
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// Whether some of these symbols enter the constraint.
    pub(super) fn constraint_reads(&self, names: &[&str]) -> bool {
        names.iter().any(|name| {
            self.graph
                .symbol_id(name)
                .is_some_and(|id| self.graph.depends_on(self.residual, id))
        })
    }
}

/// The derivative by ln(name).
fn log_slope(graph: &mut Graph, node: NodeId, name: &str) -> NodeId {
    let symbol = graph.symbol(name);
    let slope = graph.derivative(node, name);
    graph.build_binary(Op::Mul, symbol, slope)
}

/// The ratio of what the fixed variable and the free one give for what they cost: 1 at the optimum, and rising with the
/// free variable, whose returns fall.
fn companion(
    graph: &mut Graph,
    law: NodeId,
    cost: NodeId,
    names: &[String; 2],
    free: &[&str],
) -> Result<NodeId, CoreError> {
    let fixed = match free {
        [name] if *name == names[0] => &names[1],
        [name] if *name == names[1] => &names[0],
        _ => {
            return Err(CoreError::law(
                "no-tradeoff",
                "one of the two variables must be free and the other fixed",
            ));
        }
    };
    let mut worth = |name: &str| {
        let gain = log_slope(graph, law, name);
        let price = log_slope(graph, cost, name);
        graph.build_binary(Op::Div, gain, price)
    };
    let (of_fixed, of_free) = (worth(fixed), worth(free[0]));
    Ok(graph.build_binary(Op::Div, of_fixed, of_free))
}

/// `(target − rest)/factor` where the constraint is `rest + factor·name`.
fn explicit(graph: &mut Graph, constraint: NodeId, target: NodeId, name: &str) -> Option<NodeId> {
    let factor = graph.derivative(constraint, name);
    let symbol = graph.symbol_id(name)?;
    if graph.depends_on(factor, symbol) {
        return None;
    }
    let zero = graph.constant(0.0);
    let meanings: HashMap<&str, NodeId> = [(name, zero)].into();
    let whole = graph.clone();
    let rest = import(graph, &whole, constraint, &meanings);
    let left = graph.build_binary(Op::Sub, target, rest);
    Some(graph.build_binary(Op::Div, left, factor))
}

fn check_bounds(free: &[&str], bounds: &[[Option<f64>; 2]]) -> Result<(), CoreError> {
    let fits = (1..=2).contains(&free.len()) && bounds.len() == free.len();
    if !fits {
        return Err(CoreError::settings(
            "bad-bounds",
            "one or two free variables are needed, with bounds for each",
        )
        .with_argument("bounds"));
    }
    for (name, ends) in free.iter().zip(bounds) {
        let [low, high] = [ends[0].unwrap_or(0.0), ends[1].unwrap_or(f64::INFINITY)];
        if !(low >= 0.0 && high > 0.0 && low <= high) {
            let message = format!("bounds of `{name}`: {low} to {high} is no range above zero");
            return Err(CoreError::settings("bad-bounds", message)
                .with_argument("bounds")
                .with_column(*name)
                .with_value(low)
                .with_limit(high));
        }
    }
    Ok(())
}
