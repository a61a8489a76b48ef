//! The conformance suite: every kernel gives the same bits, and what it gives is right.
//!
//! A new kernel joins by appearing in `Kernel::available`. Checked over every operator, awkward values, every way
//! to bind an operand and all lengths at which lanes leave rows over; then over random programs.
//! Longer than the rule, because every operator is compared with its twin, case by case.

use proptest::prelude::*;
use scalefast_expr::{
    BLOCK, Binding, Family, Graph, Kernel, Node, NodeId, Op, Output, System, Workspace, reduce,
};

const AWKWARD: [f64; 40] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    0.1,
    -0.7,
    1.5,
    -2.5,
    10.0,
    -40.5,
    0.999_999_999_999_999_9,
    1.000_000_000_000_000_2,
    f64::EPSILON,
    -f64::EPSILON,
    f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
    1e-310,
    -1e-300,
    1e300,
    -1e300,
    f64::MAX,
    f64::MIN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    709.78,
    710.0,
    -745.1,
    -746.0,
    1e5,
    1_048_577.0,
    4_503_599_627_370_497.5,
    9.007_199_254_740_993e15,
];

/// Equal bits, or both NaN.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// The lengths at which something is left over by some kernel, or nothing is.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=17).chain([BLOCK - 1, BLOCK])
}

/// Runs program 0 over all rows in blocks of `length` and returns each output as a column.
fn run(
    family: &Family,
    kernel: Kernel,
    columns: &[&[f64]],
    uniforms: &[f64],
    length: usize,
) -> Vec<Vec<f64>> {
    let rows = columns.first().map_or(1, |column| column.len());
    let mut cached = vec![vec![0.0; rows]; family.cached_len()];
    let mut targets: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
    family.prepare(kernel, columns, 0, rows, &mut targets);
    let cached: Vec<&[f64]> = cached.iter().map(Vec::as_slice).collect();

    let program = &family.programs()[0];
    let mut workspace = Workspace::new(family, 0, kernel);
    program.set_uniforms(&mut workspace, uniforms);
    let mut outputs = vec![Vec::new(); program.outputs_len()];
    let mut start = 0;
    while start < rows {
        let len = length.clamp(1, BLOCK).min(rows - start);
        program.run(&mut workspace, columns, &cached, start, len);
        for (k, output) in outputs.iter_mut().enumerate() {
            match program.output(&workspace, k) {
                Output::Uniform(number) => output.extend(std::iter::repeat_n(number, len)),
                Output::Block(values) => output.extend_from_slice(values),
            }
        }
        start += len;
    }
    outputs
}

/// All ways to bind a symbol that are not constants.
fn bindings(name: &str) -> [Binding; 3] {
    [
        Binding::varying(name, false),
        Binding::prepared(name, false),
        Binding::uniform(name, false),
    ]
}

#[test]
fn every_operator_agrees_on_awkward_values() {
    let pairs: Vec<(f64, f64)> = AWKWARD
        .iter()
        .flat_map(|&a| AWKWARD.map(|b| (a, b)))
        .collect();
    let first: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
    let second: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
    for &op in Op::ALL {
        let mut graph = Graph::new();
        let (a, b) = (graph.symbol("a"), graph.symbol("b"));
        let root = match op.info().arity {
            1 => graph.unary(op, a),
            _ => graph.binary(op, a, b),
        };
        let columns = [Binding::varying("a", false), Binding::varying("b", false)];
        let family = Family::compile(&graph, &[&[root]], &columns).unwrap();
        let expected = run(&family, Kernel::Scalar, &[&first, &second], &[], BLOCK);
        for (k, &(x, y)) in pairs.iter().enumerate() {
            let (value, plain) = (expected[0][k], graph.evaluate(root, &[x, y]));
            let close = same(value, plain)
                || (value - plain).abs() <= 1e-14 * plain.abs().max(f64::MIN_POSITIVE);
            // The bound of pow grows with its exponent; std's own value serves to 1e-12 here.
            let close = close || (op == Op::Pow && (value / plain - 1.0).abs() < 1e-12);
            assert!(close, "{op:?}({x:e}, {y:e}) = {value:e}, not {plain:e}");
        }
        for kernel in Kernel::available() {
            for length in lengths() {
                let values = run(&family, kernel, &[&first, &second], &[], length);
                for (k, (&value, &scalar)) in values[0].iter().zip(&expected[0]).enumerate() {
                    let pair = pairs[k];
                    assert!(
                        same(value, scalar),
                        "{op:?}{pair:?}: {value:e}, {scalar:e}, {kernel:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_operand_may_be_bound_in_any_way() {
    for op in Op::ALL.iter().filter(|op| op.info().arity == 2) {
        let mut graph = Graph::new();
        let (a, b) = (graph.symbol("a"), graph.symbol("b"));
        let root = graph.binary(*op, a, b);
        for (x, y) in [(1.5, -0.25), (-3.0, 2.0), (f64::NAN, 1.0), (0.0, 0.0)] {
            for first in bindings("a") {
                for second in bindings("b") {
                    let both = [first.clone(), second.clone()];
                    let family = Family::compile(&graph, &[&[root]], &both).unwrap();
                    let numbers = |names: &[String]| -> Vec<f64> {
                        names.iter().map(|n| if n == "a" { x } else { y }).collect()
                    };
                    let data = numbers(family.inputs()).into_iter().map(|v| vec![v; 11]);
                    let data: Vec<Vec<f64>> = data.collect();
                    let columns: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
                    let uniforms = numbers(family.uniforms());
                    let expected = graph.evaluate(root, &[x, y]);
                    for kernel in Kernel::available() {
                        for value in &run(&family, kernel, &columns, &uniforms, BLOCK)[0] {
                            let close = same(*value, expected)
                                || (value - expected).abs() <= 1e-15 * expected.abs();
                            assert!(close, "{op:?}({x}, {y}) = {value}, {both:?}, {kernel:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn preparation_takes_any_number_of_rows() {
    let system = System::formula("a*log(x)").unwrap();
    let bindings = [Binding::prepared("x", true), Binding::uniform("a", false)];
    let output = system.outputs()[0].1;
    let family = Family::compile(&system.graph, &[&[output]], &bindings).unwrap();
    assert_eq!(family.cached_len(), 1);
    assert!(!family.reads_input(0));
    for rows in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
        let x: Vec<f64> = (1..=rows + 2).map(|i| i as f64).collect();
        for kernel in Kernel::available() {
            let mut log = vec![f64::NAN; rows];
            family.prepare(kernel, &[&x], 2, rows, &mut [&mut log]);
            for (value, x) in log.iter().zip(&x[2..]) {
                assert!(same(*value, scalefast_expr::math::ln(*x)));
            }
        }
    }
}

#[test]
fn sums_do_not_depend_on_the_kernel() {
    let columns: Vec<Vec<f64>> = (1..=8)
        .map(|j| {
            (0..BLOCK)
                .map(|i| ((i * j) as f64).sin() * 1e3f64.powi(j as i32 % 3))
                .collect()
        })
        .collect();
    for length in lengths() {
        let all: Vec<&[f64]> = columns.iter().map(|column| &column[..length]).collect();
        let mut totals: Vec<Vec<u64>> = Vec::new();
        for kernel in Kernel::available() {
            let mut bits = Vec::new();
            for p in 1..=all.len() {
                let mut partials = vec![[0.25; 8]; p * (p + 1) / 2];
                reduce::gram(kernel, &all[..p], &all[..p], &mut partials);
                bits.extend(partials.iter().map(|s| reduce::horizontal(s).to_bits()));
            }
            let mut partials = [0.5; 8];
            reduce::sum(kernel, all[0], &mut partials);
            reduce::dot(kernel, all[1], all[2], &mut partials);
            bits.extend(partials.map(f64::to_bits));
            for p in 1..=7 {
                bits.extend(normal_equations(kernel, &all[..p], all[6], all[7]));
            }
            totals.push(bits);
        }
        assert!(
            totals.windows(2).all(|pair| pair[0] == pair[1]),
            "length {length}"
        );
    }
}

/// The bits of `reduce::normal`, which must be those of the plain sums that it replaces.
fn normal_equations(kernel: Kernel, columns: &[&[f64]], slope: &[f64], weight: &[f64]) -> Vec<u64> {
    let p = columns.len();
    let mut total = [0.125; 8];
    let mut gradient = vec![[0.25; 8]; p];
    let mut curvature = vec![[0.5; 8]; p * (p + 1) / 2];
    let sums = reduce::NormalSums {
        total: &mut total,
        gradient: &mut gradient,
        curvature: &mut curvature,
    };
    reduce::normal(kernel, slope, slope, weight, columns, sums);
    let bits = |partials: &[[f64; 8]]| -> Vec<u64> {
        partials.iter().flatten().map(|v| v.to_bits()).collect()
    };
    let together = [bits(&[total]), bits(&gradient), bits(&curvature)].concat();

    let weighted: Vec<Vec<f64>> = columns
        .iter()
        .map(|column| column.iter().zip(weight).map(|(x, w)| x * w).collect())
        .collect();
    let left: Vec<&[f64]> = weighted.iter().map(Vec::as_slice).collect();
    let mut total = [0.125; 8];
    reduce::sum(kernel, slope, &mut total);
    let mut gradient = vec![[0.25; 8]; p];
    for (column, sum) in columns.iter().zip(&mut gradient) {
        reduce::dot(kernel, slope, column, sum);
    }
    let mut curvature = vec![[0.5; 8]; p * (p + 1) / 2];
    reduce::gram(kernel, &left, columns, &mut curvature);
    assert_eq!(
        together,
        [bits(&[total]), bits(&gradient), bits(&curvature)].concat()
    );
    together
}

#[test]
fn the_normal_matrix_is_that_of_its_columns() {
    for p in 1..=9 {
        let columns: Vec<Vec<f64>> = (0..p)
            .map(|j| (0..100).map(|i| ((i + 7 * j) % 13) as f64 - 6.0).collect())
            .collect();
        let weights: Vec<f64> = (0..100).map(|i| f64::from(i % 3)).collect();
        let weighted: Vec<Vec<f64>> = columns
            .iter()
            .map(|column| column.iter().zip(&weights).map(|(a, w)| a * w).collect())
            .collect();
        let right: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let left: Vec<&[f64]> = weighted.iter().map(Vec::as_slice).collect();
        for kernel in Kernel::available() {
            let mut partials = vec![[0.0; 8]; p * (p + 1) / 2];
            reduce::gram(kernel, &left, &right, &mut partials);
            let mut entries = partials.iter();
            for (j, a) in left.iter().enumerate() {
                for (k, b) in right.iter().enumerate().skip(j) {
                    let exact: f64 = a.iter().zip(*b).map(|(a, b)| a * b).sum();
                    let sum = reduce::horizontal(entries.next().unwrap());
                    assert_eq!(sum, exact, "({j}, {k}) of {p}");
                }
            }
        }
    }
}

/// One step of a random expression: a leaf, or an operator on earlier nodes.
#[derive(Clone, Debug)]
struct Step {
    kind: u8,
    first: u8,
    second: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<u8>(), any::<u8>(), any::<u8>());
    let step = step.prop_map(|(kind, first, second)| Step {
        kind,
        first,
        second,
    });
    prop::collection::vec(step, 3..24)
}

/// Builds a graph from steps; powers and products are frequent, because lowering rewrites those.
fn build(graph: &mut Graph, steps: &[Step]) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> = ["x", "y", "z", "a", "b"]
        .map(|name| graph.symbol(name))
        .into();
    let constants = [0.5, 2.0, 3.0, -1.0, 1.25, -2.0];
    nodes.extend(constants.map(|number| graph.constant(number)));
    for step in steps {
        let first = nodes[step.first as usize % nodes.len()];
        let second = nodes[step.second as usize % nodes.len()];
        let unary = [
            Op::Exp,
            Op::Log,
            Op::Sqrt,
            Op::Neg,
            Op::Abs,
            Op::Tanh,
            Op::Sin,
            Op::Sigmoid,
        ];
        let binary = [
            Op::Mul,
            Op::Div,
            Op::Pow,
            Op::Add,
            Op::Sub,
            Op::Mul,
            Op::Div,
            Op::Add,
        ];
        let kind = step.kind as usize;
        nodes.push(match kind % 4 {
            0 => graph.unary(unary[kind / 4 % unary.len()], first),
            _ => graph.binary(binary[kind / 4 % binary.len()], first, second),
        });
    }
    nodes
}

/// The expression with every operation blurred by a relative error of at most half of `blur`; nothing where it leaves
/// the range in which rewriting is harmless.
fn blurred(graph: &Graph, root: NodeId, values: &[f64], blur: f64, seed: &mut u64) -> Option<f64> {
    let mut results = vec![0.0; root.index() + 1];
    for id in graph.topological(root) {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let noise = 1.0 + ((*seed >> 33) as f64 / f64::from(1u32 << 31) - 0.5) * blur;
        let value = match graph.node(id) {
            Node::Constant(bits) => f64::from_bits(bits),
            Node::Symbol(symbol) => values[symbol as usize],
            Node::Unary(op, a) => noise * op_value(op, results[a.index()], 0.0),
            Node::Binary(op, a, b) => noise * op_value(op, results[a.index()], results[b.index()]),
        };
        if !value.is_finite() || (value != 0.0 && !(1e-60..1e60).contains(&value.abs())) {
            return None;
        }
        results[id.index()] = value;
    }
    Some(results[root.index()])
}

fn op_value(op: Op, a: f64, b: f64) -> f64 {
    match op.info().value {
        scalefast_expr::op::Value::Unary(value) => value(a),
        scalefast_expr::op::Value::Binary(value) => value(a, b),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_agree(
        steps in steps(),
        kinds in prop::array::uniform5(0..3usize),
        positive in any::<bool>(),
        length in 1..BLOCK,
    ) {
        let mut graph = Graph::new();
        let nodes = build(&mut graph, &steps);
        let names = ["x", "y", "z", "a", "b"];
        let all: Vec<Binding> = names
            .iter()
            .zip(kinds)
            .map(|(name, kind)| Binding { positive, ..bindings(name)[kind].clone() })
            .collect();
        // Several outputs, so that sharing between them is put to the test.
        let outputs: Vec<NodeId> = nodes.iter().rev().take(4).copied().collect();
        let family = Family::compile(&graph, &[&outputs], &all).unwrap();

        let rows = 41;
        let number = |name: &str, row: usize| {
            let k = names.iter().position(|n| *n == name).unwrap();
            let wave = ((row * (2 * k + 3)) as f64 * 0.37).sin();
            if positive { (wave * 1.5).exp() } else { wave * 3.0 }
        };
        let data: Vec<Vec<f64>> = family
            .inputs()
            .iter()
            .map(|name| (0..rows).map(|row| number(name, row)).collect())
            .collect();
        let columns: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
        let uniforms: Vec<f64> = family.uniforms().iter().map(|n| number(n, 5)).collect();
        let expected = run(&family, Kernel::Scalar, &columns, &uniforms, BLOCK);
        for kernel in Kernel::available() {
            for length in [length, BLOCK] {
                let values = run(&family, kernel, &columns, &uniforms, length);
                for (column, scalar) in values.iter().zip(&expected) {
                    for (value, scalar) in column.iter().zip(scalar) {
                        prop_assert!(same(*value, *scalar), "{value:e} {scalar:e} {kernel:?}");
                    }
                }
            }
        }

        let mut seed = 1;
        for (k, &root) in outputs.iter().enumerate() {
            for (row, &value) in expected[k].iter().enumerate() {
                let at = |name: &str| match family.inputs().iter().any(|n| n == name) {
                    true => number(name, row),
                    false => number(name, 5),
                };
                let symbols = names.map(at);
                let samples: Option<Vec<f64>> =
                    (0..9).map(|i| blurred(&graph, root, &symbols, if i == 0 { 0.0 } else { 1e-14 }, &mut seed)).collect();
                let Some(samples) = samples else { continue };
                let least = samples.iter().copied().fold(f64::INFINITY, f64::min);
                let greatest = samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let width = greatest - least;
                if width > 1e-6 * greatest.abs().max(least.abs()) {
                    continue;
                }
                let tolerance = 20.0 * width + 1e-13 * greatest.abs();
                let text = graph.print(root);
                prop_assert!(
                    (least - tolerance..=greatest + tolerance).contains(&value),
                    "{text} at {symbols:?}: {value:e} outside {least:e}..{greatest:e}"
                );
            }
        }
    }
}

/// The derivatives of powers at zero, with every binding of the base and by every kernel, as the graph has them.
#[test]
fn derivatives_at_zero_have_the_same_bits_everywhere() {
    for text in [
        "b*x**c",
        "a/(1 + b*x**c)",
        "b*(x/a)**c",
        "sqrt(a*x) + max(b*x**c, a - x)",
    ] {
        let mut system = System::formula(text).unwrap();
        let root = system.outputs()[0].1;
        let mut outputs = vec![root];
        for name in ["a", "b", "c"] {
            let slope = system.graph.derivative(root, name);
            outputs.push(slope);
            outputs.push(system.graph.derivative(slope, "c"));
        }
        let x: Vec<f64> = (0..67).map(|i| f64::from(i % 5)).collect();
        for base in [Binding::prepared("x", false), Binding::varying("x", false)] {
            let free = ["a", "b", "c"].map(|name| Binding::uniform(name, false));
            let all: Vec<Binding> = free.into_iter().chain([base]).collect();
            let family = Family::compile(&system.graph, &[&outputs], &all).unwrap();
            let at = |name: &String| match name.as_str() {
                "a" => 1.75,
                "b" => 0.4,
                _ => 0.3,
            };
            let uniforms: Vec<f64> = family.uniforms().iter().map(at).collect();
            let expected = run(&family, Kernel::Scalar, &[&x], &uniforms, BLOCK);
            for kernel in Kernel::available() {
                let found = run(&family, kernel, &[&x], &uniforms, 13);
                for (column, scalar) in found.iter().zip(&expected) {
                    assert!(
                        column.iter().zip(scalar).all(|(a, b)| same(*a, *b)),
                        "{text}"
                    );
                }
            }
            for (k, &output) in outputs.iter().enumerate() {
                for (row, &value) in x.iter().enumerate() {
                    let symbols: Vec<f64> = system
                        .graph
                        .symbols()
                        .iter()
                        .map(|name| if name == "x" { value } else { at(name) })
                        .collect();
                    let plain = system.graph.evaluate(output, &symbols);
                    let close = (expected[k][row] - plain).abs() <= 1e-12 * plain.abs().max(1.0);
                    assert!(
                        close && plain.is_finite(),
                        "{text}, output {k}, x = {value}: {plain}"
                    );
                }
            }
        }
    }
}
