//! A law compiled once for all groups: its programs, and where each group's search begins.
//!
//! Stage: before the batch solvers. In: a [`Model`] with `p` free parameters. Out: a [`Plan`] with three programs whose
//! parameters vary from lane to lane: the screening residual with its derivatives by the linear parameters, the residual
//! with all its first and second derivatives, and the terms that starts are read off. Laws whose starts need several terms
//! calibrated together have no plan; their groups are solved one by one.
//! Longer than the rule, because a plan is read off the law in one go, and its candidates follow one order.

use super::lanes::{Buffers, LANES, Lane, Layout, Pack};
use crate::error::CoreError;
use crate::model::{Draw, Model, RESPONSE, Residual};
use crate::parameter::Transform;
use crate::rng::Sobol;
use crate::start::{EXPONENTS, NEGATIVE_SHARE, roles, spread, told};
use scalefast_expr::{Binding, Family, Kernel, NodeId, Output, Rate, Workspace, math};

/// Candidates of a law with one nonlinear parameter: neighbours lie within a factor of 1.5 over the usual exponents.
const LINE_CANDIDATES: u32 = 12;
/// Nonlinear parameters that candidates of a low-discrepancy sequence still cover.
const MOST_NONLINEAR: usize = 6;

/// The program that screens candidates.
pub const SCREEN: usize = 0;
/// The program with second derivatives.
pub const DESCEND: usize = 1;
/// The program whose outputs starts are read off.
const PROBE: usize = 2;

/// How one nonlinear parameter of a candidate is set.
#[derive(Clone, Debug)]
enum Rule {
    /// The same number for every group.
    Fixed(f64),
    /// So that `term` (output `probe`) has size `target` at one row: `(target/term)^(1/degree)`.
    Term {
        probe: usize,
        position: f64,
        target: f64,
        degree: f64,
    },
    /// `factor` times output `probe` at one row.
    Offset {
        probe: usize,
        position: f64,
        factor: f64,
    },
}

/// A law ready to be fitted to groups in lanes.
pub struct Plan {
    /// The compiled programs.
    pub family: Family,
    /// The instruction set.
    pub kernel: Kernel,
    /// Number of free parameters.
    pub p: usize,
    /// Data columns at the head of the programs' inputs: the variables, then the response.
    pub data: usize,
    /// Outputs of [`SCREEN`].
    pub screen: Layout,
    /// Outputs of [`DESCEND`].
    pub descend: Layout,
    /// Lower bounds.
    pub lower: Vec<f64>,
    /// Upper bounds.
    pub upper: Vec<f64>,
    /// The linear parameters, then the others: the order in which systems are solved.
    pub order: Vec<usize>,
    /// How many of those are linear.
    pub linear: usize,
    /// Whether the linear ones are projected out (the residual is affine in them).
    pub projected: bool,
    /// Candidates: one rule a parameter that is not linear, in the order in which they are set.
    candidates: Vec<Vec<(usize, Rule)>>,
    /// How many candidates are followed.
    pub followed: usize,
    /// Whether the candidates lie on a line, in order: then only local minima among them are followed.
    pub line: bool,
}

impl Plan {
    /// Compiles `model`; `None` where groups must be solved one by one.
    ///
    /// `positive` marks the variables that are above zero in every group the plan will see.
    ///
    /// # Errors
    /// Those of the compiler.
    pub fn new(
        model: &Model,
        residual: Residual,
        positive: &[bool],
        response_positive: bool,
    ) -> Result<Option<Plan>, CoreError> {
        let mut model = model.clone();
        let p = model.p();
        let draws = roles(&model);
        let dimension = draws.iter().flatten().count();
        let linear: Vec<usize> = (0..p).filter(|&j| model.linear[j]).collect();
        if dimension > MOST_NONLINEAR || !mapped(&model, &draws, dimension) {
            return Ok(None);
        }
        let screening = if residual == Residual::Identity {
            Residual::Identity
        } else {
            Residual::Relative
        };
        let node = model.residual_node(screening);
        let gradient = model.gradient(node);
        let mut screen_outputs: Vec<NodeId> = vec![node];
        screen_outputs.extend(linear.iter().map(|&j| gradient[j]));
        let node = model.residual_node(residual);
        let gradient = model.gradient(node);
        let hessian = model.hessian(&gradient);
        let mut descend_outputs: Vec<NodeId> = vec![node];
        descend_outputs.extend(&gradient);
        descend_outputs.extend(hessian.iter().map(|&(_, _, h)| h));
        let mut probes = Vec::new();
        let candidates = candidates(&model, &draws, dimension, &mut probes);

        let mut bindings: Vec<Binding> = model
            .variables
            .iter()
            .zip(positive)
            .map(|(name, &positive)| Binding::prepared(name, positive))
            .collect();
        bindings.push(Binding::prepared(RESPONSE, response_positive));
        let data = bindings.len();
        for free in &model.free {
            bindings.push(Binding {
                name: free.name.clone(),
                rate: Rate::Varying,
                prepared: false,
                positive: free.transform == Transform::Log
                    || free.bounds.is_some_and(|(lower, _)| lower > 0.0),
            });
        }
        let family = Family::compile(
            &model.graph,
            &[&screen_outputs, &descend_outputs, &probes],
            &bindings,
        )?;
        let bound = |pick: fn((f64, f64)) -> f64, none: f64| {
            model
                .free
                .iter()
                .map(move |f| f.bounds.map_or(none, pick))
                .collect()
        };
        let order: Vec<usize> = linear
            .iter()
            .copied()
            .chain((0..p).filter(|&j| !model.linear[j]))
            .collect();
        // A bounded linear parameter may still be projected out: the quadratic form holds for any shift of it.
        let projected = residual == Residual::Identity && !linear.is_empty();
        let second: Vec<(usize, usize)> = hessian.iter().map(|&(j, k, _)| (j, k)).collect();
        Ok(Some(Plan {
            kernel: Kernel::detect(),
            p,
            data,
            screen: Layout {
                first: linear.clone(),
                ..Layout::default()
            },
            descend: Layout {
                first: (0..p).collect(),
                second,
            },
            lower: bound(|b| b.0, f64::NEG_INFINITY),
            upper: bound(|b| b.1, f64::INFINITY),
            order,
            linear: linear.len(),
            projected,
            followed: if dimension == 1 { 2 } else { dimension.max(1) },
            line: dimension == 1,
            candidates,
            family,
        }))
    }

    /// Number of candidates.
    pub fn candidates(&self) -> usize {
        self.candidates.len()
    }

    /// Scratch memory for both sums and probes.
    pub fn buffers(&self) -> Buffers {
        Buffers::new(1 + self.p + self.descend.second.len())
    }

    /// A workspace of one program.
    pub fn workspace(&self, program: usize) -> Workspace {
        Workspace::new(&self.family, program, self.kernel)
    }

    /// A workspace for [`Plan::place`].
    pub fn probe_workspace(&self) -> Workspace {
        self.workspace(PROBE)
    }

    /// Sets the parameters of candidate `number` for the first `used` lanes of a pack; linear ones become zero.
    ///
    /// `rows` is the number of rows of each lane's group. A lane without a value becomes NaN.
    pub fn place(
        &self,
        number: usize,
        workspace: &mut Workspace,
        pack: &Pack,
        rows: &[usize; LANES],
        used: usize,
        theta: &mut [Lane],
    ) {
        // Terms and offsets are read off with every parameter that is not yet set at one, as in `start`.
        for lane in theta.iter_mut() {
            lane.fill(1.0);
        }
        for (j, rule) in &self.candidates[number] {
            match rule {
                Rule::Fixed(value) => theta[*j].fill(*value),
                Rule::Term {
                    probe,
                    position,
                    target,
                    degree,
                } => {
                    theta[*j].fill(1.0);
                    let rest = self.probe(*probe, *position, workspace, pack, rows, used, theta);
                    for (value, rest) in theta[*j].iter_mut().zip(rest).take(used) {
                        *value =
                            target.signum() * math::pow(target.abs() / rest.abs(), 1.0 / degree);
                    }
                }
                Rule::Offset {
                    probe,
                    position,
                    factor,
                } => {
                    let size = self.probe(*probe, *position, workspace, pack, rows, used, theta);
                    for (value, size) in theta[*j].iter_mut().zip(size).take(used) {
                        *value = factor * size;
                    }
                }
            }
            let (low, high) = (self.lower[*j], self.upper[*j]);
            for value in &mut theta[*j] {
                *value = if *value < low {
                    low
                } else if *value > high {
                    high
                } else {
                    *value
                };
            }
        }
        for &j in &self.order[..self.linear] {
            theta[j].fill(0.0);
        }
    }

    /// Output `probe` at the row that `position` (0 to 1) names in each lane's group.
    #[expect(
        clippy::too_many_arguments,
        reason = "the state of a search, each part of it named"
    )]
    fn probe(
        &self,
        probe: usize,
        position: f64,
        workspace: &mut Workspace,
        pack: &Pack,
        rows: &[usize; LANES],
        used: usize,
        theta: &[Lane],
    ) -> Lane {
        let gather = |column: &Vec<f64>| -> Vec<f64> {
            if column.is_empty() {
                return Vec::new();
            }
            (0..used)
                .map(|l| {
                    let row = ((position * rows[l] as f64) as usize).min(rows[l] - 1);
                    column[row * LANES + l]
                })
                .collect()
        };
        let data: Vec<Vec<f64>> = pack.inputs.iter().map(gather).collect();
        let cached: Vec<Vec<f64>> = pack.cached.iter().map(gather).collect();
        let inputs: Vec<&[f64]> = data
            .iter()
            .map(Vec::as_slice)
            .chain(theta.iter().map(|lane| &lane[..]))
            .collect();
        let cached: Vec<&[f64]> = cached.iter().map(Vec::as_slice).collect();
        let program = &self.family.programs()[PROBE];
        program.run(workspace, &inputs, &cached, 0, used);
        let mut result = [f64::NAN; LANES];
        match program.output(workspace, probe) {
            Output::Uniform(value) => result[..used].fill(value),
            Output::Block(block) => result[..used].copy_from_slice(&block[..used]),
        }
        result
    }
}

/// Whether the few candidates of the lanes cover what a law may look like: it says where to look, or its parameters are
/// linear but for exponents, or but for one. The optima of others are searched one by one, with independent starts.
fn mapped(model: &Model, draws: &[Option<Draw>], dimension: usize) -> bool {
    let pure = |draw: &Draw| matches!(draw, Draw::Exponent | Draw::Range(..));
    let single = |draw: &Draw| !matches!(draw, Draw::Factor { alone: false, .. });
    let linear = model.linear.contains(&true);
    told(model)
        || linear && draws.iter().flatten().all(pure)
        || linear && dimension == 1 && draws.iter().flatten().all(single)
}

/// The rules of every candidate; `probes` collects the nodes that they read.
fn candidates(
    model: &Model,
    draws: &[Option<Draw>],
    dimension: usize,
    probes: &mut Vec<NodeId>,
) -> Vec<Vec<(usize, Rule)>> {
    let count = match dimension {
        0 => 1,
        1 => {
            let factor = |draw: &Draw| matches!(draw, Draw::Factor { .. });
            let sides = 1 + u32::from(draws.iter().flatten().any(factor));
            sides * LINE_CANDIDATES
        }
        2 => 64,
        3 => 192,
        _ => 384,
    };
    let mut probe_of = vec![0; draws.len()];
    for (slot, draw) in probe_of.iter_mut().zip(draws) {
        if let Some(Draw::Factor { term: node, .. } | Draw::Offset { sibling: node, .. }) = draw {
            *slot = probes.len();
            probes.push(*node);
        }
    }
    let pure = |draw: &Draw| matches!(draw, Draw::Range(..) | Draw::Exponent);
    let mut order: Vec<usize> = (0..draws.len()).filter(|&j| draws[j].is_some()).collect();
    order.sort_by_key(|&j| draws[j].as_ref().is_some_and(|draw| !pure(draw)));
    let sequence = Sobol::new((2 * dimension).max(1));
    let mut result = Vec::new();
    for index in 0..count {
        let mut point = vec![0.5; (2 * dimension).max(1)];
        if dimension == 1 {
            point[0] = (f64::from(index) + 0.5) / f64::from(count);
            point[1] = (f64::from(index) * 0.618_033_988_749_894_8).fract();
        } else if dimension > 1 {
            sequence.point(index, &mut point);
        }
        let mut rules = Vec::new();
        for (axis, &j) in order.iter().enumerate() {
            let (a, b) = (point[axis], point[dimension + axis]);
            let rule = match &draws[j] {
                Some(Draw::Range(low, high)) if *low > 0.0 => Rule::Fixed(spread(a, *low, *high)),
                Some(Draw::Range(low, high)) => Rule::Fixed(low + a * (high - low)),
                Some(Draw::Exponent) => Rule::Fixed(exponent(a, b, dimension, model, j)),
                Some(Draw::Factor { degree, .. }) => Rule::Term {
                    probe: probe_of[j],
                    position: b,
                    // One parameter alone is searched over a wider range than several together, and with both signs.
                    target: if dimension == 1 && signed(model, j) && *degree == 1.0 {
                        line(a)
                    } else if dimension == 1 {
                        spread(a, 0.02, 20.0)
                    } else {
                        spread(a, 0.2, 5.0)
                    },
                    degree: *degree,
                },
                Some(Draw::Offset { sign, .. }) => Rule::Offset {
                    probe: probe_of[j],
                    position: b,
                    factor: -sign * (0.8 + 0.4 * a),
                },
                None => continue,
            };
            rules.push((j, rule));
        }
        result.push(rules);
    }
    result
}

fn signed(model: &Model, j: usize) -> bool {
    model.free[j].bounds.is_none_or(|(low, _)| low < 0.0)
        && model.free[j].transform != Transform::Log
}

/// Terms of both signs along one line, in order.
fn line(a: f64) -> f64 {
    if a < 0.5 {
        -spread(1.0 - 2.0 * a, 0.02, 20.0)
    } else {
        spread(2.0 * a - 1.0, 0.02, 20.0)
    }
}

/// An exponent; some are negative unless the bounds forbid it.
fn exponent(a: f64, b: f64, dimension: usize, model: &Model, j: usize) -> f64 {
    if !signed(model, j) {
        return spread(a, EXPONENTS.0, EXPONENTS.1);
    }
    if dimension > 1 {
        let size = spread(a, EXPONENTS.0, EXPONENTS.1);
        return if b < NEGATIVE_SHARE { -size } else { size };
    }
    // A single exponent: the negative share at the low end of the line, the rest above it.
    let split = 2.0 * NEGATIVE_SHARE;
    if a < split {
        -spread(1.0 - a / split, EXPONENTS.0, EXPONENTS.1)
    } else {
        spread((a - split) / (1.0 - split), EXPONENTS.0, EXPONENTS.1)
    }
}
