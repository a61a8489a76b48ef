//! The lanes of a stake, in pieces that threads share out.
//!
//! In: a question of two free variables, `K` lanes of its parameters and a target for each. Out: answers, outcomes of a
//! size, and their mean, whose sums run over fixed pieces in order: the same bits for any number of threads.

use rayon::prelude::*;
use scalefast_expr::BLOCK;

use super::worth::{self, Steps};
use crate::allocate::lanes::{Compiled, Part, Scratch, Span, spans};
use crate::allocate::numeric::{Answers, Solver};
use crate::allocate::question::Question;
use crate::allocate::status::Status;
use crate::error::CoreError;
use crate::executor::Control;
use crate::predict::Values;

/// Lanes of one piece: few enough that threads finish together.
const PIECE: usize = 4 * BLOCK;
/// What the solver's D at its bound may be short of it by rounding.
const ROUNDING: f64 = 1e-11;

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

/// A question compiled for every lane.
pub(super) struct Lanes<'a> {
    compiled: Compiled<'a>,
    targets: &'a [f64],
}

impl<'a> Lanes<'a> {
    /// Compiles for `values`, in the order of the question's parameters, and one target a lane.
    pub fn new(
        question: &'a Question,
        values: &[Values<'a>],
        targets: &'a [f64],
    ) -> Result<Self, CoreError> {
        Ok(Lanes {
            compiled: Compiled::new(question, values, Some(targets))?,
            targets,
        })
    }

    /// Whether a size lies within its bounds, up to rounding.
    pub fn allows(&self, first: f64) -> bool {
        let [low, high] = self.compiled.question.bounds[0];
        low.is_none_or(|low| first >= low * (1.0 - ROUNDING))
            && high.is_none_or(|high| first <= high * (1.0 + ROUNDING))
    }

    /// What `run` finds in each piece, in order.
    fn pieces<R: Send>(
        &self,
        control: &Control,
        run: impl Fn(&mut Scratch, Span) -> Result<R, CoreError> + Sync,
    ) -> Result<Vec<R>, CoreError> {
        let count = self.targets.len();
        let span = |piece: usize| Span {
            start: piece * PIECE,
            len: PIECE.min(count - piece * PIECE),
        };
        (0..count.div_ceil(PIECE))
            .into_par_iter()
            .map_init(
                || self.compiled.scratch(),
                |scratch, piece| {
                    control.check()?;
                    run(scratch, span(piece))
                },
            )
            .collect()
    }

    /// Answers every lane; where nothing within the bounds spends the whole target, their upper corner is the answer.
    pub fn solve(&self, control: &Control) -> Result<Answers, CoreError> {
        let solver = Solver::new(&self.compiled);
        let parts = self.pieces(control, |scratch, piece| {
            let mut answers = solver.solve(scratch, piece, control)?;
            if self.compiled.question.rising {
                self.take_corners(scratch, piece, &mut answers);
            }
            Ok(answers)
        })?;
        let mut whole = Answers::default();
        parts.into_iter().for_each(|part| whole.append(part));
        Ok(whole)
    }

    /// What a size gives in each lane.
    pub fn outcome(&self, first: f64, control: &Control) -> Result<Outcome, CoreError> {
        let solver = Solver::new(&self.compiled);
        let parts = self.pieces(control, |scratch, piece| {
            Ok(self.part(&solver, scratch, piece, first, true))
        })?;
        let mut whole = Outcome::default();
        for part in parts {
            whole.second.extend(part.second);
            whole.cost.extend(part.cost);
            whole.loss.extend(part.loss);
        }
        Ok(whole)
    }

    /// The mean wasted share of a size over the lanes that have an optimum; NaN where one of them cannot have the size.
    pub fn mean_waste(
        &self,
        first: f64,
        steps: &[Steps],
        control: &Control,
    ) -> Result<f64, CoreError> {
        let solver = Solver::new(&self.compiled);
        let parts = self.pieces(control, |scratch, piece| {
            let losses = self.part(&solver, scratch, piece, first, false).loss;
            let kept = losses.iter().zip(&steps[piece.start..]);
            let kept = kept.filter(|(_, steps)| !steps[0].is_nan());
            Ok(kept.fold((0.0, 0usize), |(sum, count), (loss, steps)| {
                (sum + worth::wasted(steps, *loss), count + 1)
            }))
        })?;
        let (sum, count) = parts
            .iter()
            .fold((0.0, 0), |whole, part| (whole.0 + part.0, whole.1 + part.1));
        Ok(sum / count as f64)
    }

    fn part(
        &self,
        solver: &Solver<'_>,
        scratch: &mut Scratch,
        piece: Span,
        first: f64,
        with_cost: bool,
    ) -> Outcome {
        let mut found = Outcome {
            second: vec![f64::NAN; piece.len],
            cost: vec![f64::NAN; if with_cost { piece.len } else { 0 }],
            loss: vec![f64::NAN; piece.len],
        };
        let [low, high] = self.compiled.question.bounds[1];
        for span in spans(piece) {
            let range = span.start - piece.start..span.start - piece.start + span.len;
            let firsts = vec![first; span.len];
            let (mut y, second) = (vec![f64::NAN; span.len], &mut found.second[range.clone()]);
            solver
                .constraint
                .second(scratch, span, &firsts, &mut y, second);
            for d in second.iter_mut() {
                *d = match (low, high) {
                    (_, Some(high)) if *d > high * (1.0 - ROUNDING) => high,
                    (Some(low), _) if *d < low * (1.0 - ROUNDING) => f64::NAN,
                    _ => *d,
                };
            }
            let loss = &mut found.loss[range.clone()];
            let free: [&[f64]; 2] = [&firsts, second];
            self.compiled
                .run(scratch, Part::Objective, span, &free, &mut [loss]);
            if with_cost {
                let [.., cost, _] = self.report(scratch, span, free);
                found.cost[range].copy_from_slice(&cost);
            }
        }
        for (loss, second) in found.loss.iter_mut().zip(&found.second) {
            if second.is_nan() {
                *loss = f64::NAN;
            }
        }
        found
    }

    /// First and second variable, cost and loss of some lanes.
    fn report(&self, scratch: &mut Scratch, span: Span, free: [&[f64]; 2]) -> [Vec<f64>; 4] {
        let mut found: [Vec<f64>; 4] = std::array::from_fn(|_| vec![0.0; span.len]);
        let [first, second, cost, loss] = &mut found;
        let columns: &mut [&mut [f64]] = &mut [first, second, cost, loss];
        self.compiled
            .run(scratch, Part::Report, span, &free, columns);
        found
    }

    /// The upper corner of the bounds for the lanes of a piece that have no answer but can pay for it.
    fn take_corners(&self, scratch: &mut Scratch, piece: Span, answers: &mut Answers) {
        let [[_, Some(first)], [_, Some(second)]] = self.compiled.question.bounds[..] else {
            return;
        };
        for span in spans(piece) {
            let [firsts, seconds] = [first, second].map(|end| vec![end; span.len]);
            let found = self.report(scratch, span, [&firsts, &seconds]);
            for i in 0..span.len {
                let (lane, place) = (span.start + i, span.start - piece.start + i);
                if answers.status[place].is_solved() || found[2][i] > self.targets[lane] {
                    continue;
                }
                answers.status[place] = Status::FirstMax;
                for (column, values) in answers.columns.iter_mut().zip(&found) {
                    column[place] = values[i];
                }
            }
        }
    }
}
