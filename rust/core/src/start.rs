//! Where a global fit begins: candidates for the nonlinear parameters, read off the formula and the data.
//!
//! A parameter that multiplies something that varies over the rows (`A` in `A/N**alpha`, `d` in `(x/d)**k`) is drawn
//! through the *value of that term*, so that no scale has to be assumed; one that is added to something that varies is
//! drawn from the range of what it is added to; all others are taken for exponents. The draws follow a low-discrepancy
//! sequence over as many dimensions as there are nonlinear parameters, since three or four exponents cannot be searched on
//! a product grid. Linear parameters are left to the linear solve of the screen.
//! Longer than the rule, because a candidate draws the exponents first and then, from the same values, the terms they
//! stand in.

mod context;
mod coordinates;
mod linear;
mod places;
mod wide;

use crate::dataset::Dataset;
use crate::model::{Draw, Kinds, Model};
use crate::rng::{Random, Sobol, Stream};
use scalefast_expr::{Graph, NodeId, SymbolId, math};

pub(crate) use linear::linear_solve;
pub(crate) use wide::{Wide, told};

/// Exponents of published laws lie between 0.03 and 3 in size (catalogue of laws; 1/f of broken laws included).
pub(crate) const EXPONENTS: (f64, f64) = (0.03, 3.0);
/// Share of the draws that look among negative exponents.
pub(crate) const NEGATIVE_SHARE: f64 = 0.12;
/// Terms of one sum differ by less than this factor at the geometric-mean row.
const TERM_RATIO: f64 = 30.0;
/// Rows of the reference set, spread over the data by rank.
const REFERENCE_ROWS: usize = 33;
/// Rows that are ranked for it; a sort of millions would cost as much as the fit.
const RANKED_ROWS: usize = 4_096;
/// Axes of the low-discrepancy sequence; further ones are random.
const SOBOL_AXES: usize = 16;
/// Random axes of the levels, beyond all others.
const LEVEL_AXES: u64 = 1 << 32;
/// How far apart levels are drawn: exponents by a factor of four.
const LEVEL_SPREAD: f64 = 0.3;

/// The sampler of candidates of one model and data set.
pub struct Starts<'m> {
    graph: &'m Graph,
    value: NodeId,
    draws: Vec<Option<Draw>>,
    symbols: &'m [SymbolId],
    bounds: Vec<Option<(f64, f64)>>,
    linear: Vec<SymbolId>,
    /// Values of all symbols at each reference row, parameters left at one.
    rows: Vec<Vec<f64>>,
    /// The row of geometric means.
    centre: Vec<f64>,
    response: f64,
    /// The axis of each drawn parameter; all levels of one parameter share theirs.
    axes: Vec<Option<usize>>,
    /// Which parameters belong to a level.
    levels: Vec<bool>,
    dimension: usize,
    calibrate: bool,
    sequence: Sobol,
}

impl<'m> Starts<'m> {
    /// Reads the roles of the nonlinear parameters off the law.
    pub fn new(model: &'m Model, data: &Dataset<'_>) -> Self {
        let Kinds { graph, symbols, .. } = model.kinds();
        let draws = roles(model);
        let (axes, dimension) = axes(model, &draws);
        let linear: Vec<SymbolId> = symbols
            .iter()
            .zip(&model.linear)
            .filter(|(_, l)| **l)
            .map(|(&s, _)| s)
            .collect();
        let calibrate = draws
            .iter()
            .flatten()
            .filter(|d| matches!(d, Draw::Factor { alone: false, .. }))
            .count()
            > 0;
        let (rows, centre, response) = reference(graph, model, data);
        let bounds = model.free.iter().map(|f| f.bounds).collect();
        Self {
            graph,
            value: model.value,
            draws,
            symbols,
            bounds,
            linear,
            rows,
            centre,
            response,
            axes,
            levels: model.free.iter().map(|f| f.level.is_some()).collect(),
            dimension,
            calibrate,
            sequence: Sobol::new((2 * dimension + 1).min(SOBOL_AXES)),
        }
    }

    /// Number of nonlinear parameters, all levels of one counted once.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Which parameters multiply a term that varies: on a logarithmic scale they are close to linear in the exponents.
    pub fn factors(model: &Model) -> Vec<bool> {
        let draws = model.kinds().draws.iter();
        draws
            .map(|kind| matches!(kind, Draw::Factor { .. }))
            .collect()
    }

    /// The candidate with number `index` (`p` values; linear parameters are zero). `None` where the law gives no value.
    pub fn candidate(&self, index: u32) -> Option<Vec<f64>> {
        let point = self.point(index);
        let mut theta = vec![0.0; self.symbols.len()];
        let mut values = self.centre.clone();
        // Pure numbers first: the terms are evaluated with them.
        for (j, (draw, axis)) in self.draws.iter().zip(&self.axes).enumerate() {
            let (Some(draw), Some(axis)) = (draw, *axis) else {
                continue;
            };
            let (a, b) = (
                self.near(index, j, point[axis]),
                point[self.dimension + axis],
            );
            let drawn = match draw {
                Draw::Range(low, high) if *low > 0.0 => spread(a, *low, *high),
                Draw::Range(low, high) => low + a * (high - low),
                Draw::Exponent => {
                    let size = spread(a, EXPONENTS.0, EXPONENTS.1);
                    if b < NEGATIVE_SHARE { -size } else { size }
                }
                Draw::Factor { .. } | Draw::Offset { .. } => continue,
            };
            theta[j] = self.within(j, drawn);
            values[self.symbols[j] as usize] = theta[j];
        }
        let mut shared = Vec::new();
        for (j, (draw, axis)) in self.draws.iter().zip(&self.axes).enumerate() {
            let (Some(draw), Some(axis)) = (draw, *axis) else {
                continue;
            };
            let (a, b) = (
                self.near(index, j, point[axis]),
                point[self.dimension + axis],
            );
            let row = &self.rows[((b * self.rows.len() as f64) as usize).min(self.rows.len() - 1)];
            let drawn = match draw {
                Draw::Factor {
                    term,
                    degree,
                    alone,
                } => {
                    let at: Vec<f64> = if *alone {
                        self.at_row(row, &values)
                    } else {
                        values.clone()
                    };
                    let rest = self.graph.evaluate(*term, &at).abs();
                    let target = if *alone {
                        spread(a, 0.5, 2.0)
                    } else {
                        spread(a, 1.0 / TERM_RATIO, TERM_RATIO)
                    };
                    if !alone {
                        shared.push((j, *degree));
                    }
                    math::pow(target / rest, 1.0 / degree)
                }
                Draw::Offset { sibling, sign } => {
                    let at = self.at_row(row, &values);
                    let size = self.graph.evaluate(*sibling, &at);
                    -sign * size * (0.8 + 0.4 * a)
                }
                Draw::Range(..) | Draw::Exponent => continue,
            };
            if !drawn.is_finite() || drawn == 0.0 {
                return None;
            }
            theta[j] = self.within(j, drawn);
            values[self.symbols[j] as usize] = theta[j];
        }
        if self.calibrate {
            self.calibrate(
                &mut theta,
                &mut values,
                &shared,
                spread(point[2 * self.dimension], 0.02, 2.0),
            );
        }
        theta.iter().all(|t| t.is_finite()).then_some(theta)
    }

    /// The coordinate of one parameter: the levels of a parameter are drawn alike by even candidates, apart by odd ones.
    fn near(&self, index: u32, j: usize, coordinate: f64) -> f64 {
        if !self.levels[j] || index.is_multiple_of(2) {
            return coordinate;
        }
        let draw = Random::new(0, Stream::Starts).uniform(index, LEVEL_AXES + j as u64);
        (coordinate + LEVEL_SPREAD * (draw - 0.5)).clamp(0.0, 1.0)
    }

    /// Coordinates in [0, 1): two for each parameter and one for the common scale.
    fn point(&self, index: u32) -> Vec<f64> {
        let axes = 2 * self.dimension + 1;
        let mut point = vec![0.0; axes];
        let low = axes.min(SOBOL_AXES);
        self.sequence.point(index, &mut point[..low]);
        let random = Random::new(0, Stream::Starts);
        for (axis, slot) in point.iter_mut().enumerate().skip(low) {
            *slot = random.uniform(index, axis as u64);
        }
        point
    }

    /// Scales the terms of a sum inside the law together until the law, its linear part at zero, is of the size of the data.
    fn calibrate(
        &self,
        theta: &mut [f64],
        values: &mut [f64],
        shared: &[(usize, f64)],
        share: f64,
    ) {
        for &s in &self.linear {
            values[s as usize] = 0.0;
        }
        let size = self.graph.evaluate(self.value, values).abs();
        let original: Vec<f64> = shared.iter().map(|&(j, _)| theta[j]).collect();
        let target = share * self.response;
        let usable = |x: f64| x > 0.0 && x.is_finite();
        if !usable(size) || !usable(target) {
            return;
        }
        let apply = |theta: &mut [f64], values: &mut [f64], log_scale: f64| {
            for (&(j, degree), &base) in shared.iter().zip(&original) {
                theta[j] = self.within(j, base * math::exp(log_scale / degree));
                values[self.symbols[j] as usize] = theta[j];
            }
            math::ln(self.graph.evaluate(self.value, values).abs())
        };
        // The law is close to a power of the common scale, so a secant in logarithms takes two or three steps.
        let wanted = math::ln(target);
        let (mut x0, mut y0) = (0.0, math::ln(size));
        let mut x1 = 0.5;
        for _ in 0..6 {
            let y1 = apply(theta, values, x1);
            let slope = (y1 - y0) / (x1 - x0);
            if !slope.is_finite() || slope.abs() < 1e-6 {
                break;
            }
            let x2 = x1 + ((wanted - y1) / slope).clamp(-30.0, 30.0);
            (x0, y0, x1) = (x1, y1, x2);
            if (wanted - y1).abs() < 0.05 {
                return;
            }
        }
        let last = apply(theta, values, x1);
        if !last.is_finite() {
            apply(theta, values, 0.0);
        }
    }

    fn at_row(&self, row: &[f64], values: &[f64]) -> Vec<f64> {
        let mut at = row.to_vec();
        for &s in self.symbols {
            at[s as usize] = values[s as usize];
        }
        at
    }

    fn within(&self, j: usize, value: f64) -> f64 {
        within(self.bounds[j], value)
    }
}

/// A value folded into bounds.
fn within(bounds: Option<(f64, f64)>, value: f64) -> f64 {
    match bounds {
        Some((low, high)) if value < low || value > high => {
            if low > 0.0 && high.is_finite() {
                let span = math::ln(high / low);
                let folded = math::ln((value.abs() / low).max(f64::MIN_POSITIVE)).rem_euclid(span);
                low * math::exp(folded)
            } else if low.is_finite() && high.is_finite() {
                low + (value - low).rem_euclid(high - low)
            } else if low.is_finite() {
                low + (value - low).abs()
            } else {
                high - (value - high).abs()
            }
        }
        _ => value,
    }
}

pub(crate) fn spread(position: f64, low: f64, high: f64) -> f64 {
    low * math::exp(position * math::ln(high / low))
}

/// How each free parameter is drawn; none for linear ones. [`Model::kinds`] has the graph that this speaks of.
pub(crate) fn roles(model: &Model) -> Vec<Option<Draw>> {
    let draws = model.kinds().draws.iter();
    draws
        .zip(&model.free)
        .zip(&model.linear)
        .map(|((kind, free), &linear)| match free.range {
            _ if linear => None,
            Some((low, high)) => Some(Draw::Range(low, high)),
            None => Some(kind.clone()),
        })
        .collect()
}

/// The axis of each parameter that is drawn, and how many axes there are.
fn axes(model: &Model, draws: &[Option<Draw>]) -> (Vec<Option<usize>>, usize) {
    let mut names: Vec<&str> = Vec::new();
    let axes = model.free.iter().zip(draws).map(|(free, draw)| {
        draw.as_ref()?;
        let name = free.level.as_ref().map_or(&free.name, |level| &level.base);
        let known = names.iter().position(|known| known == name);
        Some(known.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        }))
    });
    let axes = axes.collect();
    (axes, names.len())
}

/// Rows spread over the data by rank of the first variable, the row of geometric means, and the size of the response.
///
/// Of many rows every so manieth stands for all: these numbers only say where to look.
fn reference(graph: &Graph, model: &Model, data: &Dataset<'_>) -> (Vec<Vec<f64>>, Vec<f64>, f64) {
    let count = graph.symbols().len();
    let columns: Vec<(usize, &[f64])> = model
        .variables
        .iter()
        .filter_map(|v| Some((graph.symbol_id(v)? as usize, data.column(v)?)))
        .collect();
    let step = data.len().div_ceil(RANKED_ROWS).max(1);
    let sample: Vec<usize> = (0..data.len()).step_by(step).collect();
    let m = sample.len();
    let picks = m.min(REFERENCE_ROWS);
    let mut order = sample.clone();
    let sizes = columns.first().map_or(&[][..], |c| c.1);
    order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
    let rows = (0..picks)
        .map(|i| {
            let row = order[if picks > 1 {
                i * (m - 1) / (picks - 1)
            } else {
                0
            }];
            let mut values = vec![1.0; count];
            for (slot, column) in &columns {
                values[*slot] = column[row];
            }
            values
        })
        .collect();
    let mean =
        |value: &dyn Fn(usize) -> f64| sample.iter().map(|&i| value(i)).sum::<f64>() / m as f64;
    let mut centre = vec![1.0; count];
    for (slot, column) in &columns {
        centre[*slot] = if sample.iter().all(|&i| column[i] > 0.0) {
            math::exp(mean(&|i| math::ln(column[i])))
        } else {
            mean(&|i| column[i])
        };
    }
    let response = mean(&|i| data.response[i].abs());
    (rows, centre, response)
}
