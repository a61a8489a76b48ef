//! Starts that the user gave, each followed to its end: a frame of thousands, or a published grid of millions.
//!
//! In: `S` starts of all parameters of the law. Out: [`Runs`]: each start, and where it led. A robust loss is solved
//! through lowered thresholds; the end of each is kept to [`KEPT_BITS`] bits, so that starts which meet there go on as one.
//! Of 4,500 published starts thousands meet in the first: what remains to be done is done once. A start's path is a pure
//! function of the start: that paths are shared changes no bit of where they end, and a start given alone is the slow twin.
//! Longer than the rule, because `given` keeps the order of the starts from portion to portion.

use std::collections::HashMap;

use rayon::prelude::*;

use super::search::{LONG_SOLVE, Run, SAME_OPTIMUM, Search};
use crate::error::CoreError;
use crate::executor::Control;
use crate::objective::Scratch;
use crate::solver::{Solution, Status};

/// Bits of the fraction that the end of a threshold keeps: coarse against the error of the end, fine against its basin.
const KEPT_BITS: u32 = 12;
/// The promised decrease, as a share of the objective, at which a threshold is done with: the end is then met to more
/// digits than are kept.
const MET: f64 = 1e-12;
/// Starts that are taken to their ends together; an interruption loses no more.
const PORTION: usize = 1024;

/// Starts and where they led: `S` starts of `p` free parameters, many of which may share an end.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// The free parameters of every start, one start after the other.
    pub starts: Vec<f64>,
    /// Evaluations along the path of every start, shared parts included.
    pub evaluations: Vec<u32>,
    /// The number of the end of every start.
    pub end_of: Vec<u32>,
    /// The ends.
    pub ends: Vec<Solution>,
}

impl Runs {
    /// How many starts there are.
    pub fn len(&self) -> usize {
        self.end_of.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.end_of.is_empty()
    }

    /// The free parameters of start `i`.
    pub fn start(&self, i: usize) -> &[f64] {
        let p = self.starts.len() / self.len().max(1);
        &self.starts[i * p..(i + 1) * p]
    }

    /// Where start `i` led.
    pub fn end(&self, i: usize) -> &Solution {
        &self.ends[self.end_of[i] as usize]
    }

    /// The first of the starts that led to the lowest objective; `None` where the law is undefined at all of them.
    pub(crate) fn best(&self) -> Option<usize> {
        let ended = (0..self.len()).filter(|&i| self.end(i).cost.is_finite());
        ended.min_by(|&i, &j| self.end(i).cost.total_cmp(&self.end(j).cost))
    }

    /// How many starts ended in the same optimum as `best`, and the largest relative difference of the objective among them.
    pub(crate) fn agreement(&self, search: &Search<'_, '_>, best: f64) -> (usize, f64) {
        let exact = search.exact(best);
        let same = |cost: f64| cost - best <= SAME_OPTIMUM * best || (exact && search.exact(cost));
        let agreeing = self.end_of.iter().map(|&end| self.ends[end as usize].cost);
        let (count, highest) = agreeing
            .filter(|&cost| same(cost))
            .fold((0, best), |(n, high), cost| (n + 1, cost.max(high)));
        let spread = if exact || best == 0.0 {
            0.0
        } else {
            (highest - best) / best
        };
        (count, spread)
    }

    /// How many starts were solved, whatever they led to.
    pub fn solved(&self) -> usize {
        let statuses = self
            .end_of
            .iter()
            .map(|&end| self.ends[end as usize].status);
        statuses.filter(|&s| s != Status::Interrupted).count()
    }
}

impl From<Vec<Run>> for Runs {
    fn from(runs: Vec<Run>) -> Self {
        let mut all = Runs::default();
        for (number, run) in runs.into_iter().enumerate() {
            all.starts.extend(&run.start);
            all.evaluations.push(run.end.evaluations as u32);
            all.end_of.push(number as u32);
            all.ends.push(run.end);
        }
        all
    }
}

/// Solves every start (`values`: rows of all parameters of the law, one after the other). Starts that `control` stopped
/// have the status `interrupted`.
///
/// # Errors
/// `Settings`: `no-starts`, `start-shape`.
pub(crate) fn given(
    search: &Search<'_, '_>,
    values: &[f64],
    control: &Control,
) -> Result<Runs, CoreError> {
    let width = search.model.parameters.len();
    if values.is_empty() {
        let message = "there are no starts";
        return Err(CoreError::settings("no-starts", message).with_argument("starts"));
    }
    if !values.len().is_multiple_of(width) {
        let message = format!("{} values are no rows of {width} parameters", values.len());
        return Err(CoreError::settings("start-shape", message).with_argument("starts"));
    }
    control.set_total((values.len() / width) as u64);
    let free = |row: &[f64]| -> Vec<f64> {
        let positions = search.model.free.iter().map(|f| f.position);
        positions.map(|q| row[q]).collect()
    };
    let mut runs = Runs::default();
    let mut paths = Paths::default();
    for portion in values.chunks(PORTION * width) {
        let begun: Vec<(Vec<f64>, Option<Begun>)> = portion
            .par_chunks(width)
            .map_init(
                || search.objective.scratch(),
                |scratch, row| {
                    let start = free(row);
                    let begun = begin(search, scratch, &start, control).ok();
                    (start, begun)
                },
            )
            .collect();
        let mut at: Vec<Option<u32>> = Vec::with_capacity(begun.len());
        for (start, begun) in begun {
            runs.starts.extend(&start);
            runs.evaluations.push(match &begun {
                Some(Begun::Waiting(_, spent)) => *spent as u32,
                _ => 0,
            });
            at.push(begun.map(|begun| match begun {
                Begun::Ended(end) => paths.ended(end),
                Begun::Waiting(station, _) => paths.number(station),
            }));
        }
        // What is not reached because of an interruption shows in the ends.
        let _stopped = paths.travel(search, control);
        let first = runs.end_of.len();
        let mut solved = 0;
        for (i, at) in at.into_iter().enumerate() {
            let (end, spent) = match at.and_then(|at| paths.led[at as usize]) {
                Some(led) => {
                    solved += 1;
                    led
                }
                None => (paths.interrupted(search.model.p()), 0),
            };
            runs.end_of.push(end);
            runs.evaluations[first + i] += spent;
        }
        control.advance(solved);
    }
    runs.ends = paths.ends;
    Ok(runs)
}

/// A place between two thresholds.
#[derive(Clone, Debug)]
struct Station {
    /// The free parameters.
    theta: Vec<f64>,
    /// Thresholds above the loss's own that lie ahead: the next is 10 to this power times as large.
    ahead: usize,
}

/// What the first solve of a start came to.
enum Begun {
    /// The end: the loss has no threshold to lower.
    Ended(Solution),
    /// A place on the way, and the evaluations spent.
    Waiting(Station, usize),
}

fn begin(
    search: &Search<'_, '_>,
    scratch: &mut Scratch,
    start: &[f64],
    control: &Control,
) -> Result<Begun, CoreError> {
    if search.loss.threshold().is_none() {
        return Ok(Begun::Ended(search.solve_given(scratch, start, control)?));
    }
    let station = Station {
        theta: start.to_vec(),
        ahead: search.thresholds(scratch, start).len(),
    };
    if station.ahead == 0 {
        return Ok(Begun::Waiting(station, 0));
    }
    let (station, spent) = advance(search, scratch, &station, control)?;
    Ok(Begun::Waiting(station, spent))
}

/// Solves for the next threshold; the place there, and the evaluations spent.
fn advance(
    search: &Search<'_, '_>,
    scratch: &mut Scratch,
    station: &Station,
    control: &Control,
) -> Result<(Station, usize), CoreError> {
    let own = search.loss.threshold().unwrap_or(1.0);
    let threshold = (0..station.ahead).fold(own, |threshold, _| 10.0 * threshold);
    let found = search.relax(scratch, &station.theta, threshold, MET, control)?;
    let theta = if found.status == Status::Undefined {
        station.theta.clone()
    } else {
        found.theta.into_iter().map(kept).collect()
    };
    let ahead = station.ahead - 1;
    Ok((Station { theta, ahead }, found.evaluations))
}

/// The nearest number of [`KEPT_BITS`] bits.
fn kept(x: f64) -> f64 {
    let unit = 1u64 << (52 - KEPT_BITS);
    f64::from_bits((x.to_bits() + unit / 2) & !(unit - 1))
}

/// The places that were reached, each once, and where they lead.
#[derive(Default)]
struct Paths {
    stations: Vec<Station>,
    numbers: HashMap<(usize, Vec<u64>), u32>,
    /// The place after each place, and the evaluations until there.
    next: Vec<Option<(u32, u32)>>,
    /// The end of each place, and the evaluations until there.
    led: Vec<Option<(u32, u32)>>,
    ends: Vec<Solution>,
    /// The end of starts that were not solved.
    interrupted: Option<u32>,
    /// Places before this one lead to an end.
    settled: usize,
}

impl Paths {
    /// The number of a place.
    fn number(&mut self, station: Station) -> u32 {
        let bits = station.theta.iter().map(|t| t.to_bits()).collect();
        let next = self.stations.len() as u32;
        let number = *self.numbers.entry((station.ahead, bits)).or_insert(next);
        if number == next {
            self.add(station, None);
        }
        number
    }

    /// The number of a place that is an end.
    fn ended(&mut self, end: Solution) -> u32 {
        let station = Station {
            theta: Vec::new(),
            ahead: 0,
        };
        let led = (self.ends.len() as u32, end.evaluations as u32);
        self.ends.push(end);
        self.add(station, Some(led));
        self.stations.len() as u32 - 1
    }

    fn add(&mut self, station: Station, led: Option<(u32, u32)>) {
        self.stations.push(station);
        self.next.push(None);
        self.led.push(led);
    }

    /// The end of starts that were not solved.
    fn interrupted(&mut self, p: usize) -> u32 {
        *self.interrupted.get_or_insert_with(|| {
            self.ends.push(Solution {
                theta: vec![f64::NAN; p],
                cost: f64::NAN,
                status: Status::Interrupted,
                evaluations: 0,
                offset: f64::NAN,
            });
            self.ends.len() as u32 - 1
        })
    }

    /// Goes on from every place that leads nowhere yet, once, to the ends.
    fn travel(&mut self, search: &Search<'_, '_>, control: &Control) -> Result<(), CoreError> {
        let mut reached: Vec<Vec<usize>> = Vec::new();
        for i in (self.settled..self.stations.len()).filter(|&i| self.led[i].is_none()) {
            let ahead = self.stations[i].ahead;
            reached.resize(reached.len().max(ahead + 1), Vec::new());
            reached[ahead].push(i);
        }
        for ahead in (1..reached.len()).rev() {
            let moved: Vec<(Station, usize)> = reached[ahead]
                .par_iter()
                .map_init(
                    || search.objective.scratch(),
                    |scratch, &i| advance(search, scratch, &self.stations[i], control),
                )
                .collect::<Result<_, CoreError>>()?;
            for (i, (station, spent)) in std::mem::take(&mut reached[ahead]).into_iter().zip(moved)
            {
                let known = self.stations.len();
                let number = self.number(station);
                self.next[i] = Some((number, spent as u32));
                if number as usize == known {
                    reached[ahead - 1].push(known);
                }
                reached[ahead].push(i);
            }
        }
        let last = reached.first().map_or(&[][..], Vec::as_slice);
        let ends: Vec<Solution> = last
            .par_iter()
            .map_init(
                || search.objective.scratch(),
                |scratch, &i| {
                    let start = &self.stations[i].theta;
                    search.solve_own(scratch, start, LONG_SOLVE, control)
                },
            )
            .collect::<Result<_, CoreError>>()?;
        for (&i, end) in last.iter().zip(ends) {
            self.led[i] = Some((self.ends.len() as u32, end.evaluations as u32));
            self.ends.push(end);
        }
        for &i in reached.iter().skip(1).flatten() {
            self.led[i] = self.next[i].and_then(|(number, spent)| {
                let (end, later) = self.led[number as usize]?;
                Some((end, spent + later))
            });
        }
        self.settled = self.stations.len();
        Ok(())
    }
}
