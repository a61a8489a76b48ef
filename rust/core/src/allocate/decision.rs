//! One size for many possible worlds: what a size gives in each of them, and the size of least expected regret.
//!
//! Stage: after the numeric solver. In: stakes, each a law and a cost with `K` lanes, one a possible world: draws of the
//! parameters, of what the cost reads, and of the compute that there is. Out: each lane's own best split, the data and
//! loss that a given N has in each lane, and the N whose loss, averaged over lanes and stakes, is least.
//!
//! The regret of N in lane k is L_k(N, D_k(N)) − min L_k, D_k(N) being what the lane's compute pays for, or the upper
//! bound of D where it pays for more. The minimum does not depend on N, so the N of least expected regret is the N of
//! least expected loss; as each lane's loss falls before its own optimum and rises after it, that N lies between the
//! lowest and the highest of the lanes' optima. Source: Savage, "The theory of statistical decision", 1951.

mod lanes;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use scalefast_expr::{System, math};

use super::numeric::Answers;
use super::question::{Aim, Question};
use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::predict::Values;
use lanes::Lanes;

/// Points of the grid between the lowest and the highest optimum.
const GRID: usize = 48;
/// 1/φ.
const GOLDEN: f64 = 0.618_033_988_749_894_9;
/// The search ends at this width in ln N: the mean loss is flat to rounding within about 1e-7 of its minimum.
const WIDTH: f64 = 1e-9;
/// First step, in ln N, and number of doublings of the search for the ends of a range.
const FIRST_STEP: f64 = 0.05;
const DOUBLINGS: usize = 10;
/// Halvings that bring an end of a range to full precision.
const HALVINGS: usize = 60;

/// The values of one symbol.
#[derive(Clone, Debug)]
pub enum Column {
    /// The same in every lane.
    Number(f64),
    /// One value a lane.
    Lanes(Vec<f64>),
}

/// A law, a cost, and the worlds that are possible under them.
#[derive(Debug)]
pub struct Stake {
    /// The least loss at a cost.
    spend: Question,
    /// The least cost of a loss.
    reach: Question,
    /// Values of the parameters of each question, in their order.
    spend_values: Vec<Column>,
    reach_values: Vec<Column>,
    targets: Vec<f64>,
    best: OnceLock<Answers>,
}

/// What a size gives in each lane; NaN where the lane cannot have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// D: what the lane's compute pays for, at most its upper bound.
    pub second: Vec<f64>,
    /// What is spent of the lane's compute.
    pub cost: Vec<f64>,
    /// The law's value.
    pub loss: Vec<f64>,
}

impl Stake {
    /// A stake of one lane a target. `spending`, `free` and `bounds` are those of [`Question::new`], two variables being
    /// free; `values` gives the values of a symbol.
    ///
    /// # Errors
    /// Those of `Question::new`; `unbound-symbol`; `column-length`; `bad-target`.
    pub fn new(
        law: &System,
        output: &str,
        spending: &System,
        free: [&str; 2],
        bounds: [[Option<f64>; 2]; 2],
        values: impl Fn(&str) -> Option<Column>,
        targets: Vec<f64>,
    ) -> Result<Self, CoreError> {
        if let Some(&target) = targets.iter().find(|t| !(**t > 0.0 && t.is_finite())) {
            let message = format!("a target must be positive and finite, not {target}");
            return Err(CoreError::settings("bad-target", message).with_value(target));
        }
        let ask = |aim| Question::new(law, output, spending, aim, &free, &bounds);
        let (spend, reach) = (ask(Aim::Budget)?, ask(Aim::Loss)?);
        let chosen = |question: &Question| -> Result<Vec<Column>, CoreError> {
            let mut found = Vec::new();
            for name in question.parameters() {
                let column = values(name).ok_or_else(|| {
                    let message = format!("no value for `{name}` of the law or its cost");
                    CoreError::law("unbound-symbol", message).with_column(name.as_str())
                })?;
                match &column {
                    Column::Lanes(lanes) if lanes.len() != targets.len() => {
                        let message = format!(
                            "`{name}` has {} lanes, there are {}",
                            lanes.len(),
                            targets.len()
                        );
                        return Err(CoreError::data("column-length", message));
                    }
                    _ => found.push(column),
                }
            }
            Ok(found)
        };
        let (spend_values, reach_values) = (chosen(&spend)?, chosen(&reach)?);
        Ok(Stake {
            spend,
            reach,
            spend_values,
            reach_values,
            targets,
            best: OnceLock::new(),
        })
    }

    /// The number of lanes.
    pub fn count(&self) -> usize {
        self.targets.len()
    }

    /// The best split of each lane's compute: first variable, second, cost, loss. Where the bounds leave compute over,
    /// their upper corner.
    ///
    /// # Errors
    /// `interrupted` and `timeout`; errors of compilation.
    pub fn best(&self, threads: Option<usize>, control: &Control) -> Result<&Answers, CoreError> {
        if let Some(known) = self.best.get() {
            return Ok(known);
        }
        let found = with_pool(threads, || self.spending(&self.targets)?.solve(control))?;
        Ok(self.best.get_or_init(|| found))
    }

    /// What the size `first` gives in each lane.
    ///
    /// # Errors
    /// As `best`.
    pub fn at(
        &self,
        first: f64,
        threads: Option<usize>,
        control: &Control,
    ) -> Result<Outcome, CoreError> {
        with_pool(threads, || {
            self.spending(&self.targets)?.outcome(first, control)
        })
    }

    /// The cheapest way to each lane's loss: first variable, second, cost, loss.
    ///
    /// # Errors
    /// As `best`; `column-length`.
    pub fn cheapest(
        &self,
        losses: &[f64],
        threads: Option<usize>,
        control: &Control,
    ) -> Result<Answers, CoreError> {
        if losses.len() != self.targets.len() {
            return Err(CoreError::data(
                "column-length",
                "one loss a lane is needed",
            ));
        }
        with_pool(threads, || {
            Lanes::new(&self.reach, &borrowed(&self.reach_values), losses)?.solve(control)
        })
    }

    fn spending<'a>(&'a self, targets: &'a [f64]) -> Result<Lanes<'a>, CoreError> {
        Lanes::new(&self.spend, &borrowed(&self.spend_values), targets)
    }
}

fn borrowed(columns: &[Column]) -> Vec<Values<'_>> {
    columns
        .iter()
        .map(|column| match column {
            Column::Number(number) => Values::Number(*number),
            Column::Lanes(lanes) => Values::Column(lanes),
        })
        .collect()
}

/// The mean loss of a size over the lanes of several stakes that have an optimum, as a function of ln N.
struct Mean<'a> {
    lanes: Vec<Lanes<'a>>,
    counted: Vec<Vec<bool>>,
    weights: &'a [f64],
    control: &'a Control,
}

impl<'a> Mean<'a> {
    fn new(
        stakes: &[&'a Stake],
        targets: &'a [Vec<f64>],
        weights: &'a [f64],
        control: &'a Control,
    ) -> Result<Self, CoreError> {
        if stakes.is_empty() || stakes.len() != weights.len() {
            return Err(CoreError::settings(
                "bad-weights",
                "one weight a stake is needed",
            ));
        }
        let lanes = stakes
            .iter()
            .zip(targets)
            .map(|(stake, targets)| stake.spending(targets))
            .collect::<Result<_, CoreError>>()?;
        let mut counted = Vec::new();
        for stake in stakes {
            let best = stake.best(None, control)?;
            counted.push(
                best.status
                    .iter()
                    .map(|status| status.is_solved())
                    .collect(),
            );
        }
        Ok(Mean {
            lanes,
            counted,
            weights,
            control,
        })
    }

    /// +∞ where a counted lane cannot have the size.
    fn at(&self, x: f64) -> Result<f64, CoreError> {
        let mut sum = 0.0;
        for ((lanes, counted), weight) in self.lanes.iter().zip(&self.counted).zip(self.weights) {
            if *weight > 0.0 {
                sum += weight * lanes.mean_loss(math::exp(x), counted, self.control)?;
            }
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
    let mut ends = [f64::INFINITY, f64::NEG_INFINITY];
    for (stake, _) in stakes.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
        for &first in stake.best(threads, control)?.columns[0].iter() {
            if !first.is_nan() {
                ends = [ends[0].min(first), ends[1].max(first)];
            }
        }
    }
    if ends[0] >= ends[1] {
        return Ok(ends[0]);
    }
    if ends[0].is_infinite() {
        return Ok(f64::NAN);
    }
    with_pool(threads, || {
        let targets: Vec<Vec<f64>> = stakes.iter().map(|s| s.targets.clone()).collect();
        let mean = Mean::new(stakes, &targets, weights, control)?;
        let [low, high] = ends.map(math::ln);
        let point = |g: usize| low + (high - low) * (g as f64 / (GRID - 1) as f64);
        let (mut place, mut least) = (0, f64::INFINITY);
        for g in 0..GRID {
            let value = mean.at(point(g))?;
            if value < least {
                (place, least) = (g, value);
            }
        }
        if least.is_infinite() {
            return Ok(f64::NAN);
        }
        let bracket = [
            point(place.saturating_sub(1)),
            point((place + 1).min(GRID - 1)),
        ];
        Ok(math::exp(golden(&mean, bracket)?))
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

/// The sizes around `first` whose mean loss is no higher than that of `first` with `share` less compute in every lane:
/// the lowest and the highest; NaN at an end that was not found within a factor of 10²⁰ and within the bounds.
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
    for stake in stakes {
        stake.best(threads, control)?;
    }
    with_pool(threads, || {
        let scaled = |factor: f64| -> Vec<Vec<f64>> {
            let of = |stake: &&Stake| stake.targets.iter().map(|t| t * factor).collect();
            stakes.iter().map(of).collect()
        };
        let (less, all) = (scaled(1.0 - share), scaled(1.0));
        let centre = math::ln(first);
        let limit = Mean::new(stakes, &less, weights, control)?.at(centre)?;
        let mean = Mean::new(stakes, &all, weights, control)?;
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
