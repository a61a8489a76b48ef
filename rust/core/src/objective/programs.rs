//! The compiled programs of an objective: value, gradient and Hessian of a residual.

use crate::dataset::SIGMA;
use crate::error::CoreError;
use crate::model::{Compiled, Model, RESPONSE, Residual};
use scalefast_expr::{Binding, Family, Rate};
use std::sync::Arc;

/// The programs of `model` under a residual, for columns of which some are known to be `positive`; compiled once.
///
/// # Errors
/// Those of the compiler.
pub(super) fn programs(
    model: &Model,
    residual: Residual,
    positive: Vec<bool>,
) -> Result<Compiled, CoreError> {
    let compile = |(residual, positive): &(Residual, Vec<bool>)| {
        compile(&mut model.clone(), *residual, positive)
    };
    model.compiled.get((residual, positive), compile)
}

fn compile(
    model: &mut Model,
    residual: Residual,
    positive: &[bool],
) -> Result<Compiled, CoreError> {
    let mut node = model.residual_node(residual);
    let mut names: Vec<&str> = model.variables.iter().map(String::as_str).collect();
    names.push(RESPONSE);
    let known_noise = positive.len() > names.len();
    if known_noise {
        names.push(SIGMA);
    }
    let mut bindings: Vec<Binding> = names
        .into_iter()
        .zip(positive)
        .map(|(name, &positive)| Binding {
            name: name.to_owned(),
            rate: Rate::Varying,
            prepared: true,
            positive,
        })
        .collect();
    for free in &model.free {
        let positive = matches!(free.transform, crate::parameter::Transform::Log)
            || free.bounds.is_some_and(|(lower, _)| lower > 0.0);
        bindings.push(Binding {
            name: free.name.clone(),
            rate: Rate::Uniform,
            prepared: false,
            positive,
        });
    }
    if known_noise {
        node = model.over_sigma(node);
    }
    let gradient = model.gradient(node);
    let hessian = model.hessian(&gradient);
    let p = model.p();
    let mut first: Vec<_> = vec![node];
    first.extend(&gradient);
    let mut second = first.clone();
    second.extend(hessian.iter().map(|&(_, _, h)| h));
    let family = Family::compile(&model.graph, &[&[node], &first, &second], &bindings)?;
    Ok(Compiled {
        family: Arc::new(family),
        curvature_slots: hessian.iter().map(|&(j, k, _)| triangle(p, j, k)).collect(),
    })
}

/// Position of `(j, k)`, `j ≤ k`, in a row-major upper triangle.
pub(super) fn triangle(p: usize, j: usize, k: usize) -> usize {
    j * p - j * j.saturating_sub(1) / 2 + k - j
}
