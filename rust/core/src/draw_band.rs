//! Intervals of predictions under draws of the parameters: at every point the law under every draw, and the ends of the
//! interval read off those values.
//!
//! Stage: after a fit with draws. In: points (`m` rows), draws (`k` rows, a column for each parameter), for BCa also the draws
//! with each unit left out. Out: two ends at each point. Points run in parallel; a thread holds the values of one point, so
//! memory grows with `m + k` and never with `m · k`. A point's ends depend on nothing but that point and the draws.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rayon::prelude::*;
use scalefast_expr::{BLOCK, Binding, Family, Kernel, NodeId, Output, System, Workspace};

use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::resample::{IntervalKind, ends};

/// Values of one parallel task, about: points times draws.
const VALUES: usize = 1 << 18;

/// Named columns of one length.
pub type Table<'a> = [(&'a str, &'a [f64])];

/// What intervals are asked for: `output` of `system` under `draws`, whose columns hold the parameters.
#[derive(Clone, Copy)]
pub struct DrawBand<'a> {
    /// The law.
    pub system: &'a System,
    /// What it predicts.
    pub output: &'a str,
    /// The parameters, one row a draw.
    pub draws: &'a Table<'a>,
    /// The same with each unit left out; [`IntervalKind::Bca`] needs it.
    pub left_out: Option<&'a Table<'a>>,
    /// How ends are read off the values.
    pub kind: IntervalKind,
    /// The share of the draws inside, in (0, 1).
    pub level: f64,
    /// What the distance of a draw from the prediction is multiplied by.
    pub scale: f64,
}

impl DrawBand<'_> {
    /// The lower and upper ends at `points`, the columns of the law's variables, about the predictions `centre`; NaN where
    /// fewer than two draws have a value.
    ///
    /// # Errors
    /// `unknown-output`; `unbound-symbol` where neither points nor draws have a symbol; `column-length`; `interrupted` and
    /// `timeout`.
    ///
    /// ```
    /// use scalefast_core::draw_band::DrawBand;
    /// use scalefast_core::executor::Control;
    /// use scalefast_core::resample::IntervalKind;
    /// use scalefast_expr::System;
    /// let system = System::formula("a + b*x")?;
    /// let draws = [("a", &[0.0, 1.0, 2.0][..]), ("b", &[1.0, 1.0, 1.0])];
    /// let (output, kind) = ("L", IntervalKind::Percentile);
    /// let band = DrawBand { system: &system, output, draws: &draws, left_out: None, kind, level: 0.5, scale: 1.0 };
    /// let (lower, upper) = band.ends(&[("x", &[10.0, 20.0])], &[11.0, 21.0], None, &Control::new()).unwrap();
    /// assert_eq!((lower, upper), (vec![10.5, 20.5], vec![11.5, 21.5]));
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn ends(
        &self,
        points: &Table<'_>,
        centre: &[f64],
        threads: Option<usize>,
        control: &Control,
    ) -> Result<(Vec<f64>, Vec<f64>), CoreError> {
        let count = rows_of(self.draws)?;
        if points
            .iter()
            .any(|(_, column)| column.len() != centre.len())
        {
            let message = format!("every column of the points must have {} rows", centre.len());
            return Err(CoreError::data("column-length", message));
        }
        let laws = self.laws(points, centre.len())?;
        let (mut lower, mut upper) = (vec![0.0; centre.len()], vec![0.0; centre.len()]);
        let step = (VALUES / count.max(1)).max(1);
        control.set_total(centre.len().div_ceil(step) as u64);
        let run = |desk: &mut Desk<'_>,
                   (part, (lower, upper)): (usize, (&mut [f64], &mut [f64]))| {
            control.check()?;
            for (i, (low, high)) in lower.iter_mut().zip(upper).enumerate() {
                let row = part * step + i;
                [*low, *high] = desk.ends(self, points, row, centre[row]);
            }
            control.advance(1);
            Ok(())
        };
        let desk = || Desk::new(&laws);
        if centre.len() <= step {
            run(&mut desk(), (0, (&mut lower, &mut upper)))?;
        } else {
            let parts = lower
                .par_chunks_mut(step)
                .zip(upper.par_chunks_mut(step))
                .enumerate();
            with_pool(threads, || parts.try_for_each_init(desk, run))?;
        }
        Ok((lower, upper))
    }

    /// The law compiled for each set of variables that are positive at some point, which decides how powers are computed.
    fn laws(&self, points: &Table<'_>, rows: usize) -> Result<BTreeMap<u64, Law<'_>>, CoreError> {
        let node = self.system.output(self.output).ok_or_else(|| {
            CoreError::law(
                "unknown-output",
                format!("there is no output `{}`", self.output),
            )
        })?;
        let mut laws = BTreeMap::new();
        for row in 0..rows {
            let signs = signs(points, row);
            if let Entry::Vacant(place) = laws.entry(signs) {
                let compiled = |draws| UnderDraws::new(self.system, node, points, signs, draws);
                place.insert(Law {
                    draws: compiled(self.draws)?,
                    left_out: self.left_out.map(compiled).transpose()?,
                });
            }
        }
        Ok(laws)
    }
}

/// Which variables are positive and finite at a point, one bit each; those beyond the 64th count as not known to be.
fn signs(points: &Table<'_>, row: usize) -> u64 {
    points
        .iter()
        .take(64)
        .enumerate()
        .fold(0, |bits, (k, (_, column))| {
            bits | u64::from(is_positive(column[row])) << k
        })
}

fn is_positive(x: f64) -> bool {
    x > 0.0 && x < f64::INFINITY
}

/// The law under the draws, and under those of the left-out units.
struct Law<'a> {
    draws: UnderDraws<'a>,
    left_out: Option<UnderDraws<'a>>,
}

/// A program over the rows of a table of draws, in which the point is a handful of numbers.
struct UnderDraws<'a> {
    family: Family,
    columns: Vec<&'a [f64]>,
    /// What depends on the draws alone, such as the logarithms of parameters: computed once.
    cached: Vec<Vec<f64>>,
    count: usize,
}

impl<'a> UnderDraws<'a> {
    fn new(
        system: &System,
        node: NodeId,
        points: &Table<'_>,
        signs: u64,
        draws: &'a Table<'a>,
    ) -> Result<Self, CoreError> {
        let variables = points
            .iter()
            .enumerate()
            .map(|(k, (name, _))| Binding::uniform(name, k < 64 && signs >> k & 1 == 1));
        let parameters = draws
            .iter()
            .map(|(name, column)| Binding::prepared(name, column.iter().all(|&x| is_positive(x))));
        let bindings: Vec<Binding> = variables.chain(parameters).collect();
        let family = Family::compile(&system.graph, &[&[node]], &bindings)?;
        let columns: Vec<&[f64]> = draws.iter().map(|(_, column)| *column).collect();
        let count = rows_of(draws)?;
        let mut cached = vec![vec![0.0; count]; family.cached_len()];
        let mut slices: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
        family.prepare(Kernel::detect(), &columns, 0, count, &mut slices);
        Ok(UnderDraws {
            family,
            columns,
            cached,
            count,
        })
    }
}

fn rows_of(table: &Table<'_>) -> Result<usize, CoreError> {
    let rows = table.first().map_or(0, |(_, column)| column.len());
    match table.iter().find(|(_, column)| column.len() != rows) {
        None => Ok(rows),
        Some((name, column)) => {
            let message = format!(
                "`{name}` has {} draws where {rows} are needed",
                column.len()
            );
            Err(CoreError::data("column-length", message))
        }
    }
}

/// What one thread works with: a program in place for each set of signs, and the values at one point.
struct Desk<'a> {
    laws: BTreeMap<u64, (Bench<'a>, Option<Bench<'a>>)>,
    numbers: Vec<f64>,
    values: Vec<f64>,
    left_out: Vec<f64>,
}

impl<'a> Desk<'a> {
    fn new(laws: &'a BTreeMap<u64, Law<'a>>) -> Self {
        let in_place = |(&signs, law): (&u64, &'a Law<'a>)| {
            (
                signs,
                (
                    Bench::new(&law.draws),
                    law.left_out.as_ref().map(Bench::new),
                ),
            )
        };
        Desk {
            laws: laws.iter().map(in_place).collect(),
            numbers: Vec::new(),
            values: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// The ends at one point.
    fn ends(
        &mut self,
        asked: &DrawBand<'_>,
        points: &Table<'_>,
        row: usize,
        centre: f64,
    ) -> [f64; 2] {
        let Some((draws, left_out)) = self.laws.get_mut(&signs(points, row)) else {
            return [f64::NAN; 2];
        };
        self.numbers.clear();
        self.numbers
            .extend(points.iter().map(|(_, column)| column[row]));
        draws.finite_values(&self.numbers, &mut self.values);
        if let Some(left_out) = left_out {
            left_out.finite_values(&self.numbers, &mut self.left_out);
        }
        ends(
            asked.kind,
            asked.level,
            centre,
            &self.values,
            &self.left_out,
            asked.scale,
        )
    }
}

/// A program with its memory.
struct Bench<'a> {
    law: &'a UnderDraws<'a>,
    cached: Vec<&'a [f64]>,
    workspace: Workspace,
}

impl<'a> Bench<'a> {
    fn new(law: &'a UnderDraws<'a>) -> Self {
        Bench {
            law,
            cached: law.cached.iter().map(Vec::as_slice).collect(),
            workspace: Workspace::new(&law.family, 0, Kernel::detect()),
        }
    }

    /// The law at the point of these numbers under every draw, where it has a finite value.
    fn finite_values(&mut self, numbers: &[f64], values: &mut Vec<f64>) {
        let program = &self.law.family.programs()[0];
        program.set_uniforms(&mut self.workspace, numbers);
        values.clear();
        for start in (0..self.law.count).step_by(BLOCK) {
            let len = (self.law.count - start).min(BLOCK);
            program.run(
                &mut self.workspace,
                &self.law.columns,
                &self.cached,
                start,
                len,
            );
            match program.output(&self.workspace, 0) {
                Output::Uniform(number) => values.resize(values.len() + len, number),
                Output::Block(block) => values.extend_from_slice(block),
            }
        }
        values.retain(|value| value.is_finite());
    }
}

#[cfg(test)]
mod tests;
