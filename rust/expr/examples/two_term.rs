//! Instruction counts of the two-term law, for `valgrind --tool=callgrind`.
//!
//! `two_term law ROWS REPEATS` runs residual, gradient and normal matrix of log(E + A/N**alpha + B/D**beta) − log(L);
//! `two_term calls ROWS REPEATS` only its two exponentials and its logarithm. Both print nanoseconds a row. The kernel
//! is the one that `SCALEFAST_KERNEL` names, else the fastest.

use std::time::Instant;

use scalefast_expr::{
    BLOCK, Binding, Family, FormulaError, Kernel, NodeId, Output, System, Workspace, reduce,
};

fn main() -> Result<(), FormulaError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default: usize| {
        arguments
            .get(i)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (rows, repeats) = (number(1, 4096), number(2, 2000));
    let kernel = Kernel::detect();
    let law = arguments.first().is_none_or(|mode| mode == "law");
    let mut work: Box<dyn FnMut()> = match law {
        true => residual_gradient_normal_matrix(rows, kernel)?,
        false => transcendental_calls(rows, kernel)?,
    };
    let mut best = f64::INFINITY;
    for _ in 0..repeats {
        let begin = Instant::now();
        work();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    println!("{} {:.3} ns/row", kernel.name(), best * 1e9 / rows as f64);
    Ok(())
}

fn column(rows: usize, scale: f64, spread: f64) -> Vec<f64> {
    (0..rows)
        .map(|i| scale * (spread * (i as f64 * 0.618_034).fract()).exp())
        .collect()
}

fn residual_gradient_normal_matrix(
    rows: usize,
    kernel: Kernel,
) -> Result<Box<dyn FnMut()>, FormulaError> {
    let system = System::formula("log(E + A/N**alpha + B/D**beta) - log(L)")?;
    let parameters = ["E", "A", "alpha", "B", "beta"];
    let mut graph = system.graph.clone();
    let mut outputs: Vec<NodeId> = vec![system.outputs()[0].1];
    for name in parameters {
        let derivative = graph.derivative(outputs[0], name);
        outputs.push(derivative);
    }
    let mut bindings: Vec<Binding> = ["N", "D", "L"]
        .map(|name| Binding::prepared(name, true))
        .into();
    bindings.extend(parameters.map(|name| Binding::uniform(name, false)));
    let family = Family::compile(&graph, &[&outputs], &bindings)?;
    let data = [
        column(rows, 1e8, 5.0),
        column(rows, 1e9, 7.0),
        column(rows, 2.0, 0.5),
    ];
    let mut cached = vec![vec![0.0; rows]; family.cached_len()];
    {
        let inputs: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
        let mut targets: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
        family.prepare(kernel, &inputs, 0, rows, &mut targets);
    }
    let mut workspace = Workspace::new(&family, 0, kernel);
    Ok(Box::new(move || {
        let inputs: [&[f64]; 3] = [&data[0], &data[1], &data[2]];
        let cached: [&[f64]; 3] = [&cached[0], &cached[1], &cached[2]];
        let program = &family.programs()[0];
        program.set_uniforms(&mut workspace, &[1.8, 480.0, 0.35, 2080.0, 0.37]);
        let mut sums = [[0.0; 8]; 21];
        let mut start = 0;
        while start < rows {
            let len = (rows - start).min(BLOCK);
            program.run(&mut workspace, &inputs, &cached, start, len);
            let mut columns: [&[f64]; 6] = [&[]; 6];
            for (k, slot) in columns.iter_mut().enumerate() {
                if let Output::Block(values) = program.output(&workspace, k) {
                    *slot = values;
                }
            }
            reduce::gram(kernel, &columns, &columns, &mut sums);
            start += len;
        }
        std::hint::black_box(&sums);
    }))
}

fn transcendental_calls(rows: usize, kernel: Kernel) -> Result<Box<dyn FnMut()>, FormulaError> {
    let system = System::parse(&[("a", "exp(x)"), ("b", "exp(y)"), ("c", "log(z)")], &[])?;
    let outputs: Vec<NodeId> = system.outputs().iter().map(|output| output.1).collect();
    let bindings = ["x", "y", "z"].map(|name| Binding::varying(name, false));
    let family = Family::compile(&system.graph, &[&outputs], &bindings)?;
    let data = [
        column(rows, -6.0, 0.3),
        column(rows, -7.0, 0.3),
        column(rows, 2.0, 0.5),
    ];
    let mut workspace = Workspace::new(&family, 0, kernel);
    Ok(Box::new(move || {
        let inputs: [&[f64]; 3] = [&data[0], &data[1], &data[2]];
        let program = &family.programs()[0];
        program.set_uniforms(&mut workspace, &[]);
        let mut start = 0;
        while start < rows {
            let len = (rows - start).min(BLOCK);
            program.run(&mut workspace, &inputs, &[], start, len);
            start += len;
        }
        std::hint::black_box(&workspace);
    }))
}
