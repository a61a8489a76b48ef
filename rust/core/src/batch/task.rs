//! One thread's portion of the groups: packed, screened, descended, and written down.
//!
//! In: up to a few packs' worth of groups. Out: [`Solved`]: all parameters, standard errors, cost and status of each. What
//! the lanes cannot settle (no convergence, or a normal matrix close to singular) is solved again by orthogonal factors.
//! Longer than the rule, because a portion is packed, screened, descended and settled with memory that its groups
//! share.

use super::alone::Alone;
use super::descend::{Descent, End, Start};
use super::group::{GroupData, GroupFits, GroupSpec, Row, Status, unit};
use super::lanes::{LANES, Lane, Pack, triangle};
use super::plan::Plan;
use super::search::{Screen, Starts};
use super::std_errors::std_errors;
use crate::error::CoreError;
use crate::executor::Control;
use crate::linalg::{cholesky_in_place, cholesky_inverse_into};
use crate::model::Model;
use std::ops::Range;

/// A scaled pivot of the normal matrix below this (condition of the Jacobian about 1e5) costs digits that orthogonal factors
/// keep.
const SOUND_PIVOT: f64 = 1e-10;
/// Residuals of this relative size are rounding, as in `multistart`.
const EXACT: f64 = 1e-12;

/// The fits of one portion: `n` groups, `q` parameters of the law.
pub struct Solved {
    /// `q × n`, parameter after parameter.
    parameters: Vec<f64>,
    /// `q × n`.
    std_errors: Vec<f64>,
    cost: Vec<f64>,
    status: Vec<Status>,
}

/// The best end of one group so far.
struct Best {
    theta: Vec<f64>,
    gram: Vec<f64>,
    cost: Vec<f64>,
    converged: Vec<bool>,
}

/// Scratch of [`Solved::settle`], for the parameters off their bounds.
struct Memory {
    open: Vec<usize>,
    scale: Vec<f64>,
    matrix: Vec<f64>,
    covariance: Vec<f64>,
    column: Vec<f64>,
}

/// Solves the groups of a portion.
///
/// # Errors
/// What is wrong with the specification, or an interruption.
#[expect(
    clippy::too_many_arguments,
    reason = "what a portion needs, each part of it named"
)]
pub fn solve(
    spec: &GroupSpec,
    model: &Model,
    plan: &Plan,
    alone: &Alone<'_>,
    columns: &[usize],
    data: &GroupData<'_>,
    portion: &[u32],
    control: &Control,
) -> Result<Solved, CoreError> {
    let rows_of = |group: u32| -> Range<usize> {
        data.offsets[group as usize]..data.offsets[group as usize + 1]
    };
    let lengths = || portion.iter().map(|&group| rows_of(group).len());
    let longest = lengths().max().unwrap_or(1);
    let ragged = lengths().any(|length| length != longest);
    let packs: Vec<Pack> = portion
        .chunks(LANES)
        .map(|members| pack(plan, columns, data, members, longest, ragged))
        .collect();
    let Some(first) = packs.first() else {
        return Ok(Solved::new(0, spec.parameters.len()));
    };
    let mut screen = Screen::new(plan);
    let mut starts: Vec<Starts> = Vec::with_capacity(packs.len());
    for (pack, members) in packs.iter().zip(portion.chunks(LANES)) {
        let mut rows = [1; LANES];
        for (slot, &group) in rows.iter_mut().zip(members) {
            *slot = rows_of(group).len();
        }
        starts.push(screen.run(plan, pack, &rows, members.len()));
    }
    let n = portion.len();
    let floors: Vec<f64> = portion
        .iter()
        .map(|&group| {
            let rows = rows_of(group);
            let size = EXACT * unit(spec.residual, &data.response[rows.clone()]);
            let weight = data
                .weights
                .map_or(rows.len() as f64, |w| w[rows].iter().sum());
            0.5 * size * size * weight
        })
        .collect();
    let queue: Vec<Start> = (0..plan.followed)
        .flat_map(|rank| (0..n).map(move |i| (rank, i)))
        .map(|(rank, i)| Start {
            pack: i / LANES,
            lane: i % LANES,
            rank,
        })
        .filter(|s| starts[s.pack].cost[s.rank][s.lane].is_finite())
        .collect();
    let p = plan.p;
    let mut best = Best::new(n, p);
    Descent::new(plan, first, longest).run(
        plan,
        &packs,
        &queue,
        |s, j| starts[s.pack].theta[s.rank][j][s.lane],
        |s| floors[s.pack * LANES + s.lane],
        |s, end| best.offer(s.pack * LANES + s.lane, &end, p),
        control,
    )?;
    let mut solved = Solved::new(n, spec.parameters.len());
    let mut theta = vec![0.0; p];
    let mut memory = Memory::new(p);
    for (i, &group) in portion.iter().enumerate() {
        theta.copy_from_slice(&best.theta[i * p..(i + 1) * p]);
        let rows = rows_of(group);
        let counted = data.weights.map_or(rows.len(), |w| {
            w[rows.clone()].iter().filter(|w| **w > 0.0).count()
        });
        if best.cost[i].is_finite()
            && best.converged[i]
            && solved.settle(spec, model, plan, &theta, &best, i, counted, &mut memory)
        {
            continue;
        }
        let row = if best.cost[i].is_finite() {
            alone.solve(data, rows, &theta, control)?
        } else {
            alone.fit(data, rows, control)?
        };
        solved.set(i, &row);
    }
    Ok(solved)
}

/// The rows of up to [`LANES`] groups, lane by lane; lanes without a group repeat the first.
fn pack(
    plan: &Plan,
    columns: &[usize],
    data: &GroupData<'_>,
    members: &[u32],
    rows: usize,
    ragged: bool,
) -> Pack {
    let spread = |column: &[f64], padding: Option<f64>| -> Vec<f64> {
        let mut target = vec![0.0; rows * LANES];
        for l in 0..LANES {
            let group = members[if l < members.len() { l } else { 0 }] as usize;
            let own = &column[data.offsets[group]..data.offsets[group + 1]];
            for row in 0..rows {
                target[row * LANES + l] = match padding {
                    Some(value) if row >= own.len() => value,
                    _ => own[row.min(own.len() - 1)],
                };
            }
        }
        target
    };
    let mut inputs: Vec<Vec<f64>> = columns
        .iter()
        .map(|&c| spread(data.columns[c], None))
        .collect();
    inputs.push(spread(data.response, None));
    let mut cached = vec![vec![0.0; rows * LANES]; plan.family.cached_len()];
    {
        let mut slices: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
        slices.resize(plan.data + plan.p, &[]);
        let mut targets: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
        plan.family
            .prepare(plan.kernel, &slices, 0, rows * LANES, &mut targets);
    }
    for (i, column) in inputs.iter_mut().enumerate() {
        if !plan.family.reads_input(i) {
            column.clear();
        }
    }
    let weights = match data.weights {
        Some(weights) => Some(spread(weights, Some(0.0))),
        None => ragged.then(|| presence(data, members, rows)),
    };
    Pack {
        rows,
        inputs,
        cached,
        weights,
    }
}

/// Weight one on the rows that a group has.
fn presence(data: &GroupData<'_>, members: &[u32], rows: usize) -> Vec<f64> {
    let mut weights = vec![1.0; rows * LANES];
    for (l, &group) in members.iter().enumerate() {
        let own = data.offsets[group as usize + 1] - data.offsets[group as usize];
        for row in own..rows {
            weights[row * LANES + l] = 0.0;
        }
    }
    weights
}

impl Best {
    fn new(n: usize, p: usize) -> Self {
        Self {
            theta: vec![f64::NAN; n * p],
            gram: vec![f64::NAN; n * p * (p + 1) / 2],
            cost: vec![f64::INFINITY; n],
            converged: vec![false; n],
        }
    }

    /// Keeps the lower end; among equals the first.
    fn offer(&mut self, i: usize, end: &End<'_>, p: usize) {
        if end.cost.is_nan() || end.cost >= self.cost[i] {
            return;
        }
        self.cost[i] = end.cost;
        self.converged[i] = end.converged;
        let pick = |to: &mut [f64], from: &[Lane]| {
            for (to, lane) in to.iter_mut().zip(from) {
                *to = lane[end.lane];
            }
        };
        let size = p * (p + 1) / 2;
        pick(&mut self.theta[i * p..(i + 1) * p], end.theta);
        pick(&mut self.gram[i * size..(i + 1) * size], end.gram);
    }
}

impl Solved {
    fn new(n: usize, parameters: usize) -> Self {
        Self {
            parameters: vec![f64::NAN; n * parameters],
            std_errors: vec![f64::NAN; n * parameters],
            cost: vec![f64::NAN; n],
            status: vec![Status::NotConverged; n],
        }
    }

    /// Copies everything to its place among all groups.
    pub fn write(&self, portion: &[u32], fits: &mut GroupFits) {
        let n = portion.len();
        for (i, &group) in portion.iter().enumerate() {
            fits.objective[group as usize] = self.cost[i];
            fits.status[group as usize] = self.status[i] as u8;
        }
        for (q, column) in fits.parameters.iter_mut().enumerate() {
            for (&group, value) in portion.iter().zip(&self.parameters[q * n..]) {
                column[group as usize] = *value;
            }
        }
        for (q, column) in fits.std_errors.iter_mut().enumerate() {
            for (&group, value) in portion.iter().zip(&self.std_errors[q * n..]) {
                column[group as usize] = *value;
            }
        }
    }

    fn set(&mut self, i: usize, row: &Row) {
        let n = self.cost.len();
        for (q, (value, error)) in row.parameters.iter().zip(&row.std_errors).enumerate() {
            self.parameters[q * n + i] = *value;
            self.std_errors[q * n + i] = *error;
        }
        self.cost[i] = row.objective;
        self.status[i] = row.status;
    }

    /// Writes down a converged end with Gauss–Newton standard errors; false where its normal matrix is close to singular.
    #[expect(clippy::too_many_arguments, reason = "one end, each part of it named")]
    fn settle(
        &mut self,
        spec: &GroupSpec,
        model: &Model,
        plan: &Plan,
        theta: &[f64],
        best: &Best,
        i: usize,
        rows: usize,
        memory: &mut Memory,
    ) -> bool {
        let (n, p) = (self.cost.len(), plan.p);
        let gram = &best.gram[i * p * (p + 1) / 2..];
        let bound = |j: usize| theta[j] <= plan.lower[j] || theta[j] >= plan.upper[j];
        memory.open.clear();
        memory.open.extend((0..p).filter(|&j| !bound(j)));
        let open = &memory.open;
        let k = open.len();
        let scale = &mut memory.scale[..k];
        for (s, &j) in scale.iter_mut().zip(open) {
            *s = 1.0 / gram[triangle(j, j)].sqrt();
        }
        let matrix = &mut memory.matrix[..k * k];
        for a in 0..k {
            for b in 0..k {
                matrix[a * k + b] = gram[triangle(open[a], open[b])] * scale[a] * scale[b];
            }
        }
        let sound = scale.iter().all(|s| s.is_finite())
            && cholesky_in_place(matrix, k).is_ok()
            && (0..k).all(|a| matrix[a * k + a] * matrix[a * k + a] >= SOUND_PIVOT);
        if !sound {
            return false;
        }
        let covariance = &mut memory.covariance[..k * k];
        cholesky_inverse_into(matrix, k, covariance, &mut memory.column[..k]);
        let variance = if rows > k {
            2.0 * best.cost[i] / (rows - k) as f64
        } else {
            f64::NAN
        };
        for a in 0..k {
            for b in 0..k {
                covariance[a * k + b] *= variance * scale[a] * scale[b];
            }
        }
        self.cost[i] = best.cost[i];
        self.status[i] = if k < p {
            Status::AtBound
        } else {
            Status::Converged
        };
        if spec.parameters.len() == p {
            for (j, &value) in theta.iter().enumerate() {
                self.parameters[j * n + i] = value;
            }
            for (a, &j) in open.iter().enumerate() {
                self.std_errors[j * n + i] = covariance[a * k + a].sqrt();
            }
            return true;
        }
        let errors = std_errors(spec, model, theta, open, covariance);
        for (q, (value, error)) in model.expand(theta).into_iter().zip(errors).enumerate() {
            self.parameters[q * n + i] = value;
            self.std_errors[q * n + i] = error;
        }
        true
    }
}

impl Memory {
    fn new(p: usize) -> Self {
        Self {
            open: Vec::with_capacity(p),
            scale: vec![0.0; p],
            matrix: vec![0.0; p * p],
            covariance: vec![0.0; p * p],
            column: vec![0.0; p],
        }
    }
}
