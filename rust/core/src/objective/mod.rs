//! The objective of a fit: `Σ w·ρ(r(θ))` over `m` rows, its gradient and its curvature, through compiled programs.
//!
//! In: a [`Model`] and a data set (`m` rows). Out, for a vector of `p` free parameters on their own scale: the cost, the
//! gradient (`p`) and either the Gauss–Newton matrix `Σ w ψ′ ∇r ∇rᵀ` or the Hessian, which adds `Σ w ψ ∇²r`. Rows are cut
//! into chunks of fixed size whose partial sums are added in order, so the result does not depend on threads.
//! Longer than the rule, because `accumulate` lends every part of the scratch to one loop over blocks.

mod derived;
mod order;
mod programs;
mod sums;

use crate::dataset::{Dataset, SIGMA};
use crate::error::{CoreError, ErrorKind};
use crate::loss::Loss;
use crate::model::{Compiled, Model, RESPONSE, Residual};
pub use order::{Evaluation, Order};
use programs::{programs, triangle};
use rayon::prelude::*;
use scalefast_expr::reduce::NormalSums;
use scalefast_expr::{BLOCK, Family, Kernel, Output, Workspace, reduce};
use std::borrow::Cow;
use std::sync::Arc;
use sums::Sums;

/// Rows in one unit of parallel work: a multiple of [`BLOCK`], about a millisecond's tenth of work.
const CHUNK: usize = 16_384;

/// Residuals and their Jacobian, kept: for QR steps and for covariances.
pub struct Linearisation {
    /// `m` residuals, unweighted.
    pub residual: Vec<f64>,
    /// `p` columns of `m` entries each, one after the other, unweighted.
    pub jacobian: Vec<f64>,
}

/// A compiled objective over one data set.
pub struct Objective<'a> {
    family: Arc<Family>,
    kernel: Kernel,
    inputs: Vec<Cow<'a, [f64]>>,
    cached: Vec<Cow<'a, [f64]>>,
    weights: Option<Cow<'a, [f64]>>,
    rows: usize,
    p: usize,
    curvature_slots: Vec<usize>,
}

/// Per-thread memory of an [`Objective`]; an evaluation allocates nothing.
pub struct Scratch {
    workspaces: Vec<Option<Workspace>>,
    rho: Vec<f64>,
    psi: Vec<f64>,
    psi_prime: Vec<f64>,
    filled: Vec<f64>,
    sums: Sums,
    slices: [Slices<'static>; 3],
}

/// Columns of one evaluation; between evaluations only the memory of the list is kept.
type Slices<'a> = Vec<&'a [f64]>;

/// The memory of a list, without what it held.
fn emptied(mut slices: Slices<'_>) -> Slices<'static> {
    slices.clear();
    slices.into_iter().map(|_| &[][..]).collect()
}

const COST: usize = 0;
const GRADIENT: usize = 1;
const HESSIAN: usize = 2;

impl<'a> Objective<'a> {
    /// Compiles the residual of `model` for `data`, unless it was compiled for such data before, and caches what depends on the data alone.
    ///
    /// # Errors
    /// `missing-column` when the data lack a variable of the law; errors of the compiler.
    pub fn new(
        model: &Model,
        data: &'a Dataset<'_>,
        residual: Residual,
    ) -> Result<Self, CoreError> {
        let mut columns: Vec<(&str, &'a [f64])> = Vec::new();
        for name in &model.variables {
            let column = data.column(name).ok_or_else(|| {
                CoreError::new(
                    ErrorKind::Data,
                    "missing-column",
                    format!("the data have no column for `{name}`"),
                )
            })?;
            columns.push((name, column));
        }
        columns.push((RESPONSE, &data.response));
        if let Some(sigma) = data.sigma() {
            columns.push((SIGMA, sigma));
        }
        let positive: Vec<bool> = columns
            .iter()
            .map(|(_, column)| column.iter().all(|&x| x > 0.0))
            .collect();
        let Compiled {
            family,
            curvature_slots,
        } = programs(model, residual, positive)?;
        let p = model.p();
        let inputs: Vec<&'a [f64]> = family
            .inputs()
            .iter()
            .filter_map(|name| columns.iter().find(|(n, _)| n == name).map(|&(_, c)| c))
            .collect();
        let kernel = Kernel::detect();
        let rows = data.len();
        let cached = prepare(&family, kernel, &inputs, rows);
        Ok(Self {
            family,
            kernel,
            inputs: inputs.into_iter().map(Cow::Borrowed).collect(),
            cached: cached.into_iter().map(Cow::Owned).collect(),
            weights: data.weights.as_ref().map(|w| Cow::Borrowed(Cow::as_ref(w))),
            rows,
            p,
            curvature_slots,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of free parameters.
    pub fn p(&self) -> usize {
        self.p
    }

    /// The weight of each row, where there are weights.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// The sum of the weights: `m` without weights.
    pub fn total_weight(&self) -> f64 {
        self.weights().map_or(self.rows as f64, |w| w.iter().sum())
    }

    /// Memory for [`Objective::evaluate`].
    pub fn scratch(&self) -> Scratch {
        Scratch {
            workspaces: (0..self.family.programs().len()).map(|_| None).collect(),
            rho: vec![0.0; BLOCK],
            psi: vec![0.0; BLOCK],
            psi_prime: vec![0.0; BLOCK],
            filled: vec![0.0; BLOCK * (1 + self.p + self.curvature_slots.len())],
            sums: Sums::default(),
            slices: [Vec::new(), Vec::new(), Vec::new()],
        }
    }

    /// Cost and, as asked, derivatives at `theta` (`p` free parameters on their own scale).
    pub fn evaluate(
        &self,
        scratch: &mut Scratch,
        theta: &[f64],
        loss: Loss,
        order: Order,
    ) -> Evaluation {
        let mut found = Evaluation::default();
        self.evaluate_into(scratch, theta, loss, order, &mut found);
        found
    }

    /// As [`Objective::evaluate`], into memory that is there.
    pub fn evaluate_into(
        &self,
        scratch: &mut Scratch,
        theta: &[f64],
        loss: Loss,
        order: Order,
        found: &mut Evaluation,
    ) {
        if self.rows <= CHUNK {
            self.accumulate(scratch, theta, loss, order, 0, self.rows);
            self.finish(&scratch.sums, order, found);
            return;
        }
        let chunks = self.rows.div_ceil(CHUNK);
        let parts: Vec<Sums> = (0..chunks)
            .into_par_iter()
            .map_init(
                || self.scratch(),
                |scratch, c| {
                    let start = c * CHUNK;
                    let len = (self.rows - start).min(CHUNK);
                    self.accumulate(scratch, theta, loss, order, start, len);
                    std::mem::take(&mut scratch.sums)
                },
            )
            .collect();
        let mut total = Sums::default();
        total.reset(self.p, order);
        for part in &parts {
            total.add(part);
        }
        self.finish(&total, order, found);
    }

    /// Residuals (`m`) and Jacobian (`p` columns of `m`) at `theta`.
    pub fn linearise(&self, scratch: &mut Scratch, theta: &[f64]) -> Linearisation {
        let m = self.rows;
        let mut residual = vec![0.0; m];
        let mut jacobian = vec![0.0; m * self.p];
        let program = &self.family.programs()[GRADIENT];
        let workspace = workspace(&self.family, self.kernel, &mut scratch.workspaces, GRADIENT);
        program.set_uniforms(workspace, theta);
        let cached: Vec<&[f64]> = self.cached.iter().map(Cow::as_ref).collect();
        let inputs: Vec<&[f64]> = self.inputs.iter().map(Cow::as_ref).collect();
        let mut start = 0;
        while start < m {
            let len = (m - start).min(BLOCK);
            program.run(workspace, &inputs, &cached, start, len);
            copy_output(
                program.output(workspace, 0),
                &mut residual[start..start + len],
            );
            for j in 0..self.p {
                let column = &mut jacobian[j * m + start..j * m + start + len];
                copy_output(program.output(workspace, 1 + j), column);
            }
            start += len;
        }
        Linearisation { residual, jacobian }
    }

    /// Residuals alone (`m`).
    pub fn residuals(&self, scratch: &mut Scratch, theta: &[f64]) -> Vec<f64> {
        let mut residual = vec![0.0; self.rows];
        let program = &self.family.programs()[COST];
        let workspace = workspace(&self.family, self.kernel, &mut scratch.workspaces, COST);
        program.set_uniforms(workspace, theta);
        let cached: Vec<&[f64]> = self.cached.iter().map(Cow::as_ref).collect();
        let inputs: Vec<&[f64]> = self.inputs.iter().map(Cow::as_ref).collect();
        let mut start = 0;
        while start < self.rows {
            let len = (self.rows - start).min(BLOCK);
            program.run(workspace, &inputs, &cached, start, len);
            copy_output(
                program.output(workspace, 0),
                &mut residual[start..start + len],
            );
            start += len;
        }
        residual
    }

    fn accumulate(
        &self,
        scratch: &mut Scratch,
        theta: &[f64],
        loss: Loss,
        order: Order,
        start: usize,
        len: usize,
    ) {
        let index = match order {
            Order::Cost => COST,
            Order::GaussNewton => GRADIENT,
            Order::Newton | Order::SecondOrder => HESSIAN,
        };
        let p = self.p;
        let k = self.kernel;
        let program = &self.family.programs()[index];
        let Scratch {
            workspaces,
            rho,
            psi,
            psi_prime,
            filled,
            sums,
            slices,
        } = scratch;
        let ws = workspace(&self.family, self.kernel, workspaces, index);
        program.set_uniforms(ws, theta);
        let [cached, inputs, mut spare_blocks] = std::mem::take(slices);
        let (mut cached, mut inputs): (Slices<'_>, Slices<'_>) = (cached, inputs);
        cached.extend(self.cached.iter().map(Cow::as_ref));
        inputs.extend(self.inputs.iter().map(Cow::as_ref));
        let plain = loss.is_squared() && self.weights.is_none();
        let outputs = match order {
            Order::Cost => 1,
            Order::GaussNewton => 1 + p,
            Order::Newton | Order::SecondOrder => 1 + p + self.curvature_slots.len(),
        };
        sums.reset(p, order);
        let mut done = 0;
        while done < len {
            let n = (len - done).min(BLOCK);
            program.run(ws, &inputs, &cached, start + done, n);
            let mut blocks: Slices<'_> = spare_blocks;
            let mut spare: &mut [f64] = filled;
            for o in 0..outputs {
                blocks.push(match program.output(ws, o) {
                    Output::Block(block) => &block[..n],
                    Output::Uniform(value) => {
                        let (head, tail) = std::mem::take(&mut spare).split_at_mut(BLOCK);
                        spare = tail;
                        head[..n].fill(value);
                        &head[..n]
                    }
                });
            }
            let residual = blocks[0];
            let jacobian = match order {
                Order::Cost => &[][..],
                _ => &blocks[1..=p],
            };
            let Sums {
                cost,
                gradient,
                curvature,
            } = &mut *sums;
            let psi_block = if plain {
                reduce::dot(k, residual, residual, cost);
                reduce::products(k, residual, jacobian, gradient);
                if matches!(order, Order::GaussNewton | Order::Newton) {
                    reduce::gram(k, jacobian, jacobian, curvature);
                }
                residual
            } else {
                let w = self.weights().map(|w| &w[start + done..start + done + n]);
                let (rho, psi, psi_prime) = (&mut rho[..n], &mut psi[..n], &mut psi_prime[..n]);
                loss.block(k, residual, w, rho, psi, psi_prime);
                if matches!(order, Order::GaussNewton | Order::Newton) {
                    let into = NormalSums {
                        total: cost,
                        gradient,
                        curvature,
                    };
                    reduce::normal(k, rho, psi, psi_prime, jacobian, into);
                } else {
                    reduce::sum(k, rho, cost);
                    reduce::products(k, psi, jacobian, gradient);
                }
                psi
            };
            if matches!(order, Order::Newton | Order::SecondOrder) {
                for (block, &slot) in blocks[1 + p..].iter().zip(&self.curvature_slots) {
                    reduce::dot(k, psi_block, block, &mut curvature[slot]);
                }
            }
            spare_blocks = emptied(blocks);
            done += n;
        }
        *slices = [emptied(cached), emptied(inputs), spare_blocks];
        if plain {
            sums.cost.iter_mut().for_each(|c| *c *= 0.5);
        }
    }

    fn finish(&self, sums: &Sums, order: Order, found: &mut Evaluation) {
        found.cost = reduce::horizontal(&sums.cost);
        found.gradient.clear();
        found.curvature.clear();
        if order == Order::Cost {
            return;
        }
        let p = self.p;
        let totals = sums.gradient.iter().map(reduce::horizontal);
        found.gradient.extend(totals);
        found.curvature.resize(p * p, 0.0);
        for j in 0..p {
            for k in j..p {
                let value = reduce::horizontal(&sums.curvature[triangle(p, j, k)]);
                found.curvature[j * p + k] = value;
                found.curvature[k * p + j] = value;
            }
        }
    }
}

fn copy_output(output: Output<'_>, target: &mut [f64]) {
    match output {
        Output::Block(block) => target.copy_from_slice(&block[..target.len()]),
        Output::Uniform(value) => target.fill(value),
    }
}

fn workspace<'w>(
    family: &Family,
    kernel: Kernel,
    slots: &'w mut [Option<Workspace>],
    index: usize,
) -> &'w mut Workspace {
    slots[index].get_or_insert_with(|| Workspace::new(family, index, kernel))
}

/// Fills the columns that depend on the data alone, chunk by chunk.
fn prepare(family: &Family, kernel: Kernel, inputs: &[&[f64]], rows: usize) -> Vec<Vec<f64>> {
    let mut cached: Vec<Vec<f64>> = (0..family.cached_len()).map(|_| vec![0.0; rows]).collect();
    let mut chunks: Vec<Vec<&mut [f64]>> = (0..rows.div_ceil(CHUNK)).map(|_| Vec::new()).collect();
    for column in &mut cached {
        for (chunk, piece) in chunks.iter_mut().zip(column.chunks_mut(CHUNK)) {
            chunk.push(piece);
        }
    }
    chunks
        .into_par_iter()
        .enumerate()
        .for_each(|(c, mut pieces)| {
            let start = c * CHUNK;
            family.prepare(
                kernel,
                inputs,
                start,
                (rows - start).min(CHUNK),
                &mut pieces,
            );
        });
    cached
}
