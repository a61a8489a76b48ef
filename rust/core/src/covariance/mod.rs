//! Covariance of estimates: Gauss–Newton for squared loss, the M-estimator sandwich for every other loss.
//!
//! In: the Jacobian of the residuals (`m × p`, column-major), residuals (`m`), relative weights (`m`), the loss; or,
//! for streamed rows, the `p × p` sums over rows. Out: the `p × p` covariance on the scale of the Jacobian's
//! parameters, or a code that says why there is none. Multiplying all weights by one factor changes nothing.
//!
//! Gauss–Newton: s² (Σ w J Jᵀ)⁻¹ with s² = Σ w r² / (n − p).
//! Known noise, where residuals come in units of their own standard deviation: A⁻¹ (Σ w² J Jᵀ) A⁻¹ with A = Σ w J Jᵀ,
//! which is A⁻¹ without weights; the residuals have no say in it.
//! Sandwich (Huber 1967; White 1980; kernel estimate of the curvature, Powell 1991):
//! A⁻¹ B A⁻¹ n/(n − p), with B = Σ w² ψ(r)² J Jᵀ and A = Σ w κ(r) J Jᵀ. Here κ is ψ′ smoothed by a uniform kernel of
//! half-width h, κ(r) = (ψ(r + h) − ψ(r − h)) / 2h, because ψ′ itself is zero on most rows when the threshold lies
//! far below the noise. Local κ and ψ² let the noise differ from row to row.
//! Clusters, whose rows share noise: the same with B = Σ over clusters of s sᵀ, s = Σ w ψ(r) J over the rows of one, and the
//! factor G/(G − 1)·(n − 1)/(n − p) for G clusters (Liang & Zeger 1986; Cameron & Miller 2015, CR1). Of few clusters that is
//! too small, since the fit bends to each of them: (G − 1)/G Σ d dᵀ with d = (A − A_g)⁻¹ s_g, the step of the estimate when
//! cluster g is left out (CR3, MacKinnon, Nielsen & Webb 2023).

mod inverse;
mod refusal;
mod series;
mod smoothing;
#[cfg(test)]
mod tests;

pub(crate) use inverse::scaled_inverse;
pub use refusal::{
    CLUSTER_DECIDES, FEW_ROWS_WITHIN_THRESHOLD, NO_DEGREES_OF_FREEDOM, NOT_FINITE,
    SINGULAR_CURVATURE, SINGULAR_JACOBIAN,
};
pub(crate) use series::{REJECT, Series};
pub use smoothing::{Smoothing, robust_scale, share_within};

use crate::linalg::Qr;
use crate::loss::Loss;

/// How a covariance was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Squared loss.
    GaussNewton,
    /// Squared loss of residuals whose standard deviation is known to be one.
    KnownNoise,
    /// Any other loss.
    Sandwich,
    /// Any loss, rows of a cluster taken together.
    ClusterSandwich,
    /// The same of few clusters, each held against the fit to the others.
    ClusterJackknife,
}

impl Method {
    /// The name that results carry.
    pub fn name(self) -> &'static str {
        match self {
            Method::GaussNewton => "gauss-newton",
            Method::KnownNoise => "gauss-newton-known-noise",
            Method::Sandwich => "sandwich",
            Method::ClusterSandwich => "cluster-sandwich",
            Method::ClusterJackknife => "cluster-jackknife",
        }
    }
}

/// A covariance matrix, or the reason for its absence.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariance {
    /// How it was computed.
    pub method: Method,
    /// Row-major `p × p`; `None` where refused.
    pub matrix: Option<Vec<f64>>,
    /// Why there is no matrix.
    pub code: Option<&'static str>,
}

impl Covariance {
    fn refused(method: Method, code: &'static str) -> Self {
        Covariance {
            method,
            matrix: None,
            code: Some(code),
        }
    }

    fn found(method: Method, matrix: Vec<f64>) -> Self {
        if matrix.iter().all(|x| x.is_finite()) {
            return Covariance {
                method,
                matrix: Some(matrix),
                code: None,
            };
        }
        Covariance::refused(method, NOT_FINITE)
    }

    /// Square roots of the diagonal.
    pub fn std_errors(&self, p: usize) -> Option<Vec<f64>> {
        self.matrix
            .as_ref()
            .map(|matrix| (0..p).map(|j| matrix[j * p + j].sqrt()).collect())
    }
}

/// The covariance from the Jacobian `columns` (column-major `m × p`), by the method that suits the loss.
pub fn covariance(
    columns: &[f64],
    p: usize,
    residuals: &[f64],
    weights: Option<&[f64]>,
    loss: Loss,
) -> Covariance {
    let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
    if loss.is_squared() {
        return gauss_newton_from_rows(columns, p, residuals, weight);
    }
    match Smoothing::new(loss, residuals, weights, p) {
        Err(code) => Covariance::refused(Method::Sandwich, code),
        Ok(smoothing) => {
            let m = residuals.len();
            let (mut curvature, mut meat) = (vec![0.0; p * p], vec![0.0; p * p]);
            for i in 0..m {
                let (k, v) = smoothing.row(residuals[i], weight(i));
                for a in 0..p {
                    for b in a..p {
                        let product = columns[a * m + i] * columns[b * m + i];
                        curvature[a * p + b] += k * product;
                        meat[a * p + b] += v * product;
                    }
                }
            }
            mirror(&mut curvature, p);
            mirror(&mut meat, p);
            sandwich(&curvature, &meat, p, smoothing.rows)
        }
    }
}

fn gauss_newton_from_rows(
    columns: &[f64],
    p: usize,
    residuals: &[f64],
    weight: impl Fn(usize) -> f64,
) -> Covariance {
    let m = residuals.len();
    let rows = (0..m).filter(|&i| weight(i) > 0.0).count();
    if rows <= p {
        return Covariance::refused(Method::GaussNewton, NO_DEGREES_OF_FREEDOM);
    }
    let Some(mut matrix) = inverse_gram(columns, p, m, &weight) else {
        return Covariance::refused(Method::GaussNewton, SINGULAR_JACOBIAN);
    };
    let sum: f64 = residuals
        .iter()
        .enumerate()
        .map(|(i, r)| weight(i) * r * r)
        .sum();
    let scale = sum / (rows - p) as f64;
    matrix.iter_mut().for_each(|x| *x *= scale);
    Covariance::found(Method::GaussNewton, matrix)
}

/// (Σ w J Jᵀ)⁻¹ by orthogonal factors; `None` where the Jacobian is rank deficient.
fn inverse_gram(
    columns: &[f64],
    p: usize,
    m: usize,
    weight: &impl Fn(usize) -> f64,
) -> Option<Vec<f64>> {
    let roots: Vec<f64> = (0..m).map(|i| weight(i).sqrt()).collect();
    let weighted: Vec<f64> = columns
        .chunks_exact(m)
        .take(p)
        .flat_map(|column| column.iter().zip(&roots).map(|(x, w)| x * w))
        .collect();
    let qr = Qr::new(&weighted, m, p);
    qr.inverse_gram(qr.rounding())
}

/// The covariance under noise of standard deviation one from the Jacobian `columns` (column-major `m × p`).
pub fn known_noise_from_rows(
    columns: &[f64],
    p: usize,
    m: usize,
    weights: Option<&[f64]>,
) -> Covariance {
    let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
    let Some(inverse) = inverse_gram(columns, p, m, &weight) else {
        return Covariance::refused(Method::KnownNoise, SINGULAR_JACOBIAN);
    };
    let Some(weights) = weights else {
        return Covariance::found(Method::KnownNoise, inverse);
    };
    let mut meat = vec![0.0; p * p];
    for a in 0..p {
        for b in a..p {
            meat[a * p + b] = (0..m)
                .map(|i| weights[i] * weights[i] * columns[a * m + i] * columns[b * m + i])
                .sum();
        }
    }
    mirror(&mut meat, p);
    Covariance::found(Method::KnownNoise, between(&inverse, &meat, p))
}

/// Gauss–Newton from sums over streamed rows: `gram` = Σ w J Jᵀ (row-major `p × p`), `weighted_rss` = Σ w r², `rows` =
/// number of rows with positive weight.
pub fn gauss_newton(gram: &[f64], p: usize, weighted_rss: f64, rows: usize) -> Covariance {
    if rows <= p {
        return Covariance::refused(Method::GaussNewton, NO_DEGREES_OF_FREEDOM);
    }
    let Some(mut matrix) = scaled_inverse(gram, p) else {
        return Covariance::refused(Method::GaussNewton, SINGULAR_JACOBIAN);
    };
    let scale = weighted_rss / (rows - p) as f64;
    matrix.iter_mut().for_each(|x| *x *= scale);
    Covariance::found(Method::GaussNewton, matrix)
}

/// The covariance under noise of standard deviation one, from sums over rows: `gram` = Σ w J Jᵀ and `meat` = Σ w² J Jᵀ
/// (row-major `p × p`).
pub fn known_noise(gram: &[f64], meat: &[f64], p: usize) -> Covariance {
    match scaled_inverse(gram, p) {
        None => Covariance::refused(Method::KnownNoise, SINGULAR_JACOBIAN),
        Some(inverse) => Covariance::found(Method::KnownNoise, between(&inverse, meat, p)),
    }
}

/// The sandwich from sums over streamed rows, whose summands `Smoothing::row` gives: `curvature` = Σ w κ J Jᵀ and
/// `meat` = Σ w² ψ² J Jᵀ (row-major `p × p`), `rows` = number of rows with positive weight.
pub fn sandwich(curvature: &[f64], meat: &[f64], p: usize, rows: usize) -> Covariance {
    if rows <= p {
        return Covariance::refused(Method::Sandwich, NO_DEGREES_OF_FREEDOM);
    }
    if curvature.iter().chain(meat).any(|x| !x.is_finite()) {
        return Covariance::refused(Method::Sandwich, NOT_FINITE);
    }
    let Some(inverse) = scaled_inverse(curvature, p) else {
        return Covariance::refused(Method::Sandwich, SINGULAR_CURVATURE);
    };
    let factor = rows as f64 / (rows - p) as f64;
    let mut matrix = between(&inverse, meat, p);
    matrix.iter_mut().for_each(|x| *x *= factor);
    Covariance::found(Method::Sandwich, matrix)
}

/// The sandwich of clustered rows: `curvature` as in [`sandwich`], `scores` the sum of w ψ J over the rows of each cluster
/// (`p` a cluster, one cluster after the other), `rows` = number of rows with positive weight.
pub fn cluster_sandwich(curvature: &[f64], scores: &[f64], p: usize, rows: usize) -> Covariance {
    let clusters = scores.len() / p.max(1);
    if rows <= p || clusters <= p {
        return Covariance::refused(Method::ClusterSandwich, NO_DEGREES_OF_FREEDOM);
    }
    if curvature.iter().chain(scores).any(|x| !x.is_finite()) {
        return Covariance::refused(Method::ClusterSandwich, NOT_FINITE);
    }
    let Some(inverse) = scaled_inverse(curvature, p) else {
        return Covariance::refused(Method::ClusterSandwich, SINGULAR_CURVATURE);
    };
    let mut meat = vec![0.0; p * p];
    for score in scores.chunks_exact(p) {
        for i in 0..p {
            for j in i..p {
                meat[i * p + j] += score[i] * score[j];
            }
        }
    }
    mirror(&mut meat, p);
    let (g, n) = (clusters as f64, rows as f64);
    let factor = g / (g - 1.0) * (n - 1.0) / (n - p as f64);
    let mut matrix = between(&inverse, &meat, p);
    matrix.iter_mut().for_each(|x| *x *= factor);
    Covariance::found(Method::ClusterSandwich, matrix)
}

/// The covariance of few clusters: `curvature` and `scores` as in [`cluster_sandwich`], `own` the part of each cluster in the
/// curvature (`p × p` a cluster).
pub fn cluster_jackknife(
    curvature: &[f64],
    own: &[f64],
    scores: &[f64],
    p: usize,
    rows: usize,
) -> Covariance {
    let method = Method::ClusterJackknife;
    let clusters = scores.len() / p.max(1);
    if rows <= p || clusters <= p {
        return Covariance::refused(method, NO_DEGREES_OF_FREEDOM);
    }
    if curvature.iter().chain(scores).any(|x| !x.is_finite()) {
        return Covariance::refused(method, NOT_FINITE);
    }
    if scaled_inverse(curvature, p).is_none() {
        return Covariance::refused(method, SINGULAR_CURVATURE);
    }
    let mut matrix = vec![0.0; p * p];
    for (score, part) in scores.chunks_exact(p).zip(own.chunks_exact(p * p)) {
        let others: Vec<f64> = curvature.iter().zip(part).map(|(a, g)| a - g).collect();
        let Some(inverse) = scaled_inverse(&others, p) else {
            return Covariance::refused(method, CLUSTER_DECIDES);
        };
        let step: Vec<f64> = inverse
            .chunks_exact(p)
            .map(|row| row.iter().zip(score).map(|(a, s)| a * s).sum())
            .collect();
        for i in 0..p {
            for j in i..p {
                matrix[i * p + j] += step[i] * step[j];
            }
        }
    }
    mirror(&mut matrix, p);
    let factor = (clusters as f64 - 1.0) / clusters as f64;
    matrix.iter_mut().for_each(|x| *x *= factor);
    Covariance::found(method, matrix)
}

/// `inverse · meat · inverse`, all symmetric.
fn between(inverse: &[f64], meat: &[f64], p: usize) -> Vec<f64> {
    let mut half = vec![0.0; p * p];
    for i in 0..p {
        for j in 0..p {
            half[i * p + j] = (0..p).map(|k| inverse[i * p + k] * meat[k * p + j]).sum();
        }
    }
    let mut matrix = vec![0.0; p * p];
    for i in 0..p {
        for j in i..p {
            matrix[i * p + j] = (0..p)
                .map(|k| half[i * p + k] * inverse[k * p + j])
                .sum::<f64>();
        }
    }
    mirror(&mut matrix, p);
    matrix
}

/// Copies the upper triangle to the lower one.
fn mirror(a: &mut [f64], p: usize) {
    for i in 0..p {
        for j in 0..i {
            a[i * p + j] = a[j * p + i];
        }
    }
}
