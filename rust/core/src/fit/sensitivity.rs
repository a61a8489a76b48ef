//! Whether an estimate is a point or on its way to infinity: what the data say about its least determined direction.

use super::certify::jacobian_factors;
use crate::linalg::{Qr, scaled_condition};
use crate::loss::Loss;
use crate::multistart::Search;
use crate::objective::{Order, Scratch};

/// Condition beyond which parameters whose errors exceed their size are on their way to infinity.
const RUNNING: f64 = 1e6;
/// Errors as multiples of the size of a parameter at which it is so at any condition above [`ENTANGLED`].
const BEYOND_SIZE: f64 = 1e3;
/// Condition above which a large error is not a matter of chance.
pub(super) const ENTANGLED: f64 = 1e4;
/// Condition at a start below which the law itself determines its parameters.
pub(super) const SOUND: f64 = 1e10;
/// A parameter whose effect is below this share of the size of the data has none.
const NO_EFFECT: f64 = 1e-12;

/// How far the data let the parameters move along the direction that they determine least.
pub(super) struct Sensitivity {
    /// The largest move of a parameter as a multiple of its size, for residuals of one.
    most: f64,
    /// Whether some parameter has no effect on any row.
    pub(super) dead: bool,
}

impl Sensitivity {
    /// From the normal matrix (`p × p`), the factors of the weighted Jacobian's columns `open` where they were needed, and
    /// the size of the data: the root of the weighted sum of squares of what residuals are measured against.
    pub(super) fn of(
        normal: &[f64],
        factors: Option<&Qr>,
        theta: &[f64],
        open: &[usize],
        size: f64,
    ) -> Self {
        let (p, n) = (theta.len(), open.len());
        let effect = |j: usize| normal[j * p + j].sqrt() * theta[j].abs();
        let dead = open
            .iter()
            .any(|&j| theta[j] != 0.0 && effect(j) <= NO_EFFECT * size);
        let gram = factors.and_then(|f| f.inverse_gram(f.rounding()));
        let moves = |gram: Vec<f64>| {
            let moves = open
                .iter()
                .enumerate()
                .map(|(a, &j)| gram[a * n + a].sqrt() / theta[j].abs());
            moves.filter(|x| x.is_finite()).fold(0.0, f64::max)
        };
        Self {
            most: gram.map_or(0.0, moves),
            dead,
        }
    }

    /// Whether noise of this size leaves a parameter without any, and the condition shows that this is no chance.
    pub(super) fn runs_away(&self, noise: f64, condition: f64) -> bool {
        let most = self.most * noise;
        condition > RUNNING && most > 1.0 || condition > ENTANGLED && most > BEYOND_SIZE
    }
}

/// The condition of the Jacobian at a start.
pub(super) fn start_condition(
    search: &Search<'_, '_>,
    scratch: &mut Scratch,
    start: &[f64],
) -> f64 {
    let open: Vec<usize> = (0..start.len()).collect();
    if search.keeps_jacobian() {
        return jacobian_factors(search, scratch, start, &open)
            .map_or(f64::INFINITY, |factors| factors.condition());
    }
    let found = search
        .objective
        .evaluate(scratch, start, Loss::Squared, Order::GaussNewton);
    scaled_condition(&found.curvature, start.len(), &open)
}
