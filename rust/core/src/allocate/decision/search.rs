//! The size of least expected regret over several stakes, and the sizes that are nearly as good.
//!
//! In: stakes and their weights. Out: N, or a range of N. The mean wasted share is a sum of functions that each fall before
//! their lane's own optimum and rise after it, so its least value lies among the optima: those of evenly spaced ranks are
//! tried, then golden section runs between the neighbours of the best one.

use scalefast_expr::math;

use super::lanes::Lanes;
use super::stake::Stake;
use super::worth::Steps;
use crate::error::CoreError;
use crate::executor::{Control, with_pool};

/// Optima of a stake that are tried before the search between them: evenly spaced quantiles.
const GRID: usize = 40;
/// 1/φ.
const GOLDEN: f64 = 0.618_033_988_749_894_9;
/// The search ends at this width in ln N: the mean is flat to rounding within about 1e-7 of its minimum.
const WIDTH: f64 = 1e-8;
/// First step, in ln N, and number of doublings of the search for the ends of a range.
const FIRST_STEP: f64 = 0.05;
const DOUBLINGS: usize = 10;
/// Halvings that bring an end of a range to full precision.
const HALVINGS: usize = 60;

/// The wasted share of the compute as a function of ln N: mean over the lanes of each stake that have an optimum, weighted
/// mean over the stakes.
struct Mean<'a> {
    parts: Vec<Part<'a>>,
    control: &'a Control,
}

struct Part<'a> {
    lanes: Lanes<'a>,
    steps: &'a [Steps],
    weight: f64,
}

impl<'a> Mean<'a> {
    fn new(stakes: &[&'a Stake], weights: &[f64], control: &'a Control) -> Result<Self, CoreError> {
        let total: f64 = weights.iter().sum();
        if stakes.is_empty() || stakes.len() != weights.len() || total.is_nan() || total <= 0.0 {
            return Err(CoreError::settings(
                "bad-weights",
                "one weight a stake is needed, and one of them above zero",
            ));
        }
        let counted = stakes
            .iter()
            .zip(weights)
            .filter(|(_, weight)| **weight > 0.0);
        let part = |(stake, weight): (&&'a Stake, &f64)| {
            Ok(Part {
                lanes: stake.spending(&stake.targets)?,
                steps: stake.steps(control)?,
                weight: weight / total,
            })
        };
        Ok(Mean {
            parts: counted.map(part).collect::<Result<_, CoreError>>()?,
            control,
        })
    }

    /// +∞ where a lane that has an optimum cannot have the size, or its bounds forbid it.
    fn at(&self, x: f64) -> Result<f64, CoreError> {
        let mut sum = 0.0;
        for part in &self.parts {
            if !part.lanes.allows(math::exp(x)) {
                return Ok(f64::INFINITY);
            }
            let mean = part
                .lanes
                .mean_waste(math::exp(x), part.steps, self.control)?;
            sum += part.weight * mean;
        }
        Ok(if sum.is_nan() { f64::INFINITY } else { sum })
    }
}

/// The size of least expected regret over the lanes of `stakes`, each lane of a stake counting alike and the stakes as
/// `weights` say; NaN where no lane has an optimum, or no size suits every lane.
///
/// # Errors
/// `bad-weights`; those of `Stake::best`.
pub fn least_regret(
    stakes: &[&Stake],
    weights: &[f64],
    threads: Option<usize>,
    control: &Control,
) -> Result<f64, CoreError> {
    let mut tried: Vec<f64> = Vec::new();
    for (stake, _) in stakes.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
        let mut optima = stake.best(threads, control)?.columns[0].clone();
        optima.retain(|first| !first.is_nan());
        optima.sort_unstable_by(f64::total_cmp);
        if let Some(last) = optima.len().checked_sub(1) {
            tried.extend((0..GRID).map(|g| optima[g * last / (GRID - 1)]));
        }
    }
    tried.sort_unstable_by(f64::total_cmp);
    tried.dedup();
    let [first, .., _] = tried[..] else {
        return Ok(tried.first().copied().unwrap_or(f64::NAN));
    };
    with_pool(threads, || {
        let mean = Mean::new(stakes, weights, control)?;
        let points: Vec<f64> = tried.iter().map(|&first| math::ln(first)).collect();
        let (mut place, mut least) = (0, f64::INFINITY);
        for (g, &x) in points.iter().enumerate() {
            let value = mean.at(x)?;
            if value < least {
                (place, least) = (g, value);
            }
        }
        if least.is_infinite() {
            return Ok(f64::NAN);
        }
        let bracket = [place.saturating_sub(1), (place + 1).min(points.len() - 1)];
        let x = golden(&mean, bracket.map(|g| points[g]))?;
        // The section never reaches the ends of its bracket, and at a bound the best size is one.
        match mean.at(x)? < least {
            true => Ok(math::exp(x).max(first)),
            false => Ok(tried[place]),
        }
    })
}

/// The least value between the ends, by golden section.
fn golden(mean: &Mean<'_>, [mut low, mut high]: [f64; 2]) -> Result<f64, CoreError> {
    let split = |low: f64, high: f64| [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
    let mut inner = split(low, high);
    let mut values = [mean.at(inner[0])?, mean.at(inner[1])?];
    while high - low > WIDTH && inner[0] < inner[1] {
        if values[0] <= values[1] {
            high = inner[1];
            inner = [split(low, high)[0], inner[0]];
            values = [mean.at(inner[0])?, values[0]];
        } else {
            low = inner[0];
            inner = [inner[1], split(low, high)[1]];
            values = [values[1], mean.at(inner[1])?];
        }
    }
    Ok(0.5 * (low + high))
}

/// The sizes around `first` that waste no more than `share` of the compute beyond what `first` does: the lowest and the
/// highest; NaN at an end that was not found within a factor of 10²⁰ and within the bounds.
///
/// # Errors
/// `bad-weights`; those of `Stake::best`.
pub fn indifference(
    stakes: &[&Stake],
    weights: &[f64],
    first: f64,
    share: f64,
    threads: Option<usize>,
    control: &Control,
) -> Result<[f64; 2], CoreError> {
    with_pool(threads, || {
        let centre = math::ln(first);
        let mean = Mean::new(stakes, weights, control)?;
        let limit = mean.at(centre)? + share;
        let mut ends = [f64::NAN; 2];
        for (end, sign) in ends.iter_mut().zip([-1.0, 1.0]) {
            *end = edge(&mean, centre, sign, limit)?;
        }
        Ok(ends)
    })
}

/// Where the mean crosses `limit` on one side of `centre`.
fn edge(mean: &Mean<'_>, centre: f64, sign: f64, limit: f64) -> Result<f64, CoreError> {
    let (mut inside, mut step) = (centre, FIRST_STEP);
    let mut outside = None;
    for _ in 0..DOUBLINGS {
        let x = centre + sign * step;
        if mean.at(x)? > limit {
            outside = Some(x);
            break;
        }
        (inside, step) = (x, 2.0 * step);
    }
    let Some(mut outside) = outside else {
        return Ok(f64::NAN);
    };
    for _ in 0..HALVINGS {
        let middle = 0.5 * (inside + outside);
        if middle == inside || middle == outside {
            break;
        }
        if mean.at(middle)? > limit {
            outside = middle;
        } else {
            inside = middle;
        }
    }
    Ok(math::exp(inside))
}
