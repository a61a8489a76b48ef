//! Rows that share noise within a cluster, such as those of one run.

use super::rows::{CHUNK, all_residuals, linearise, slice};
use crate::covariance::{self, Covariance, Method, Smoothing};
use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::fit::{Fit, FitSpec};
use crate::model::Model;

/// Fewer clusters are held one by one against the fit to the others.
const FEW: usize = 50;

/// The covariance of rows that share noise within a cluster. Chunks are worked through one after the other, since a cluster
/// may have rows in several.
pub(super) fn clustered(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
    open: &[usize],
    clusters: &[u32],
) -> Result<Covariance, CoreError> {
    let (p, rows) = (open.len(), data.rows_in_use());
    let smoothing = if fit.loss.is_squared() {
        None
    } else {
        let residual = all_residuals(spec, fit, data, model)?;
        match Smoothing::new(fit.loss, &residual, data.weights.as_deref(), p) {
            Ok(smoothing) => Some(smoothing),
            Err(code) => {
                return Ok(Covariance {
                    method: method_of(clusters),
                    matrix: None,
                    code: Some(code),
                });
            }
        }
    };
    let mut curvature = vec![0.0; p * p];
    let count = cluster_count(clusters);
    let mut scores = vec![0.0; p * count];
    let mut parts = vec![0.0; if count < FEW { p * p * count } else { 0 }];
    for chunk in 0..data.len().div_ceil(CHUNK) {
        let part = slice(data, chunk * CHUNK, data.len().min((chunk + 1) * CHUNK));
        let found = linearise(spec, fit, &part, model)?;
        let m = part.len();
        for i in 0..m {
            let (r, w) = (found.residual[i], part.weight(i));
            let bend = smoothing.as_ref().map_or(w, |s| s.row(r, w).0);
            let pull = w * fit.loss.psi(r);
            let own = p * clusters[chunk * CHUNK + i] as usize;
            for (j, &column) in open.iter().enumerate() {
                let left = found.jacobian[column * m + i];
                scores[own + j] += pull * left;
                for (k, &other) in open.iter().enumerate() {
                    let product = bend * left * found.jacobian[other * m + i];
                    curvature[j * p + k] += product;
                    if count < FEW {
                        parts[p * own + j * p + k] += product;
                    }
                }
            }
        }
    }
    Ok(if count < FEW {
        covariance::cluster_jackknife(&curvature, &parts, &scores, p, rows)
    } else {
        covariance::cluster_sandwich(&curvature, &scores, p, rows)
    })
}

fn method_of(clusters: &[u32]) -> Method {
    if cluster_count(clusters) < FEW {
        Method::ClusterJackknife
    } else {
        Method::ClusterSandwich
    }
}

pub(super) fn cluster_count(clusters: &[u32]) -> usize {
    clusters.iter().max().map_or(0, |&last| last as usize + 1)
}
