//! P1: objective, gradient and normal matrix of the two-term law, against its three transcendental calls alone.
//!
//! Stage: bench. Prints one line of JSON: kernel, rows, and nanoseconds a row of both, single-threaded. The calls
//! (two `exp`, one `log`) are a program of the same compiler over the same blocks, so that only the work differs.
//! With `--bench` alone times are taken; `--only objective|calls --repeats R` runs one of them R times and prints nothing,
//! for an instruction counter.

use scalefast_core::dataset::Dataset;
use scalefast_core::loss::Loss;
use scalefast_core::model::{Model, Residual};
use scalefast_core::objective::{Objective, Order};
use scalefast_core::parameter::Parameter;
use scalefast_expr::{BLOCK, Binding, Family, Kernel, Output, System, Workspace};
use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

/// One chunk of the objective, so that everything stays on one thread; 0.5 MB of cached columns.
const ROWS: usize = 16_384;
/// Timings of which the least counts: noise only adds.
const TRIALS: usize = 200;
const FORMULA: &str = "E + A/N**alpha + B/D**beta";
const PARAMETERS: [(&str, f64); 5] = [
    ("E", 1.69),
    ("A", 406.4),
    ("alpha", 0.34),
    ("B", 410.7),
    ("beta", 0.28),
];
const LOSS: Loss = Loss::Huber { delta: 1e-3 };

/// Points spread over four decades of N and five of D, with residuals on both sides of the Huber threshold.
fn columns() -> [Vec<f64>; 3] {
    let fraction = |i: usize, step: f64| (i as f64 * step).fract();
    let n: Vec<f64> = (0..ROWS)
        .map(|i| 10f64.powf(7.0 + 4.0 * fraction(i, 0.754_877_666_246_692_8)))
        .collect();
    let d: Vec<f64> = (0..ROWS)
        .map(|i| 10f64.powf(8.0 + 5.0 * fraction(i, 0.569_840_290_998_053_3)))
        .collect();
    let loss = n
        .iter()
        .zip(&d)
        .enumerate()
        .map(|(i, (n, d))| {
            let noise = 1.0 + 0.01 * (fraction(i, 0.618_033_988_749_894_9) - 0.5);
            (1.69 + 406.4 / n.powf(0.34) + 410.7 / d.powf(0.28)) * noise
        })
        .collect();
    [n, d, loss]
}

/// Least time of a call in nanoseconds a row.
fn time_ns(mut call: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..TRIALS {
        let begin = Instant::now();
        call();
        least = least.min(begin.elapsed().as_secs_f64());
    }
    least * 1e9 / ROWS as f64
}

/// The three calls of one evaluation, summed so that nothing is dropped.
struct Calls {
    family: Family,
    workspace: Workspace,
    columns: [Vec<f64>; 3],
}

impl Calls {
    fn new([n, d, loss]: &[Vec<f64>; 3]) -> Result<Calls, Box<dyn Error>> {
        let system = System::parse(&[("u", "exp(x)"), ("v", "exp(y)"), ("w", "log(z)")], &[])?;
        let outputs: Vec<_> = system.outputs().iter().map(|&(_, node)| node).collect();
        let bindings = ["x", "y", "z"].map(|name| Binding::varying(name, name == "z"));
        let family = Family::compile(&system.graph, &[&outputs], &bindings)?;
        let workspace = Workspace::new(&family, 0, Kernel::detect());
        let columns = [
            n.iter().map(|n| -0.34 * n.ln()).collect(),
            d.iter().map(|d| -0.28 * d.ln()).collect(),
            loss.clone(),
        ];
        Ok(Calls {
            family,
            workspace,
            columns,
        })
    }

    fn run(&mut self) -> f64 {
        let inputs = self.columns.each_ref().map(Vec::as_slice);
        let program = &self.family.programs()[0];
        let mut last = 0.0;
        for start in (0..ROWS).step_by(BLOCK) {
            let len = BLOCK.min(ROWS - start);
            program.run(&mut self.workspace, &inputs, &[], start, len);
            if let Output::Block(block) = program.output(&self.workspace, 2) {
                last = block[0];
            }
        }
        last
    }
}

/// The value of `--name value` among the arguments.
fn option(arguments: &[String], name: &str) -> Option<String> {
    let place = arguments.iter().position(|a| a == name)?;
    arguments.get(place + 1).cloned()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let columns = columns();
    let [n, d, loss] = &columns;
    let data = Dataset::new(
        vec!["N".to_owned(), "D".to_owned()],
        vec![Cow::Borrowed(n.as_slice()), Cow::Borrowed(d.as_slice())],
        Cow::Borrowed(loss.as_slice()),
        None,
        &[true, true],
        true,
    )?;
    let parameters = PARAMETERS.map(|(name, _)| Parameter::free(name));
    let variables = ["N".to_owned(), "D".to_owned()];
    let model = Model::new(&System::formula(FORMULA)?, "L", &variables, &parameters)?;
    let theta: Vec<f64> = PARAMETERS.iter().map(|&(_, value)| value).collect();
    let objective = Objective::new(&model, &data, Residual::Log)?;
    let mut scratch = objective.scratch();
    let mut evaluate = || {
        objective
            .evaluate(&mut scratch, &theta, LOSS, Order::GaussNewton)
            .cost
    };
    let mut calls = Calls::new(&columns)?;

    if let Some(only) = option(&arguments, "--only") {
        let repeats: usize = option(&arguments, "--repeats")
            .unwrap_or_default()
            .parse()?;
        for _ in 0..repeats {
            black_box(if only == "calls" {
                calls.run()
            } else {
                evaluate()
            });
        }
        return Ok(());
    }
    let whole = time_ns(|| {
        black_box(evaluate());
    });
    let alone = time_ns(|| {
        black_box(calls.run());
    });
    let kernel = Kernel::detect().name();
    println!(
        "{{\"kernel\": \"{kernel}\", \"rows\": {ROWS}, \"block\": {BLOCK}, \"objective_ns\": {whole:.4}, \"calls_ns\": {alone:.4}}}"
    );
    Ok(())
}
