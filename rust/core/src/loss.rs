//! Losses ρ of a residual r = prediction − data, with ψ = ρ′ and ψ′ = ρ″: one table, in the units of the residual.
//!
//! The objective of a fit is the sum over rows of w·ρ(r). `terms` states each loss once; single values and block
//! passes are both read from it. Sources: Huber 1964; Ceres `loss_function.h` (SoftL1, Cauchy); the smoothed
//! quantile loss is the convolution of the check function with a uniform kernel (Fernandes, Guerre & Horta 2021).
//! Longer than the rule, because `block` names every loss once, each with its own loop.

#[cfg(test)]
mod tests;

use scalefast_expr::{Kernel, math};

use crate::error::CoreError;

/// A loss with its scale in the units of the residual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// r²/2.
    Squared,
    /// r²/2 for |r| ≤ δ, else δ(|r| − δ/2).
    Huber {
        /// Where the loss turns linear.
        delta: f64,
    },
    /// δ²(√(1 + r²/δ²) − 1).
    SoftL1 {
        /// Where the loss turns gradually linear.
        delta: f64,
    },
    /// ½δ² ln(1 + r²/δ²), which is not convex.
    Cauchy {
        /// Where the influence of a residual is largest.
        delta: f64,
    },
    /// w·r²/2 where the law predicts too low (r < 0), r²/2 elsewhere.
    Asymmetric {
        /// Weight of a prediction that is too low.
        weight: f64,
    },
    /// Smoothed check loss: (1 − q)·r for r ≥ h, −q·r for r ≤ −h, a parabola between, so that a share q of the data
    /// lies below the fitted law.
    Pinball {
        /// The quantile q of the data, between 0 and 1.
        quantile: f64,
        /// The half-width h of the parabola.
        width: f64,
    },
}

impl Loss {
    /// Refuses scales that are not positive and finite and quantiles outside (0, 1).
    pub fn validate(self) -> Result<(), CoreError> {
        let positive = |value: f64, code, name: &str| {
            if value > 0.0 && value.is_finite() {
                return Ok(());
            }
            Err(CoreError::settings(
                code,
                format!("{name} must be positive and finite, not {value}"),
            )
            .with_value(value)
            .with_limit(0.0)
            .with_argument("loss"))
        };
        match self {
            Loss::Squared => Ok(()),
            Loss::Huber { delta } | Loss::SoftL1 { delta } | Loss::Cauchy { delta } => {
                positive(delta, "loss-threshold", "the threshold of the loss")
            }
            Loss::Asymmetric { weight } => {
                positive(weight, "loss-weight", "the weight of the asymmetric loss")
            }
            Loss::Pinball { quantile, width } => {
                if !(quantile > 0.0 && quantile < 1.0) {
                    return Err(CoreError::settings(
                        "loss-quantile",
                        format!("the quantile of the pinball loss must lie between 0 and 1, not {quantile}"),
                    )
                    .with_value(quantile)
                    .with_argument("loss"));
                }
                positive(width, "loss-width", "the width of the pinball loss")
            }
        }
    }

    /// ρ(r).
    pub fn rho(self, r: f64) -> f64 {
        self.terms(r).0
    }

    /// ψ(r) = ρ′(r).
    pub fn psi(self, r: f64) -> f64 {
        self.terms(r).1
    }

    /// ψ′(r) = ρ″(r); at a kink the value of the quadratic side.
    pub fn psi_prime(self, r: f64) -> f64 {
        self.terms(r).2
    }

    /// (ρ, ψ, ψ′) at r: the table.
    fn terms(self, r: f64) -> (f64, f64, f64) {
        match self {
            Loss::Squared => squared(r),
            Loss::Huber { delta } => huber(delta, r),
            Loss::SoftL1 { delta } => soft_l1(delta, r),
            Loss::Cauchy { delta } => cauchy(delta, r),
            Loss::Asymmetric { weight } => asymmetric(weight, r),
            Loss::Pinball { quantile, width } => pinball(quantile, width, r),
        }
    }

    /// Fills w·ρ, w·ψ and w·ψ′ of a block of residuals (all slices of one length; `None` weighs every row 1).
    pub fn block(
        self,
        kernel: Kernel,
        r: &[f64],
        w: Option<&[f64]>,
        rho: &mut [f64],
        psi: &mut [f64],
        psi_prime: &mut [f64],
    ) {
        // One closure for each variant, so that the choice is made once a block and the loops vectorise.
        kernel.dispatch(
            #[inline(always)]
            || match self {
                Loss::Squared => fill(squared, r, w, rho, psi, psi_prime),
                Loss::Huber { delta } => fill(
                    #[inline(always)]
                    |r| huber(delta, r),
                    r,
                    w,
                    rho,
                    psi,
                    psi_prime,
                ),
                Loss::SoftL1 { delta } => fill(
                    #[inline(always)]
                    |r| soft_l1(delta, r),
                    r,
                    w,
                    rho,
                    psi,
                    psi_prime,
                ),
                Loss::Cauchy { delta } => fill(
                    #[inline(always)]
                    |r| cauchy(delta, r),
                    r,
                    w,
                    rho,
                    psi,
                    psi_prime,
                ),
                Loss::Asymmetric { weight } => fill(
                    #[inline(always)]
                    |r| asymmetric(weight, r),
                    r,
                    w,
                    rho,
                    psi,
                    psi_prime,
                ),
                Loss::Pinball { quantile, width } => fill(
                    #[inline(always)]
                    |r| pinball(quantile, width, r),
                    r,
                    w,
                    rho,
                    psi,
                    psi_prime,
                ),
            },
        );
    }

    /// The scale that separates small residuals from large ones, where the loss has one.
    pub fn threshold(self) -> Option<f64> {
        match self {
            Loss::Huber { delta } | Loss::SoftL1 { delta } | Loss::Cauchy { delta } => Some(delta),
            Loss::Pinball { width, .. } => Some(width),
            Loss::Squared | Loss::Asymmetric { .. } => None,
        }
    }

    /// The same loss with another threshold; unchanged where it has none.
    pub fn with_threshold(self, threshold: f64) -> Loss {
        match self {
            Loss::Huber { .. } => Loss::Huber { delta: threshold },
            Loss::SoftL1 { .. } => Loss::SoftL1 { delta: threshold },
            Loss::Cauchy { .. } => Loss::Cauchy { delta: threshold },
            Loss::Pinball { quantile, .. } => Loss::Pinball {
                quantile,
                width: threshold,
            },
            Loss::Squared | Loss::Asymmetric { .. } => self,
        }
    }

    /// Whether this is least squares.
    pub fn is_squared(self) -> bool {
        matches!(self, Loss::Squared)
    }

    /// Whether ρ is convex in the residual.
    pub fn is_convex(self) -> bool {
        !matches!(self, Loss::Cauchy { .. })
    }

    /// The loss's name as the public interface spells it, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Squared => "squared",
            Loss::Huber { .. } => "huber",
            Loss::SoftL1 { .. } => "soft-l1",
            Loss::Cauchy { .. } => "cauchy",
            Loss::Asymmetric { .. } => "asymmetric",
            Loss::Pinball { .. } => "pinball",
        }
    }
}

#[inline(always)]
fn fill(
    terms: impl Fn(f64) -> (f64, f64, f64),
    r: &[f64],
    w: Option<&[f64]>,
    rho: &mut [f64],
    psi: &mut [f64],
    psi_prime: &mut [f64],
) {
    let n = r.len();
    let (rho, psi, psi_prime) = (&mut rho[..n], &mut psi[..n], &mut psi_prime[..n]);
    match w {
        None => {
            for i in 0..n {
                (rho[i], psi[i], psi_prime[i]) = terms(r[i]);
            }
        }
        Some(w) => {
            let w = &w[..n];
            for i in 0..n {
                let (value, slope, curvature) = terms(r[i]);
                rho[i] = w[i] * value;
                psi[i] = w[i] * slope;
                psi_prime[i] = w[i] * curvature;
            }
        }
    }
}

#[inline(always)]
fn squared(r: f64) -> (f64, f64, f64) {
    (0.5 * r * r, r, 1.0)
}

#[inline(always)]
fn huber(delta: f64, r: f64) -> (f64, f64, f64) {
    let size = r.abs();
    let inside = size <= delta;
    let rho = if inside {
        0.5 * r * r
    } else {
        delta * (size - 0.5 * delta)
    };
    let psi = if inside { r } else { delta.copysign(r) };
    (rho, psi, if inside { 1.0 } else { 0.0 })
}

#[inline(always)]
fn soft_l1(delta: f64, r: f64) -> (f64, f64, f64) {
    let ratio = r / delta;
    let square = ratio * ratio;
    // Where the square overflows, the root is |r|/δ.
    let root = if square < f64::INFINITY {
        (1.0 + square).sqrt()
    } else {
        ratio.abs()
    };
    // δ²(s − 1) without cancellation: r²/(s + 1).
    let psi = r / root;
    (r / (1.0 + root) * r, psi, 1.0 / (root * root * root))
}

#[inline(always)]
fn cauchy(delta: f64, r: f64) -> (f64, f64, f64) {
    let ratio = r / delta;
    let square = ratio * ratio;
    let whole = 1.0 + square;
    (
        0.5 * delta * delta * math::log1p(square),
        r / whole,
        (2.0 / whole - 1.0) / whole,
    )
}

#[inline(always)]
fn asymmetric(weight: f64, r: f64) -> (f64, f64, f64) {
    let factor = if r < 0.0 { weight } else { 1.0 };
    (factor * (0.5 * r * r), factor * r, factor)
}

#[inline(always)]
fn pinball(quantile: f64, width: f64, r: f64) -> (f64, f64, f64) {
    let tilt = 0.5 - quantile;
    let size = r.abs();
    let inside = size <= width;
    // Half the smoothed |r| plus the tilt: r²/(2h) + h/2 inside, |r| outside.
    let half = if inside {
        0.25 * (r * (r / width) + width)
    } else {
        0.5 * size
    };
    let slope = if inside {
        0.5 * (r / width)
    } else {
        0.5f64.copysign(r)
    };
    (
        half + tilt * r,
        slope + tilt,
        if inside { 0.5 / width } else { 0.0 },
    )
}
