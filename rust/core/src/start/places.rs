//! The places of all parameters of a law: in which order starts draw them, and which sums are measured in the middle of the
//! data.

use super::context::{Context, Degree, Place, Reading};
use super::reference;
use crate::dataset::Dataset;
use crate::model::{Centred, Model, Sums, plain_law, symbol};
use crate::parameter::Transform;
use scalefast_expr::{NodeId, SymbolId};

/// The symbols of the free parameters, and the place of each in the law.
pub(super) fn contexts(model: &mut Model) -> (Vec<SymbolId>, Vec<Context>) {
    let symbols: Vec<SymbolId> = model
        .free
        .iter()
        .map(|f| symbol(&mut model.graph, &f.name))
        .collect();
    let variables: Vec<SymbolId> = model
        .variables
        .iter()
        .map(|v| symbol(&mut model.graph, v))
        .collect();
    let contexts = (0..model.p())
        .map(|j| {
            let mut graph = model.graph.clone();
            let root = plain_law(&mut graph, model.value, &model.free, &model.free[j]);
            let found = Reading::new(&graph, &variables, root).context(symbols[j]);
            model.graph = graph;
            found
        })
        .collect();
    (symbols, contexts)
}

/// The law in sizes of the terms of its nonlinear coefficients, at the row of geometric means.
pub(super) fn centred(model: &Model, data: &Dataset<'_>) -> Option<Centred> {
    if model
        .free
        .iter()
        .any(|f| f.level.is_some() || f.bounds.is_some() || f.transform != Transform::Auto)
    {
        return None;
    }
    let mut model = model.clone();
    let (symbols, contexts) = contexts(&mut model);
    let mut sums = Sums::default();
    let linear = |node: NodeId| {
        let held = model.graph.symbols_of(node);
        let mut pairs = symbols.iter().zip(&model.linear);
        pairs.any(|(s, &linear)| linear && held.contains(s))
    };
    for (j, context) in contexts.into_iter().enumerate() {
        match context {
            _ if model.linear[j] => {}
            Context::Term { term, degree, .. } if degree == Degree::Fixed(1.0) && !linear(term) => {
                sums.terms.push((j, term));
            }
            Context::Shift {
                sibling,
                sign,
                place,
            } if place != Place::Value && !linear(sibling) => sums.shifts.push((j, sibling, sign)),
            _ => {}
        }
    }
    let (_, centre, _) = reference(&model.graph, &model, data);
    model.centred(&sums, &centre)
}

/// The nonlinear parameters, each after those that its context speaks of.
pub(super) fn order(
    model: &Model,
    symbols: &[SymbolId],
    contexts: Vec<Context>,
) -> Vec<(usize, Context)> {
    let mut waiting: Vec<(usize, Context, Vec<usize>)> = contexts
        .into_iter()
        .enumerate()
        .filter(|(j, _)| !model.linear[*j])
        .map(|(j, context)| {
            let nodes: Vec<NodeId> = match &context {
                Context::Term { term, sibling, .. } => {
                    std::iter::once(*term).chain(*sibling).collect()
                }
                Context::Shift { sibling, .. } => vec![*sibling],
                Context::Number => Vec::new(),
            };
            let needs = (0..model.p())
                .filter(|&k| k != j && !model.linear[k])
                .filter(|&k| nodes.iter().any(|&n| model.graph.depends_on(n, symbols[k])))
                .collect();
            (j, context, needs)
        })
        .collect();
    let mut placed: Vec<(usize, Context)> = Vec::new();
    while !waiting.is_empty() {
        let ready = |(_, _, needs): &(usize, Context, Vec<usize>)| {
            needs.iter().all(|k| placed.iter().any(|(j, _)| j == k))
        };
        let next = waiting.iter().position(ready).unwrap_or(0);
        let (j, context, _) = waiting.remove(next);
        placed.push((j, context));
    }
    placed
}
