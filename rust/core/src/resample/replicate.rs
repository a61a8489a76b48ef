//! One replicate, globally optimised.
//!
//! In: the compiled objective and the optima of the base fit, and what the replicate changes. Out: all parameters of the
//! law, the objective, a status. Starts are the optimum of all data, solved on the loss as it is; the best cell of the base
//! screen, screened again under the replicate's weights and solved through lowered thresholds; and, where these two do not
//! agree, the other optima of the base fit and further cells. The best end counts.
//! Longer than the rule, because `solve` tries one start after the other until a replicate is certified.

use super::plan::Change;
use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::Control;
use crate::fit::{self, CERTIFIED_OFFSET, Fit, FitSpec, StartSet, residual_unit};
use crate::model::{Model, Residual};
use crate::multistart::{
    LONG_SOLVE, Plan, SAME_OPTIMUM, SCREENING_ROWS, SHORT_SOLVE, Search, apart,
};
use crate::objective::{Objective, Order, Scratch};
use crate::solver::space::Space;
use crate::solver::termination::OFFSET;
use crate::solver::{Limits, Solution, Status, newton};
use crate::start::{Starts, linear_solve};
use scalefast_expr::math;
use std::borrow::Cow;

/// Cells of the base screen that every replicate screens again.
const CELLS: usize = 24;
/// Cells that are solved where the first does not agree with the optimum of all data.
const FOLLOWED: usize = 4;
/// Other optima of the base fit that are followed.
const OTHER_OPTIMA: usize = 3;

/// How one replicate ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Replicate {
    /// All parameters of the law; NaN where there is no fit.
    pub parameters: Vec<f64>,
    /// The objective under the replicate's weights, or of its response.
    pub objective: f64,
    /// `converged`, `at-bound`, `stalled`, `iterations`, `undefined` or `too-few-points`.
    pub status: &'static str,
    /// Whether it ended in another optimum than the one that the optimum of all data leads to.
    pub moved: bool,
}

/// Per-thread memory.
pub(super) struct Memory {
    fit: Scratch,
    screen: Option<Scratch>,
}

/// The base fit, ready to be repeated.
pub(super) struct Base<'d> {
    model: Model,
    objective: Objective<'d>,
    screen: Option<Objective<'d>>,
    cells: Vec<Vec<f64>>,
    home: Vec<f64>,
    others: Vec<Vec<f64>>,
    factors: Vec<bool>,
    /// The distinct design point of each row.
    points: Vec<u32>,
    /// Rows of each level, and how many parameters are its own.
    levels: Vec<(Vec<usize>, usize)>,
    response: Cow<'d, [f64]>,
    weights: Option<&'d [f64]>,
    /// Known standard deviations, the units of the residuals.
    sigma: Option<&'d [f64]>,
    residual: Residual,
    search: Settings,
}

#[derive(Clone, Copy)]
struct Settings {
    loss: crate::loss::Loss,
    unit: f64,
}

impl<'d> Base<'d> {
    /// Compiles the objective and screens the cells once under the weights of the data.
    pub(super) fn new(
        spec: &FitSpec,
        fit: &Fit,
        data: &'d Dataset<'_>,
        global: bool,
    ) -> Result<Self, CoreError> {
        let model = spec.model()?;
        let objective = Objective::new(&model, data, spec.residual)?;
        let starts = Starts::new(&model, data);
        // On many rows a replicate is close to the whole: the optima that the base fit knows are enough.
        let screens = global && spec.starts == StartSet::Global && data.len() <= SCREENING_ROWS;
        let screen = if screens {
            Some(Objective::new(&model, data, spec.residual.screened())?)
        } else {
            None
        };
        let cells = screen
            .as_ref()
            .map_or_else(Vec::new, |screen| best_cells(&model, screen, &starts));
        let unit = residual_unit(spec.residual, data);
        Ok(Self {
            factors: Starts::factors(&model),
            cells,
            home: fit.free.clone(),
            others: if global {
                other_optima(fit)
            } else {
                Vec::new()
            },
            points: design_points(&model, data),
            levels: fit::shares(&model)
                .into_iter()
                .map(|share| (fit::rows_of(&share.indicator, data), share.parameters))
                .collect(),
            response: Cow::Borrowed(&data.response),
            weights: data.weights.as_deref(),
            sigma: data.sigma(),
            residual: spec.residual,
            search: Settings {
                loss: fit.loss,
                unit,
            },
            model,
            objective,
            screen,
        })
    }

    pub(super) fn scratch(&self) -> Memory {
        Memory {
            fit: self.objective.scratch(),
            screen: self.screen.as_ref().map(Objective::scratch),
        }
    }

    /// Residuals of the base fit at unit weight, stretched by √(m/(m − p)) to the spread of the noise.
    pub(super) fn scaled_residuals(&self) -> Vec<f64> {
        let residual = self
            .objective
            .residuals(&mut self.objective.scratch(), &self.home);
        let (m, p) = (residual.len() as f64, self.home.len() as f64);
        let stretch = (m / (m - p).max(1.0)).sqrt();
        let weight = |row: usize| self.weights.map_or(1.0, |w| w[row]);
        residual
            .iter()
            .enumerate()
            .map(|(row, r)| stretch * r * weight(row).sqrt())
            .collect()
    }

    /// Fits one replicate.
    ///
    /// # Errors
    /// Only when `control` asks to stop.
    pub(super) fn replicate(
        &self,
        memory: &mut Memory,
        change: Change,
        control: &Control,
    ) -> Result<Replicate, CoreError> {
        match change {
            Change::Weights(factors) => {
                let weights: Vec<f64> = match self.weights {
                    Some(own) => factors.iter().zip(own).map(|(f, w)| f * w).collect(),
                    None => factors,
                };
                if self.distinct_points(&weights) <= self.model.p() || self.lacks_a_level(&weights)
                {
                    return Ok(self.without_fit("too-few-points"));
                }
                let objective = self.objective.with_weights(&weights);
                let screen = || self.screen.as_ref().map(|s| s.with_weights(&weights));
                self.solve(memory, &objective, screen, control)
            }
            Change::Residuals(scaled) => {
                let response = self.response_with(memory, &scaled);
                let objective = self.objective.with_response(&response);
                let screen = || self.screen.as_ref().map(|s| s.with_response(&response));
                self.solve(memory, &objective, screen, control)
            }
        }
    }

    /// The fitted values with these residuals (at unit weight) in place of their own.
    fn response_with(&self, memory: &mut Memory, scaled: &[f64]) -> Vec<f64> {
        let own = self.objective.residuals(&mut memory.fit, &self.home);
        let rows = own.iter().zip(scaled).zip(self.response.iter());
        rows.enumerate()
            .map(|(row, ((r, s), &y))| {
                let w = self.weights.map_or(1.0, |w| w[row]);
                let new = if w > 0.0 { s / w.sqrt() } else { 0.0 };
                let scale = self.sigma.map_or(1.0, |sigma| sigma[row]);
                match self.residual {
                    Residual::Identity => y + scale * (r - new),
                    Residual::Log => y * math::exp(scale * (r - new)),
                    Residual::Relative => y * (1.0 + scale * r) / (1.0 + scale * new),
                }
            })
            .collect()
    }

    fn solve<'o>(
        &self,
        memory: &mut Memory,
        objective: &Objective<'o>,
        screen: impl Fn() -> Option<Objective<'o>>,
        control: &Control,
    ) -> Result<Replicate, CoreError> {
        let search = Search {
            model: &self.model,
            objective,
            residual: self.residual,
            loss: self.search.loss,
            factors: &self.factors,
            unit: self.search.unit,
        };
        let home = descend_here(&search, &mut memory.fit, &self.home, control)?;
        let mut ends = vec![home];
        let cells = match (screen(), &mut memory.screen) {
            (Some(screen), Some(scratch)) => self.screened(&screen, scratch),
            _ => Vec::new(),
        };
        let mut cells = cells.iter();
        if let Some(cell) = cells.next() {
            ends.push(if search.loss.is_squared() {
                descend_here(&search, &mut memory.fit, cell, control)?
            } else {
                search.solve(&mut memory.fit, cell, SHORT_SOLVE, control)?
            });
        }
        if !self.agreed(&search, &ends) {
            for start in &self.others {
                ends.push(descend_here(&search, &mut memory.fit, start, control)?);
            }
            for cell in cells.take(FOLLOWED - 1) {
                ends.push(search.solve(&mut memory.fit, cell, SHORT_SOLVE, control)?);
            }
        }
        let home_cost = ends[0].cost;
        let Some(mut best) = ends
            .into_iter()
            .filter(|end| end.cost.is_finite())
            .min_by(|a, b| a.cost.total_cmp(&b.cost))
        else {
            return Ok(self.without_fit("undefined"));
        };
        if best.status == Status::Iterations {
            let more = search.solve(&mut memory.fit, &best.theta, LONG_SOLVE, control)?;
            if more.cost <= best.cost {
                best = more;
            }
        }
        let exact = search.exact(best.cost);
        let same =
            home_cost - best.cost <= SAME_OPTIMUM * best.cost || (exact && search.exact(home_cost));
        let space = Space::plain(&self.model);
        let at_bound = space.at_bound(&space.internal(&best.theta)).contains(&true);
        let settled = exact || best.offset <= CERTIFIED_OFFSET || best.status == Status::Converged;
        Ok(Replicate {
            parameters: self.model.expand(&best.theta),
            objective: best.cost,
            status: match (settled, at_bound) {
                (false, _) => best.status.name(),
                (true, true) => "at-bound",
                (true, false) => "converged",
            },
            moved: !same,
        })
    }

    /// Whether two solves from different sides ended in the same optimum; a start alone (all parameters linear) is enough.
    fn agreed(&self, search: &Search<'_, '_>, ends: &[Solution]) -> bool {
        match ends {
            [home, first] => {
                let (low, high) = (home.cost.min(first.cost), home.cost.max(first.cost));
                high - low <= SAME_OPTIMUM * low || search.exact(high)
            }
            _ => self.model.linear.iter().all(|&l| l),
        }
    }

    /// The cells in order of their cost under the replicate's weights, with their linear parameters solved for.
    fn screened(&self, screen: &Objective<'_>, scratch: &mut Scratch) -> Vec<Vec<f64>> {
        let mut scored: Vec<(f64, Vec<f64>)> = self
            .cells
            .iter()
            .filter_map(|cell| linear_solve(&self.model, screen, scratch, cell.clone()))
            .collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        scored.into_iter().map(|(_, theta)| theta).collect()
    }

    /// Distinct design points among the rows of positive weight, counted no further than needed.
    fn distinct_points(&self, weights: &[f64]) -> usize {
        let enough = self.model.p() + 1;
        let mut seen: Vec<u32> = Vec::with_capacity(enough);
        for (&point, &w) in self.points.iter().zip(weights) {
            if w > 0.0 && !seen.contains(&point) {
                seen.push(point);
                if seen.len() == enough {
                    break;
                }
            }
        }
        seen.len()
    }

    /// Whether a level has fewer distinct points left than parameters of its own.
    fn lacks_a_level(&self, weights: &[f64]) -> bool {
        self.levels.iter().any(|(rows, own)| {
            let mut seen: Vec<u32> = Vec::with_capacity(*own);
            for &row in rows {
                if weights[row] > 0.0 && !seen.contains(&self.points[row]) {
                    seen.push(self.points[row]);
                }
                if seen.len() == *own {
                    return false;
                }
            }
            true
        })
    }

    fn without_fit(&self, status: &'static str) -> Replicate {
        Replicate {
            parameters: vec![f64::NAN; self.model.parameters.len()],
            objective: f64::NAN,
            status,
            moved: false,
        }
    }
}

/// The solve on the loss as it is, which stays in the basin of the start: Newton steps on the curvature matrix, which a
/// start near its optimum allows, and the solver of the base fit where these do not converge.
fn descend_here(
    search: &Search<'_, '_>,
    scratch: &mut Scratch,
    start: &[f64],
    control: &Control,
) -> Result<Solution, CoreError> {
    let problem = newton::Problem {
        objective: search.objective,
        space: &Space::around(search.model, start, search.factors),
        loss: search.loss,
        order: Order::Newton,
    };
    let limits = Limits {
        iterations: SHORT_SOLVE,
        offset: OFFSET,
    };
    let end = newton::descend(&problem, scratch, start, limits, control)?;
    if search.loss.is_squared() && end.status != Status::Converged {
        return search.solve(scratch, start, SHORT_SOLVE, control);
    }
    Ok(end)
}

/// The best candidates of the screen under the data's own weights, no two of them close to each other.
fn best_cells(model: &Model, screen: &Objective<'_>, starts: &Starts<'_>) -> Vec<Vec<f64>> {
    if starts.dimension() == 0 {
        return Vec::new();
    }
    let mut scratch = screen.scratch();
    let mut scored: Vec<(f64, Vec<f64>)> = (0..Plan::of(starts.dimension()).candidates as u32)
        .filter_map(|index| {
            let cell = starts.candidate(index)?;
            let (cost, _) = linear_solve(model, screen, &mut scratch, cell.clone())?;
            Some((cost, cell))
        })
        .collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut cells: Vec<Vec<f64>> = Vec::new();
    for (_, cell) in scored {
        if cells.len() == CELLS {
            break;
        }
        if cells.iter().all(|other| apart(model, other, &cell)) {
            cells.push(cell);
        }
    }
    cells
}

/// Ends of the base fit that lie in other optima than the best, best first.
fn other_optima(fit: &Fit) -> Vec<Vec<f64>> {
    let mut ends: Vec<&Solution> = fit
        .runs
        .ends
        .iter()
        .filter(|end| end.cost.is_finite())
        .collect();
    ends.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let mut last = fit.objective;
    let mut others = Vec::new();
    for end in ends {
        if others.len() == OTHER_OPTIMA {
            break;
        }
        if end.cost > last * (1.0 + 1e-6) {
            last = end.cost;
            others.push(end.theta.clone());
        }
    }
    others
}

/// A number for each distinct row of the variables.
fn design_points(model: &Model, data: &Dataset<'_>) -> Vec<u32> {
    let columns: Vec<&[f64]> = model
        .variables
        .iter()
        .filter_map(|v| data.column(v))
        .collect();
    let mut numbers = std::collections::HashMap::new();
    (0..data.len())
        .map(|row| {
            let key: Vec<u64> = columns.iter().map(|c| c[row].to_bits()).collect();
            let next = numbers.len() as u32;
            *numbers.entry(key).or_insert(next)
        })
        .collect()
}
