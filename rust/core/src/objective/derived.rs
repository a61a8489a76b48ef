//! The same objective under other weights or with another response, without compiling anything again.

use super::{Objective, prepare};
use crate::model::RESPONSE;
use std::borrow::Cow;
use std::sync::Arc;

impl<'a> Objective<'a> {
    /// The same objective under other weights (`m`, in place of its own), without compiling or preparing anything again.
    /// Rows of weight zero are left out: they cost no time, and a law that is undefined there does no harm.
    pub fn with_weights(&self, weights: &[f64]) -> Objective<'static> {
        let kept: Vec<usize> = (0..self.rows).filter(|&i| weights[i] != 0.0).collect();
        let pick =
            |column: &[f64]| -> Cow<'static, [f64]> { kept.iter().map(|&i| column[i]).collect() };
        let unused = || Cow::Owned(Vec::new());
        Objective {
            family: Arc::clone(&self.family),
            kernel: self.kernel,
            inputs: self
                .inputs
                .iter()
                .enumerate()
                .map(|(i, c)| {
                    if self.family.reads_input(i) {
                        pick(c)
                    } else {
                        unused()
                    }
                })
                .collect(),
            cached: self.cached.iter().map(|c| pick(c)).collect(),
            weights: Some(pick(weights)),
            rows: kept.len(),
            p: self.p,
            curvature_slots: self.curvature_slots.clone(),
        }
    }

    /// The same objective with another response (`m`); it must be positive wherever the first one was.
    pub fn with_response(&self, response: &'a [f64]) -> Objective<'a> {
        let inputs: Vec<Cow<'a, [f64]>> = self
            .family
            .inputs()
            .iter()
            .zip(&self.inputs)
            .map(|(name, column)| {
                if name == RESPONSE {
                    Cow::Borrowed(response)
                } else {
                    column.clone()
                }
            })
            .collect();
        let slices: Vec<&[f64]> = inputs.iter().map(Cow::as_ref).collect();
        let cached = prepare(&self.family, self.kernel, &slices, self.rows);
        Objective {
            family: Arc::clone(&self.family),
            kernel: self.kernel,
            cached: cached.into_iter().map(Cow::Owned).collect(),
            inputs,
            weights: self.weights.clone(),
            rows: self.rows,
            p: self.p,
            curvature_slots: self.curvature_slots.clone(),
        }
    }
}
