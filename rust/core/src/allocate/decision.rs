//! One size for many possible worlds: what a size gives in each of them, and the size of least expected regret.
//!
//! Stage: after the numeric solver. In: stakes, each a law and a cost with `K` lanes, one a possible world: draws of the
//! parameters, of what the cost reads, and of the compute that there is. Out: each lane's own best split, the data and
//! loss that a given N has in each lane, and the N whose loss, averaged over lanes and stakes, is least.
//!
//! In lane k a size N has the loss L_k(N, D_k(N)), D_k(N) being what the lane's compute pays for, or the upper bound of D
//! where it pays for more. Its regret is the share of the compute that the loss would not have needed. That share has one
//! unit in all laws, so that regrets add where losses do not, and it lies between 0 and 1, so that a draw of the law gone
//! astray counts for no more than any other; regret in nats has neither merit, and is reported beside. Source: Savage,
//! "The theory of statistical decision", 1951.

mod lanes;
#[cfg(test)]
mod tests;
mod worth;

use std::sync::OnceLock;

use scalefast_expr::{System, math};

use super::numeric::Answers;
use super::question::{Aim, Question};
use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::predict::Values;
use lanes::Lanes;
use worth::{STEPS, Steps};

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
    steps: OnceLock<Vec<Steps>>,
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
            steps: OnceLock::new(),
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

    /// The best loss of each lane at every step of its compute.
    fn steps(&self, control: &Control) -> Result<&[Steps], CoreError> {
        if let Some(known) = self.steps.get() {
            return Ok(known);
        }
        let mut steps = vec![[f64::NAN; STEPS]; self.count()];
        for j in 0..STEPS {
            let factor = worth::factor(j);
            let targets: Vec<f64> = self.targets.iter().map(|target| target * factor).collect();
            let found = self.spending(&targets)?.solve(control)?;
            for (steps, loss) in steps.iter_mut().zip(&found.columns[3]) {
                steps[j] = *loss;
            }
        }
        Ok(self.steps.get_or_init(|| steps))
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
        if stakes.is_empty() || stakes.len() != weights.len() || !(total > 0.0) {
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

    /// +∞ where a lane that has an optimum cannot have the size.
    fn at(&self, x: f64) -> Result<f64, CoreError> {
        let mut sum = 0.0;
        for part in &self.parts {
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
        Ok(math::exp(x).max(first))
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
