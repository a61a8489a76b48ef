//! What the search of a block of lanes works on: where it may go, what a grid showed there, and where each lane is.
//!
//! Stage: the memory of the numeric solver. In: ends of the feasible x = ln N of each lane, values of the objective at points
//! of a grid between them. Out: the least value of each lane, bracketed by its neighbours, how many valleys were seen, and a
//! start.

use scalefast_expr::{BLOCK, Kernel};

use crate::allocate::bracket::Bracket;
use crate::allocate::status::Status;

/// A Newton step below this (in nats) ends a search: the next one would be its square.
const LAST_STEP: f64 = 1e-9;
/// Two Newton steps end it too where the next would be below this, by their quadratic convergence.
const NEXT_STEP: f64 = 1e-11;

/// Points of the grid that brackets the least value.
pub(super) const GRID: usize = 40;

/// The feasible x of the lanes of a block, with what limits each end.
pub(super) struct Window {
    pub ends: [Vec<f64>; 2],
    pub limits: [Vec<Status>; 2],
}

/// The grid of a block: x and D of each point, the same in all lanes (`None`: to be solved lane by lane).
pub(super) struct Grid {
    pub first: Vec<f64>,
    pub second: Vec<f64>,
}

impl Window {
    /// Point `g` of the grid of a lane; the ends are exact.
    pub fn point(&self, lane: usize, g: usize) -> f64 {
        let [low, high] = [self.ends[0][lane], self.ends[1][lane]];
        match g {
            0 => low,
            _ if g == GRID - 1 => high,
            _ => low + (high - low) * (g as f64 / (GRID - 1) as f64),
        }
    }

    /// The window of the first lane, for so many.
    pub fn repeated(&self, lanes: usize) -> Window {
        Window {
            ends: [0, 1].map(|k| vec![self.ends[k][0]; lanes]),
            limits: [0, 1].map(|k| vec![self.limits[k][0]; lanes]),
        }
    }
}

/// What the grid showed in each lane of a block.
pub(super) struct Scan {
    stride: usize,
    /// The least value and its place.
    best: [f64; BLOCK],
    place: [f64; BLOCK],
    /// Values beside it; infinite where there is none.
    left: [f64; BLOCK],
    right: [f64; BLOCK],
    /// The value of the last point, and whether it lay above the one before.
    last: [f64; BLOCK],
    rising: [f64; BLOCK],
    /// How often the values began to fall.
    pub valleys: [f64; BLOCK],
}

impl Scan {
    pub fn new(stride: usize) -> Scan {
        Scan {
            stride,
            best: [f64::INFINITY; BLOCK],
            place: [0.0; BLOCK],
            left: [f64::INFINITY; BLOCK],
            right: [f64::INFINITY; BLOCK],
            last: [f64::INFINITY; BLOCK],
            rising: [1.0; BLOCK],
            valleys: [0.0; BLOCK],
        }
    }

    /// Takes the values of point `g`, which follow those of point `g - stride`.
    pub fn take(&mut self, kernel: Kernel, g: usize, value: &[f64]) {
        let (at, stride, len) = (g as f64, self.stride as f64, value.len());
        let (best, place, last) = (
            &mut self.best[..len],
            &mut self.place[..len],
            &mut self.last[..len],
        );
        let (left, right) = (&mut self.left[..len], &mut self.right[..len]);
        let (rising, valleys) = (&mut self.rising[..len], &mut self.valleys[..len]);
        kernel.dispatch(
            #[inline(always)]
            || {
                for i in 0..len {
                    // A NaN is no value.
                    let found = if value[i] < f64::INFINITY {
                        value[i]
                    } else {
                        f64::INFINITY
                    };
                    let better = found < best[i];
                    let next = if place[i] + stride == at {
                        found
                    } else {
                        right[i]
                    };
                    right[i] = if better { f64::INFINITY } else { next };
                    left[i] = if better { last[i] } else { left[i] };
                    place[i] = if better { at } else { place[i] };
                    best[i] = if better { found } else { best[i] };
                    valleys[i] += if found < last[i] { rising[i] } else { 0.0 };
                    let level = if found > last[i] { 1.0 } else { rising[i] };
                    rising[i] = if found < last[i] { 0.0 } else { level };
                    last[i] = found;
                }
            },
        );
    }

    /// Whether some lane has more than one valley.
    pub fn several_valleys(&self) -> bool {
        self.valleys.iter().any(|&valleys| valleys > 1.0)
    }
}

/// The state of the search of each lane of a block.
pub(super) struct Search {
    stride: usize,
    pub x: Vec<f64>,
    /// ln D, where the search has been.
    pub y: Vec<f64>,
    brackets: Vec<Bracket>,
    /// The objective where it was last found, and by how much it may have fallen since.
    pub value: Vec<f64>,
    pub slack: Vec<f64>,
    pub best_value: Vec<f64>,
    pub place: Vec<usize>,
}

impl Search {
    /// Brackets the least value of each lane, with a start near the vertex of the parabola through it and its neighbours.
    pub fn from_scan(scan: &Scan, window: &Window, lanes: usize) -> Search {
        let mut search = Search {
            stride: scan.stride,
            x: vec![0.0; lanes],
            y: vec![f64::NAN; lanes],
            brackets: Vec::with_capacity(lanes),
            value: vec![f64::NAN; lanes],
            slack: vec![0.0; lanes],
            best_value: scan.best[..lanes].to_vec(),
            place: scan.place[..lanes]
                .iter()
                .map(|&place| place as usize)
                .collect(),
        };
        for i in 0..lanes {
            let [low, high] = search.beside(window, i);
            search.brackets.push(Bracket::new(low, high));
            let spacing = window.point(i, scan.stride) - window.point(i, 0);
            let (fall, rise) = (scan.left[i] - scan.best[i], scan.right[i] - scan.best[i]);
            let vertex = 0.5 * spacing * (fall - rise) / (fall + rise);
            let shift = if vertex.abs() < spacing { vertex } else { 0.0 };
            search.x[i] = window.point(i, search.place[i]) + shift;
        }
        search
    }

    /// One step of a lane towards where the slope is zero, from value, slope and curvature at its x; true at the end.
    pub fn step(&mut self, i: usize, window: &Window, [value, slope, curvature]: [f64; 3]) -> bool {
        let (x, ends) = (self.x[i], window.ends.each_ref().map(|end| end[i]));
        (self.value[i], self.slack[i]) = (value, 0.0);
        // Where there is no value, the way back is towards the best point seen.
        let above = if slope.is_nan() {
            x <= window.point(i, self.place[i])
        } else {
            slope <= 0.0
        };
        let at_its_end = if above { x >= ends[1] } else { x <= ends[0] };
        if slope == 0.0 || at_its_end {
            return true;
        }
        let bracket = &mut self.brackets[i];
        bracket.narrow(x, above);
        // At an end of the window the objective may be singular, and a step of Newton's as good as none.
        let inside = x > ends[0] && x < ends[1];
        let taken = (inside && curvature > 0.0).then(|| bracket.newton(x, -slope / curvature));
        if let Some(taken) = taken.flatten() {
            self.x[i] = taken.next;
            // The value was found a step before the end.
            self.slack[i] = curvature * taken.size * taken.size;
            return taken.size < LAST_STEP || taken.coming < NEXT_STEP;
        }
        // The end of the window may be the answer, and a bracket reaches it in one step.
        let (end, last) = if above {
            (bracket.high, ends[1])
        } else {
            (bracket.low, ends[0])
        };
        self.x[i] = bracket.halve((end == last).then_some(end));
        bracket.width() <= 4e-16 * (1.0 + x.abs())
    }

    /// The points beside the least value of a lane.
    pub fn beside(&self, window: &Window, lane: usize) -> [f64; 2] {
        let place = self.place[lane];
        let (low, high) = (
            place.saturating_sub(self.stride),
            (place + self.stride).min(GRID - 1),
        );
        [window.point(lane, low), window.point(lane, high)]
    }
}
