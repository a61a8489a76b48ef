//! Sums over the rows of many small groups at once: one group a lane.
//!
//! Stage: under the batch solvers. In: a [`Pack`] of up to [`LANES`] groups of `m` rows each, stored row by row (`m`
//! blocks of [`LANES`] numbers a column), and one value a lane of each of the `p` parameters. Out: per lane the cost
//! `½ Σ w r²`, its gradient, `Σ w ∇r ∇rᵀ` and `Σ w r ∇²r`. Lanes never meet: what a lane gives does not depend on its
//! neighbours, so results do not depend on how groups are packed.

use scalefast_expr::{BLOCK, Kernel, Output, Program, Workspace};

/// Groups that are solved side by side.
///
/// With 128 lanes the sums of a law of three parameters and the registers of its program share the first-level cache
/// (measured against 64 and 256 on a 2-core AVX2 machine).
pub const LANES: usize = 128;

/// One number a lane.
pub type Lane = [f64; LANES];

/// The rows of up to [`LANES`] groups. Shorter groups repeat their last row with weight zero.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    /// Rows of the longest group.
    pub rows: usize,
    /// Data columns, `rows × LANES` each; empty where programs read cached columns only.
    pub inputs: Vec<Vec<f64>>,
    /// What depends on the data alone, `rows × LANES` each.
    pub cached: Vec<Vec<f64>>,
    /// Weights, `rows × LANES`; `None` where every row counts once.
    pub weights: Option<Vec<f64>>,
}

/// Which outputs a program has after its residual.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// First derivatives, as positions among the `p` parameters.
    pub first: Vec<usize>,
    /// Second derivatives that are not zero, as pairs of such positions.
    pub second: Vec<(usize, usize)>,
}

/// The sums of one evaluation.
#[derive(Clone, Debug)]
pub struct Sums {
    /// `½ Σ w r²`.
    pub cost: Box<Lane>,
    /// `Σ w r ∇r`, `p` lanes.
    pub gradient: Vec<Lane>,
    /// `Σ w ∇r ∇rᵀ`, lower triangle.
    pub gram: Vec<Lane>,
    /// `Σ w r ∇²r`, lower triangle.
    pub second: Vec<Lane>,
}

/// Position of `(j, k)` in a lower triangle, in either order.
pub fn triangle(j: usize, k: usize) -> usize {
    let (high, low) = if j >= k { (j, k) } else { (k, j) };
    high * (high + 1) / 2 + low
}

impl Sums {
    /// Zero sums of `p` parameters.
    pub fn new(p: usize) -> Self {
        let zero = [0.0; LANES];
        Self {
            cost: Box::new(zero),
            gradient: vec![zero; p],
            gram: vec![zero; p * (p + 1) / 2],
            second: vec![zero; p * (p + 1) / 2],
        }
    }

    fn clear(&mut self, layout: &Layout) {
        self.cost.fill(0.0);
        for &j in &layout.first {
            self.gradient[j].fill(0.0);
            for &k in &layout.first {
                self.gram[triangle(j, k)].fill(0.0);
            }
        }
        for &(j, k) in &layout.second {
            self.second[triangle(j, k)].fill(0.0);
        }
    }
}

/// Scratch memory of [`accumulate`].
#[derive(Clone, Debug)]
pub struct Buffers {
    constant: Vec<f64>,
    weighted: Vec<f64>,
}

impl Buffers {
    /// For programs of at most `outputs` outputs.
    pub fn new(outputs: usize) -> Self {
        Self {
            constant: vec![0.0; outputs * LANES],
            weighted: vec![0.0; outputs * LANES],
        }
    }
}

/// Evaluates the first `used` lanes of a pack at `theta` (`p` lanes) and adds over its rows.
#[expect(clippy::too_many_arguments, reason = "the inner loop of one engine")]
pub fn accumulate(
    kernel: Kernel,
    program: &Program,
    workspace: &mut Workspace,
    layout: &Layout,
    pack: &Pack,
    theta: &[Lane],
    used: usize,
    buffers: &mut Buffers,
    sums: &mut Sums,
) {
    const { assert!(LANES <= BLOCK) };
    sums.clear(layout);
    let data = pack.inputs.len();
    let mut inputs: Vec<&[f64]> = vec![&[]; data];
    inputs.extend(theta.iter().map(|lane| &lane[..]));
    let mut cached: Vec<&[f64]> = vec![&[]; pack.cached.len()];
    let outputs = 1 + layout.first.len() + layout.second.len();
    let Buffers { constant, weighted } = buffers;
    for row in 0..pack.rows {
        let span = row * LANES..row * LANES + LANES;
        for (slice, column) in inputs.iter_mut().zip(&pack.inputs) {
            *slice = column.get(span.clone()).unwrap_or(&[]);
        }
        for (slice, column) in cached.iter_mut().zip(&pack.cached) {
            *slice = &column[span.clone()];
        }
        program.run(workspace, &inputs, &cached, 0, used);
        let mut blocks: Vec<&[f64]> = Vec::with_capacity(outputs);
        for (o, spare) in constant.chunks_exact_mut(LANES).take(outputs).enumerate() {
            blocks.push(match program.output(workspace, o) {
                Output::Block(block) => &block[..used],
                Output::Uniform(value) => {
                    spare[..used].fill(value);
                    &spare[..used]
                }
            });
        }
        let weights = pack.weights.as_ref().map(|w| &w[span.clone()][..used]);
        kernel.dispatch(
            #[inline(always)]
            || add_row(&blocks, layout, weights, weighted, sums),
        );
    }
    for cost in sums.cost.iter_mut() {
        *cost *= 0.5;
    }
}

#[inline(always)]
fn add_row(
    blocks: &[&[f64]],
    layout: &Layout,
    weights: Option<&[f64]>,
    weighted: &mut [f64],
    sums: &mut Sums,
) {
    let n = layout.first.len();
    let slopes = &blocks[1..=n];
    let Some(weights) = weights else {
        add_products(blocks[0], blocks[0], &mut sums.cost);
        for (a, &j) in layout.first.iter().enumerate() {
            add_products(blocks[0], slopes[a], &mut sums.gradient[j]);
            for (b, &k) in layout.first.iter().enumerate().take(a + 1) {
                add_products(slopes[a], slopes[b], &mut sums.gram[triangle(j, k)]);
            }
        }
        for (block, &(j, k)) in blocks[1 + n..].iter().zip(&layout.second) {
            add_products(blocks[0], block, &mut sums.second[triangle(j, k)]);
        }
        return;
    };
    let used = weights.len();
    for (block, out) in blocks[..=n].iter().zip(weighted.chunks_exact_mut(LANES)) {
        for ((o, &x), &w) in out.iter_mut().zip(*block).zip(weights) {
            *o = x * w;
        }
    }
    let heavy = |o: usize| &weighted[o * LANES..o * LANES + used];
    add_products(heavy(0), blocks[0], &mut sums.cost);
    for (a, &j) in layout.first.iter().enumerate() {
        add_products(heavy(0), slopes[a], &mut sums.gradient[j]);
        for (b, &k) in layout.first.iter().enumerate().take(a + 1) {
            add_products(heavy(1 + a), slopes[b], &mut sums.gram[triangle(j, k)]);
        }
    }
    for (block, &(j, k)) in blocks[1 + n..].iter().zip(&layout.second) {
        add_products(heavy(0), block, &mut sums.second[triangle(j, k)]);
    }
}

#[inline(always)]
fn add_products(left: &[f64], right: &[f64], sum: &mut Lane) {
    for ((s, &a), &b) in sum.iter_mut().zip(left).zip(right) {
        *s = a.mul_add(b, *s);
    }
}
