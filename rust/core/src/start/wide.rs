//! Starts that nothing has chosen: both signs, every order of size, and the plain ones.
//!
//! Beside the screened candidates of [`super::Starts`] a search follows these as they come, so that what they agree on is
//! evidence. In: a model, a data set of `m` rows, a number. Out: `p` free parameters at which the law has a value on every
//! row, the linear ones at their optimum of the screen. Every parameter is drawn in units of what it does to the law: by
//! how much a term varies over the rows, where the thing it is added to lies, so that units, signs and origins do not matter.
//! A start that overflows is repaired by shrinking, not dropped.

use super::context::{Context, Degree, Place};
use super::coordinates::{Coordinates, extent, is_phase, ranged, resolved};
use super::linear::linear_solve;
use super::places::{centred, contexts, order};
use super::{reference, spread, within};
use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::model::{Centred, Free, Model, Residual};
use crate::objective::{Objective, Scratch};
use crate::rng::{Random, Stream};
use scalefast_expr::{NodeId, SymbolId, math};

/// Draws of one start before it is given up; later ones are shrunk towards the plain start.
const ATTEMPTS: u32 = 12;
/// Attempts that are drawn anew; those after them shrink the last.
const FRESH: u32 = 6;
/// Axes of one parameter in the random sequence.
const AXES: u64 = 4;
/// Starts at zeros and ones, which come first.
const PLAIN: u32 = 3;
/// How much a term in the argument of a function varies over the rows.
const VARIATION: (f64, f64) = (0.1, 20.0);
/// Sizes of pure exponents.
const NUMBERS: (f64, f64) = (0.03, 6.0);
/// A term against what it is added to.
const RATIO: f64 = 30.0;
/// Frequencies that are tried for one start of a law that oscillates, at least.
const FREQUENCIES: usize = 64;

/// The sampler of independent starts of one model and data set.
pub(crate) struct Wide<'d> {
    /// The model with coefficients in place of their logarithms.
    model: Model,
    /// Which of its parameters are coefficients whose logarithms the law has.
    logarithms: Vec<bool>,
    screen: Objective<'d>,
    symbols: Vec<SymbolId>,
    /// How parameters are drawn, in the order in which they are; linear ones are not.
    draws: Vec<(usize, Context)>,
    /// Values of all symbols at the reference rows.
    rows: Vec<Vec<f64>>,
    /// The size of the response.
    response: f64,
    /// The axis of each parameter; all levels of one parameter share theirs.
    axes: Vec<u64>,
    phase: bool,
    /// The law in sizes of terms, and its screen, where that turns its valleys straight.
    centred: Option<(Centred, Objective<'d>)>,
}

impl<'d> Wide<'d> {
    /// Reads the contexts of the nonlinear parameters off the law.
    ///
    /// # Errors
    /// Those of the compiler.
    pub(crate) fn new(
        model: &Model,
        data: &'d Dataset<'_>,
        residual: Residual,
    ) -> Result<Self, CoreError> {
        let centred = match centred(model, data) {
            Some(centred) => {
                let screen = Objective::new(&centred.model, data, residual.screened())?;
                Some((centred, screen))
            }
            None => None,
        };
        let (mut model, logarithms) = model
            .with_coefficients()
            .unwrap_or_else(|| (model.clone(), vec![false; model.p()]));
        let (symbols, contexts) = contexts(&mut model);
        let draws = order(&model, &symbols, contexts);
        let (rows, _, response) = reference(&model.graph, &model, data);
        let mut names: Vec<&str> = Vec::new();
        let axes = model
            .free
            .iter()
            .map(|free| {
                let name = free.level.as_ref().map_or(&free.name, |level| &level.base);
                let known = names.iter().position(|known| known == name);
                known.unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                }) as u64
            })
            .collect();
        let screen = Objective::new(&model, data, residual.screened())?;
        let phase = draws.iter().any(|(_, c)| is_phase(c));
        Ok(Self {
            logarithms,
            screen,
            symbols,
            draws,
            rows,
            response,
            axes,
            phase,
            centred,
            model,
        })
    }

    /// The law in sizes of terms and its screen, where it has any.
    pub(crate) fn centred(&self) -> Option<(&Centred, &Objective<'d>)> {
        self.centred
            .as_ref()
            .map(|(centred, screen)| (centred, screen))
    }

    /// Scratch memory of [`Wide::start`].
    pub(crate) fn scratch(&self) -> Scratch {
        self.screen.scratch()
    }

    /// The start with number `index` (`p` values). `None` where the law has no value at any that was tried.
    pub(crate) fn start(&self, scratch: &mut Scratch, index: u32) -> Option<Vec<f64>> {
        let mut shrink = 1.0;
        for attempt in 0..ATTEMPTS {
            let drawn = if index < PLAIN && attempt == 0 {
                self.plain(index)
            } else {
                if attempt >= FRESH {
                    shrink *= 0.25;
                }
                self.draw(index, attempt.min(FRESH - 1), shrink)
            };
            let solved = if self.phase {
                self.tuned(scratch, drawn, index)
            } else {
                self.settled(scratch, drawn)
            };
            if let Some((_, theta)) = solved {
                return Some(self.external(theta));
            }
        }
        None
    }

    /// The linear parameters at their optimum of the screen, and the screen's cost there.
    fn settled(&self, scratch: &mut Scratch, theta: Vec<f64>) -> Option<(f64, Vec<f64>)> {
        if theta.iter().any(|t| !t.is_finite()) {
            return None;
        }
        linear_solve(&self.model, &self.screen, scratch, theta)
    }

    /// The best of many frequencies, each parameter that stands in a phase in turn.
    fn tuned(&self, scratch: &mut Scratch, drawn: Vec<f64>, index: u32) -> Option<(f64, Vec<f64>)> {
        let random = Random::new(1, Stream::Starts);
        let mut best: Option<(f64, Vec<f64>)> = None;
        let mut here = drawn;
        for (j, context) in self.draws.iter().filter(|(_, c)| is_phase(c)) {
            let Context::Term { term, degree, .. } = context else {
                continue;
            };
            let values = self.along(*term, *j, &here);
            let most = resolved(&values);
            let degree = self.degree(*term, *j, *degree, &here);
            let count = FREQUENCIES.max(4 * values.len());
            let jitter = random.uniform(index, *j as u64);
            for k in 0..count {
                let size = most * (k as f64 + jitter) / count as f64;
                let mut theta = here.clone();
                theta[*j] = within(self.model.free[*j].bounds, math::pow(size, 1.0 / degree));
                if let Some(found) = self.settled(scratch, theta)
                    && best.as_ref().is_none_or(|b| found.0 < b.0)
                {
                    best = Some(found);
                }
            }
            if let Some((_, theta)) = &best {
                here.clone_from(theta);
            }
        }
        best
    }

    /// The law's own parameters: logarithms of coefficients.
    fn external(&self, mut theta: Vec<f64>) -> Vec<f64> {
        for (t, &logarithm) in theta.iter_mut().zip(&self.logarithms) {
            if logarithm {
                *t = math::ln(t.max(f64::MIN_POSITIVE));
            }
        }
        theta
    }

    /// Zeros, ones, and minus ones, in the units of the terms.
    fn plain(&self, index: u32) -> Vec<f64> {
        self.place_all(|_, context| match index {
            0 => Coordinates::still(context),
            1 => Coordinates::unit(1.0),
            _ => Coordinates::unit(-1.0),
        })
    }

    fn draw(&self, index: u32, attempt: u32, shrink: f64) -> Vec<f64> {
        let random = Random::new(u64::from(attempt) + 2, Stream::Starts);
        let mut signed = 0;
        self.place_all(|j, _| {
            let axis = AXES * self.axes[j];
            let coin = random.uniform(index, axis + 2);
            // Consecutive starts go through all combinations of the first three signs.
            let negative = if signed < 3 && attempt == 0 {
                (index >> signed) & 1 == 1
            } else {
                coin < 0.5
            };
            signed += 1;
            Coordinates {
                size: random.uniform(index, axis),
                place: random.uniform(index, axis + 1),
                mode: random.uniform(index, axis + 3),
                sign: if negative { -1.0 } else { 1.0 },
                shrink,
                fixed: None,
            }
        })
    }

    fn place_all(&self, mut coordinates: impl FnMut(usize, &Context) -> Coordinates) -> Vec<f64> {
        let mut theta = vec![0.0; self.model.p()];
        for (t, (free, &linear)) in theta
            .iter_mut()
            .zip(self.model.free.iter().zip(&self.model.linear))
        {
            // Nodes are read with what is not drawn yet at one.
            *t = if linear {
                0.0
            } else {
                within(free.bounds, 1.0)
            };
        }
        for (j, context) in &self.draws {
            let at = coordinates(*j, context);
            let free = &self.model.free[*j];
            let value = match free.range {
                Some((low, high)) => ranged(&at, low, high),
                None => self.value(*j, context, &at, &theta),
            };
            theta[*j] = within(free.bounds, value);
        }
        theta
    }

    fn value(&self, j: usize, context: &Context, at: &Coordinates, theta: &[f64]) -> f64 {
        match context {
            Context::Number => {
                at.fixed
                    .map_or(at.sign * spread(at.size, NUMBERS.0, NUMBERS.1), |f| f)
                    * at.shrink
            }
            Context::Shift {
                sibling,
                sign,
                place,
            } => -sign * self.shift(*sibling, *place, at, theta),
            Context::Term {
                term,
                degree,
                place,
                sibling,
            } => self.factor(j, (*term, *degree, *place, *sibling), at, theta),
        }
    }

    /// Where a sum of something that varies and a number should be zero, or change its course.
    fn shift(&self, sibling: NodeId, place: Place, at: &Coordinates, theta: &[f64]) -> f64 {
        let values = self.over_rows(sibling, theta);
        let (low, high) = extent(&values);
        let range = if high > low {
            high - low
        } else {
            high.abs().max(1.0)
        };
        if let Some(fixed) = at.fixed {
            return if place == Place::Base {
                low - range
            } else {
                0.5 * (low + high) + 0.25 * fixed * range
            };
        }
        let beyond = range * math::pow(10.0, 4.5 * at.size - 3.0);
        match place {
            Place::Base if at.mode < 0.75 => {
                if at.sign > 0.0 {
                    low - beyond
                } else {
                    high + beyond
                }
            }
            Place::Base => at.sign * low.abs().max(high.abs()) * spread(at.size, 0.01, 100.0),
            _ if at.mode < 0.8 => low + (1.2 * at.place - 0.1) * range,
            _ if at.sign > 0.0 => low - beyond,
            _ => high + beyond,
        }
    }

    /// A parameter that multiplies something that varies.
    fn factor(
        &self,
        j: usize,
        (term, degree, place, sibling): (NodeId, Degree, Place, Option<NodeId>),
        at: &Coordinates,
        theta: &[f64],
    ) -> f64 {
        let values = self.along(term, j, theta);
        let degree = self.degree(term, j, degree, theta);
        let (low, high) = extent(&values);
        let largest = low.abs().max(high.abs());
        let pick = |values: &[f64]| {
            let row = (at.place * values.len() as f64) as usize;
            values[row.min(values.len() - 1)].abs()
        };
        let size = at.fixed.map_or(at.size, |_| 0.5);
        let (target, unit) = match place {
            Place::Argument => {
                let variation = if high > low && at.mode < 0.7 {
                    high - low
                } else {
                    largest
                };
                let target = at
                    .fixed
                    .map_or(spread(size, VARIATION.0, VARIATION.1), f64::abs);
                (target, variation)
            }
            Place::Phase => (resolved(&values) * at.size, 1.0),
            Place::Exponent => (spread(size, NUMBERS.0, NUMBERS.1), pick(&values)),
            Place::Value => (self.response * spread(size, 0.1, 10.0), pick(&values)),
            Place::Base => match sibling.map(|s| self.over_rows(s, theta)) {
                Some(others) if pick(&others) > 0.0 && pick(&others).is_finite() => (
                    pick(&others) * spread(size, 1.0 / RATIO, RATIO),
                    pick(&values),
                ),
                _ => (spread(size, 0.1, 10.0), pick(&values)),
            },
        };
        let still = at.fixed == Some(0.0) && degree > 0.0;
        if still && place == Place::Argument {
            return 0.0;
        }
        let sign = at
            .fixed
            .map_or(at.sign, |f| if f < 0.0 { -1.0 } else { 1.0 });
        sign * math::pow(at.shrink * target / unit, 1.0 / degree)
    }

    /// A node at every reference row.
    fn over_rows(&self, node: NodeId, theta: &[f64]) -> Vec<f64> {
        self.rows
            .iter()
            .map(|row| {
                let mut values = row.clone();
                for (&symbol, &t) in self.symbols.iter().zip(theta) {
                    values[symbol as usize] = t;
                }
                self.model.graph.evaluate(node, &values)
            })
            .collect()
    }

    /// The power of parameter `j` that a term is proportional to: read off its values at one and at two where other
    /// parameters decide it.
    fn degree(&self, term: NodeId, j: usize, degree: Degree, theta: &[f64]) -> f64 {
        match degree {
            Degree::Fixed(degree) => degree,
            Degree::OfParameters => {
                let (one, two) = (self.at(term, j, 1.0, theta), self.at(term, j, 2.0, theta));
                let ratio = |(one, two): (f64, f64)| math::log2((two / one).abs());
                let found = one.into_iter().zip(two).map(ratio);
                found
                    .rev()
                    .find(|d| d.is_finite() && *d != 0.0)
                    .unwrap_or(1.0)
            }
        }
    }

    /// A node at every reference row with parameter `j` at one.
    fn along(&self, node: NodeId, j: usize, theta: &[f64]) -> Vec<f64> {
        self.at(node, j, 1.0, theta)
    }

    /// A node at every reference row with parameter `j` at `value`, and linear parameters at one.
    fn at(&self, node: NodeId, j: usize, value: f64, theta: &[f64]) -> Vec<f64> {
        let mut theta = theta.to_vec();
        theta[j] = value;
        for (t, &linear) in theta.iter_mut().zip(&self.model.linear) {
            if linear {
                *t = 1.0;
            }
        }
        self.over_rows(node, &theta)
    }
}

/// Whether a law says for every nonlinear parameter where to look.
pub(crate) fn told(model: &Model) -> bool {
    let told = |(free, linear): (&Free, &bool)| *linear || free.range.is_some();
    model.free.iter().zip(&model.linear).all(told)
}
