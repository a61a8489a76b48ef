//! The language stage by stage: read, differentiate, compile, evaluate. `make bench-stages` runs it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scalefast_expr::{BLOCK, Binding, Family, Graph, Kernel, NodeId, System, Workspace, reduce};
use std::hint::black_box;

const BROKEN: &str =
    "a + b*x**-c0 * (1 + (x/d1)**(1/f1))**(-c1*f1) * (1 + (x/d2)**(1/f2))**(-c2*f2)";
const TWO_TERM: &str = "E + A/N**alpha + B/D**beta";
const PARAMETERS: [&str; 5] = ["E", "A", "alpha", "B", "beta"];

/// A formula's graph and root. The formulas of this file are well formed.
fn read(text: &str) -> (Graph, NodeId) {
    match System::formula(text) {
        Ok(system) => {
            let root = system.outputs()[0].1;
            (system.graph, root)
        }
        Err(error) => panic!("{error}"),
    }
}

/// The two-term law's value and gradient.
fn with_gradient() -> (Graph, Vec<NodeId>) {
    let (mut graph, root) = read(TWO_TERM);
    let mut outputs = vec![root];
    outputs.extend(PARAMETERS.map(|name| graph.derivative(root, name)));
    (graph, outputs)
}

fn compile(graph: &Graph, outputs: &[NodeId]) -> Family {
    let mut bindings = vec![Binding::prepared("N", true), Binding::prepared("D", true)];
    bindings.extend(PARAMETERS.map(|name| Binding::uniform(name, false)));
    match Family::compile(graph, &[outputs], &bindings) {
        Ok(family) => family,
        Err(error) => panic!("{error}"),
    }
}

fn language(c: &mut Criterion) {
    c.bench_function("read/broken law", |b| b.iter(|| read(black_box(BROKEN))));
    c.bench_function("differentiate/broken law, 9 parameters", |b| {
        b.iter(|| {
            let (mut graph, root) = read(BROKEN);
            for name in ["a", "b", "c0", "c1", "d1", "f1", "c2", "d2", "f2"] {
                black_box(graph.derivative(root, name));
            }
        });
    });
    let (graph, outputs) = with_gradient();
    c.bench_function("compile/two-term law with gradient", |b| {
        b.iter(|| compile(black_box(&graph), &outputs));
    });
}

fn evaluation(c: &mut Criterion) {
    let (graph, outputs) = with_gradient();
    let family = compile(&graph, &outputs);
    let n: Vec<f64> = (0..BLOCK).map(|i| 1e8 * (1.0 + i as f64)).collect();
    let d: Vec<f64> = (0..BLOCK).map(|i| 1e9 * (1.0 + i as f64)).collect();
    let inputs = [n.as_slice(), d.as_slice()];
    let mut group = c.benchmark_group("evaluate/two-term law with gradient, a block");
    group.throughput(Throughput::Elements(BLOCK as u64));
    for kernel in Kernel::available() {
        let mut columns = vec![vec![0.0; BLOCK]; family.cached_len()];
        let mut targets: Vec<&mut [f64]> = columns.iter_mut().map(Vec::as_mut_slice).collect();
        family.prepare(kernel, &inputs, 0, BLOCK, &mut targets);
        let cached: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut workspace = Workspace::new(&family, 0, kernel);
        let program = &family.programs()[0];
        program.set_uniforms(&mut workspace, &[1.69, 406.4, 0.34, 410.7, 0.28]);
        group.bench_function(kernel.name(), |b| {
            b.iter(|| program.run(&mut workspace, &inputs, &cached, 0, BLOCK));
        });
    }
    group.finish();
}

fn functions(c: &mut Criterion) {
    for name in ["exp", "log", "sin", "arctan", "tanh"] {
        let (graph, root) = read(&format!("{name}(x)"));
        let family = match Family::compile(&graph, &[&[root]], &[Binding::varying("x", true)]) {
            Ok(family) => family,
            Err(error) => panic!("{error}"),
        };
        let x: Vec<f64> = (0..BLOCK).map(|i| 0.5 + 0.01 * i as f64).collect();
        let mut group = c.benchmark_group(format!("function/{name}"));
        group.throughput(Throughput::Elements(BLOCK as u64));
        for kernel in Kernel::available() {
            let mut workspace = Workspace::new(&family, 0, kernel);
            group.bench_function(kernel.name(), |b| {
                b.iter(|| family.programs()[0].run(&mut workspace, &[&x], &[], 0, BLOCK));
            });
        }
        group.finish();
    }
}

/// Sums over a block of six columns: the residual and gradient of a law of five parameters.
fn sums(c: &mut Criterion) {
    let columns: Vec<Vec<f64>> = (1..=6)
        .map(|j| (0..BLOCK).map(|i| ((i * j) % 17) as f64 - 8.0).collect())
        .collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut group = c.benchmark_group("sums/a block of six columns");
    group.throughput(Throughput::Elements(BLOCK as u64));
    for kernel in Kernel::available() {
        let mut triangle = [[0.0; 8]; 21];
        group.bench_function(format!("gram/{}", kernel.name()), |b| {
            b.iter(|| reduce::gram(kernel, &columns, &columns, black_box(&mut triangle)));
        });
        let (mut total, mut gradient, mut curvature) = ([0.0; 8], [[0.0; 8]; 5], [[0.0; 8]; 15]);
        group.bench_function(format!("normal/{}", kernel.name()), |b| {
            b.iter(|| {
                let into = reduce::NormalSums {
                    total: &mut total,
                    gradient: &mut gradient,
                    curvature: &mut curvature,
                };
                let first = columns[0];
                reduce::normal(kernel, first, first, first, &columns[1..], into);
            });
        });
    }
    group.finish();
}

criterion_group!(stages, language, evaluation, functions, sums);
criterion_main!(stages);
