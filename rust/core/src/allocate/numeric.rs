//! The best split of a budget, or the cheapest way to a loss, for laws and costs of any form.
//!
//! In: a [`Question`], the parameters as numbers or as columns of `K` lanes (draws), targets. Out: for each lane the two
//! variables, cost, loss and a status. For two free variables each lane is a minimum over x = ln N along the constraint,
//! D being solved from it: a grid over the feasible x brackets the least value, then Newton's method with exact slope and
//! curvature runs inside the bracket, halving it where a step would leave it. Golden section takes over where the slope
//! misleads, as at kinks. Of several valleys the deepest on the grid (40 points, at most four nats apart) is taken. Draws
//! look at every third point where the estimate has one valley at this target, and at all where a draw shows more.
//! Source: Nocedal and Wright, Numerical Optimization, 2006, section 3.5.
//! Longer than the rule, because `minimise` takes a block from its scan to the values that are reported.

mod found;
#[cfg(test)]
mod properties;
mod search;
#[cfg(test)]
mod tests;
mod window;

use scalefast_expr::BLOCK;

use super::lanes::{Compiled, Part, Scratch, Span, parts, spans};
use super::question::Question;
use super::status::Status;
use crate::error::CoreError;
use crate::executor::Control;
use crate::predict::Values;
pub use found::Answers;
use search::{GRID, Grid, Scan, Search, Window};
use window::{Constraint, TOLERANCE};

/// Between the points that are looked at where one valley is expected; the ends of the grid are among them.
const STRIDE: usize = 3;
/// Lanes of one scan of a shared grid: their columns stay in the second cache while the points pass by.
const SCANNED: usize = 16 * BLOCK;
/// Newton steps of one lane: bisection of a bracket of the widest grid takes about 55.
const MAX_STEPS: usize = 80;
/// 1/φ.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Answers for each of `targets`, the parameters being numbers, or columns of one value a target.
///
/// # Errors
/// `parameter-count`; `formula` errors of symbols without a value.
///
/// ```
/// use scalefast_core::allocate::{Aim, Question, answer};
/// use scalefast_core::predict::Values;
/// use scalefast_expr::System;
/// let law = System::formula("E + A/N**alpha + B/D**beta")?;
/// let spending = System::parse(&[("C", "6*N*D + 2*N*T"), ("N", "N"), ("D", "D")], &[])?;
/// let open = [[None, None]; 2];
/// let question = Question::new(&law, "L", &spending, Aim::Budget, &["N", "D"], &open).unwrap();
/// let value = |name: &String| match name.as_str() {
///     "E" => 1.69, "A" => 406.4, "B" => 410.7, "alpha" => 0.34, "beta" => 0.28, _ => 1e12,
/// };
/// let values: Vec<Values> = question.parameters().iter().map(|p| Values::Number(value(p))).collect();
/// let found = answer(&question, &values, &[1e23]).unwrap();
/// let [n, d] = [found.columns[0][0], found.columns[1][0]];
/// assert!(((6.0 * n * d + 2.0 * n * 1e12) / 1e23 - 1.0).abs() < 1e-12);
/// # Ok::<(), scalefast_expr::FormulaError>(())
/// ```
pub fn answer(
    question: &Question,
    values: &[Values<'_>],
    targets: &[f64],
) -> Result<Answers, CoreError> {
    check_count(question, values.len())?;
    let compiled = Compiled::new(question, values, Some(targets))?;
    let lanes = Span {
        start: 0,
        len: targets.len(),
    };
    let mut scratch = compiled.scratch();
    Solver::new(&compiled).solve(&mut scratch, lanes, &Control::new())
}

pub(super) fn check_count(question: &Question, found: usize) -> Result<(), CoreError> {
    let wanted = question.parameters();
    if found == wanted.len() {
        return Ok(());
    }
    let message = format!(
        "{} parameters are needed: {}",
        wanted.len(),
        wanted.join(", ")
    );
    Err(CoreError::settings("parameter-count", message))
}

/// Answers the lanes of a compiled question.
pub(super) struct Solver<'a> {
    compiled: &'a Compiled<'a>,
    pub question: &'a Question,
    pub constraint: Constraint<'a>,
    /// Whether every lane has the same constraint, so that the grid is solved once.
    shared: bool,
}

impl<'a> Solver<'a> {
    pub fn new(compiled: &'a Compiled<'a>) -> Self {
        let question = compiled.question;
        Solver {
            compiled,
            question,
            constraint: Constraint { compiled, question },
            shared: !question.constraint_reads(&compiled.varying),
        }
    }

    /// Answers some lanes.
    pub fn solve(
        &self,
        scratch: &mut Scratch,
        lanes: Span,
        control: &Control,
    ) -> Result<Answers, CoreError> {
        self.solve_expecting(scratch, lanes, false, control)
    }

    /// The same; `one_valley` says that no lane is expected to have several.
    pub fn solve_expecting(
        &self,
        scratch: &mut Scratch,
        lanes: Span,
        one_valley: bool,
        control: &Control,
    ) -> Result<Answers, CoreError> {
        let mut answers = Answers::default();
        if self.question.along.is_none() {
            for span in spans(lanes) {
                control.check()?;
                self.solve_one(scratch, span, &mut answers);
            }
        } else if self.shared {
            let window = self.constraint.window(scratch, Span { start: 0, len: 1 });
            let grid = self.shared_grid(scratch, &window);
            let stride = if one_valley { STRIDE } else { 1 };
            for group in parts(lanes, SCANNED) {
                control.check()?;
                let scans = self.shared_scans(scratch, group, &grid, stride);
                for (span, scan) in spans(group).zip(scans) {
                    let scan = match stride > 1 && scan.several_valleys() {
                        true => self.shared_scans(scratch, span, &grid, 1).swap_remove(0),
                        false => scan,
                    };
                    let window = window.repeated(span.len);
                    self.minimise(scratch, span, &window, &scan, &mut answers);
                }
            }
        } else {
            for span in spans(lanes) {
                control.check()?;
                let window = self.constraint.window(scratch, span);
                let scan = self.scan(scratch, span, &window);
                self.minimise(scratch, span, &window, &scan, &mut answers);
            }
        }
        Ok(answers)
    }

    /// The loss in each of some lanes at one split: N and D, of which the free ones count.
    pub fn losses_at(&self, scratch: &mut Scratch, lanes: Span, split: [f64; 2]) -> Vec<f64> {
        let mut losses = Vec::with_capacity(lanes.len);
        let free: Vec<[f64; BLOCK]> = self
            .question
            .free_places
            .iter()
            .map(|&place| [split[place]; BLOCK])
            .collect();
        let mut found = [[0.0; BLOCK]; 5];
        for span in spans(lanes) {
            let free: Vec<&[f64]> = free.iter().map(|values| &values[..span.len]).collect();
            let [first, second, cost, loss, residual] = &mut found;
            let out: &mut [&mut [f64]] = &mut [first, second, cost, loss, residual];
            self.compiled.run(scratch, Part::Report, span, &free, out);
            losses.extend_from_slice(&found[3][..span.len]);
        }
        losses
    }

    /// The grid where all lanes share one constraint: each point is a lane of one run.
    fn shared_grid(&self, scratch: &mut Scratch, window: &Window) -> Grid {
        let span = Span {
            start: 0,
            len: GRID,
        };
        let x: Vec<f64> = (0..GRID).map(|g| window.point(0, g)).collect();
        let mut first = vec![0.0; GRID];
        self.compiled.exponential(scratch, &x, &mut first);
        let (mut y, mut second) = (vec![f64::NAN; GRID], vec![0.0; GRID]);
        self.constraint
            .second(scratch, span, &first, &mut y, &mut second);
        Grid { first, second }
    }

    /// One free variable: the constraint alone gives it.
    fn solve_one(&self, scratch: &mut Scratch, span: Span, answers: &mut Answers) {
        let [low, high] = self.constraint.bounds(0).map(|end| vec![end; span.len]);
        let mut z = vec![0.5 * (low[0] + high[0]); span.len];
        self.compiled
            .root(scratch, span, Part::Last, None, [&low, &high], &mut z);
        let mut value = vec![0.0; span.len];
        self.compiled.exponential(scratch, &z, &mut value);
        let status = vec![Status::Interior; span.len];
        answers.one_valley.extend(vec![true; span.len]);
        self.report(scratch, span, &[&value], &status, answers);
    }

    /// Minimises each lane of a block from what its scan has seen.
    fn minimise(
        &self,
        scratch: &mut Scratch,
        span: Span,
        window: &Window,
        scan: &Scan,
        answers: &mut Answers,
    ) {
        let len = span.len;
        let mut state = Search::from_scan(scan, window, len);
        self.newton(scratch, span, window, &mut state);
        for i in 0..len {
            // A lane that ended above what the grid had seen was misled.
            let rounding = 1e-13 * state.best_value[i].abs() + state.slack[i];
            if state.best_value[i].is_finite()
                && (state.value[i].is_nan() || state.value[i] > state.best_value[i] + rounding)
            {
                self.golden(scratch, span, i, window, &mut state);
            }
        }
        let valleys = scan.valleys[..len].iter();
        answers
            .one_valley
            .extend(valleys.map(|&valleys| valleys == 1.0));
        let status: Vec<Status> = (0..len)
            .map(|i| {
                let x = state.x[i];
                let [low, high] = [window.ends[0][i], window.ends[1][i]];
                let near = 1e-12 * (1.0 + x.abs());
                if !state.best_value[i].is_finite() {
                    Status::Infeasible
                } else if x <= low + near {
                    window.limits[0][i]
                } else if x >= high - near {
                    window.limits[1][i]
                } else {
                    Status::Interior
                }
            })
            .collect();
        let mut first = vec![0.0; len];
        self.compiled.exponential(scratch, &state.x, &mut first);
        let mut second = vec![0.0; len];
        // A bound that binds is reported as it was given.
        let bound = |k: usize, end: usize| self.question.bounds[k][end];
        for (first, status) in first.iter_mut().zip(&status) {
            let held = match status {
                Status::FirstMin => bound(0, 0),
                Status::FirstMax => bound(0, 1),
                _ => None,
            };
            *first = held.unwrap_or(*first);
        }
        self.constraint
            .second(scratch, span, &first, &mut state.y, &mut second);
        for (second, status) in second.iter_mut().zip(&status) {
            let held = match status {
                Status::SecondMin => bound(1, 0),
                Status::SecondMax => bound(1, 1),
                _ => None,
            };
            *second = held.unwrap_or(*second);
        }
        self.report(scratch, span, &[&first, &second], &status, answers);
    }

    /// Looks at every point of the grid of a block, D being solved lane by lane.
    fn scan(&self, scratch: &mut Scratch, span: Span, window: &Window) -> Scan {
        let len = span.len;
        let mut scan = Scan::new(1);
        let (mut x, mut first, mut second) = (vec![0.0; len], vec![0.0; len], vec![0.0; len]);
        let (mut y, mut value) = (vec![f64::NAN; len], vec![f64::NAN; len]);
        for g in 0..GRID {
            (0..len).for_each(|i| x[i] = window.point(i, g));
            self.compiled.exponential(scratch, &x, &mut first);
            self.constraint
                .second(scratch, span, &first, &mut y, &mut second);
            let free: [&[f64]; 2] = [&first, &second];
            let out: &mut [&mut [f64]] = &mut [&mut value];
            self.compiled
                .run(scratch, Part::Objective, span, &free, out);
            scan.take(self.compiled.kernel, g, &value);
        }
        scan
    }

    /// Looks at every `stride`-th point of a grid that all lanes share, block by block of some lanes.
    fn shared_scans(
        &self,
        scratch: &mut Scratch,
        lanes: Span,
        grid: &Grid,
        stride: usize,
    ) -> Vec<Scan> {
        let mut scans: Vec<Scan> = spans(lanes).map(|_| Scan::new(stride)).collect();
        let mut value = [f64::NAN; BLOCK];
        for g in (0..GRID).step_by(stride) {
            self.compiled
                .set_shared(scratch, [grid.first[g], grid.second[g]]);
            for (span, scan) in spans(lanes).zip(&mut scans) {
                self.compiled.shared_objective(scratch, span, &mut value);
                scan.take(self.compiled.kernel, g, &value[..span.len]);
            }
        }
        scans
    }

    /// Newton's method on the slope, within the bracket.
    fn newton(&self, scratch: &mut Scratch, span: Span, window: &Window, state: &mut Search) {
        let len = span.len;
        let mut done: Vec<bool> = state.best_value.iter().map(|v| !v.is_finite()).collect();
        let (mut first, mut second) = (vec![0.0; len], vec![0.0; len]);
        let mut columns = [vec![0.0; len], vec![0.0; len], vec![0.0; len]];
        for _ in 0..MAX_STEPS {
            if done.iter().all(|&done| done) {
                return;
            }
            self.compiled.exponential(scratch, &state.x, &mut first);
            self.constraint
                .second(scratch, span, &first, &mut state.y, &mut second);
            let [value, slope, curvature] = &mut columns;
            self.compiled.run(
                scratch,
                Part::Along,
                span,
                &[&first, &second],
                &mut [value, slope, curvature],
            );
            for i in 0..len {
                done[i] =
                    done[i] || state.step(i, window, columns.each_ref().map(|column| column[i]));
            }
        }
    }

    /// The objective of one lane at `x`.
    fn objective(&self, scratch: &mut Scratch, lane: Span, x: f64) -> f64 {
        let (mut first, mut second, mut value) = ([0.0], [0.0], [0.0]);
        self.compiled.exponential(scratch, &[x], &mut first);
        self.constraint
            .second(scratch, lane, &first, &mut [f64::NAN], &mut second);
        let free: [&[f64]; 2] = [&first, &second];
        let out: &mut [&mut [f64]] = &mut [&mut value];
        self.compiled
            .run(scratch, Part::Objective, lane, &free, out);
        value[0]
    }

    /// Golden section around the best point of the grid, for one lane whose slope misled Newton's method.
    fn golden(
        &self,
        scratch: &mut Scratch,
        span: Span,
        lane: usize,
        window: &Window,
        state: &mut Search,
    ) {
        let one = Span {
            start: span.start + lane,
            len: 1,
        };
        let mut at = |x: f64| {
            let value = self.objective(scratch, one, x);
            if value < f64::INFINITY {
                value
            } else {
                f64::INFINITY
            }
        };
        let centre = window.point(lane, state.place[lane]);
        let [mut low, mut high] = state.beside(window, lane);
        let mut inner = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
        let mut values = inner.map(&mut at);
        while high - low > 1e-14 * (1.0 + high.abs()) {
            if values[0] <= values[1] {
                high = inner[1];
                inner = [high - GOLDEN * (high - low), inner[0]];
                values = [at(inner[0]), values[0]];
            } else {
                low = inner[0];
                inner = [inner[1], low + GOLDEN * (high - low)];
                values = [values[1], at(inner[1])];
            }
            if inner[0] >= inner[1] {
                break;
            }
        }
        let found = 0.5 * (low + high);
        state.x[lane] = if at(found) <= state.best_value[lane] {
            found
        } else {
            centre
        };
        state.y[lane] = f64::NAN;
    }

    /// Adds the answers of a block; a lane that misses its constraint is infeasible.
    fn report(
        &self,
        scratch: &mut Scratch,
        span: Span,
        free: &[&[f64]],
        status: &[Status],
        answers: &mut Answers,
    ) {
        let mut found = [[0.0; BLOCK]; 5];
        let [first, second, cost, loss, residual] = &mut found;
        let out: &mut [&mut [f64]] = &mut [first, second, cost, loss, residual];
        self.compiled.run(scratch, Part::Report, span, free, out);
        let (found, residual) = found.split_at(4);
        for i in 0..span.len {
            let met = residual[0][i].abs() <= TOLERANCE;
            let finite = found.iter().all(|column| column[i].is_finite());
            let within = (0..free.len()).all(|k| self.constraint.is_within(k, free[k][i]));
            let status = if met && finite && within {
                status[i]
            } else {
                status[i].without_answer()
            };
            answers.status.push(status);
            for (column, values) in answers.columns.iter_mut().zip(found) {
                column.push(if status.is_solved() {
                    values[i]
                } else {
                    f64::NAN
                });
            }
        }
    }
}
