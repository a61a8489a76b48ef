//! What the fuzz targets, and the tests that replay their corpora, do with a piece of input.
//!
//! In: any bytes. Out: nothing; a broken promise of this crate is a panic. The promises: no text makes
//! the parser panic, an error can be shown, what is printed can be read again, and every kernel
//! computes the same bits.

use crate::binding::Binding;
use crate::eval::{BLOCK, Kernel};
use crate::formula::{LOSS, System};
use crate::program::{Family, Output, Workspace};

/// Symbols by which an exercised formula is differentiated.
const SYMBOLS: usize = 3;

/// Values that arithmetic stumbles over.
const AWKWARD: [f64; 12] = [
    1.0,
    0.0,
    -0.0,
    -1.5,
    2.0,
    f64::INFINITY,
    f64::NAN,
    5e-324,
    f64::MAX,
    0.37,
    -3.0,
    1e-8,
];

/// Reads the bytes as a formula, then prints, simplifies, differentiates and typesets it.
///
/// # Panics
/// If a promise of the module's head is broken.
pub fn parse(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut system = match System::formula(&text) {
        Ok(system) => system,
        Err(error) => {
            assert!(!error.code.is_empty() && error.to_string().starts_with(&error.message));
            if let (Some(text), Some((start, end))) = (&error.text, error.span) {
                assert!(text.get(start..end).is_some(), "{start}..{end} of {text:?}");
            }
            return;
        }
    };
    let root = system.outputs()[0].1;
    let printed = system.graph.print(root);
    match system.graph.parse(&printed) {
        Ok(again) => assert_eq!(again, root, "{text:?} was printed as {printed}"),
        // The printed text may have more spaces and parentheses than what was typed.
        Err(error) => assert!(
            matches!(error.code, "formula-too-long" | "formula-too-deep"),
            "{text:?} was printed as {printed}: {error}"
        ),
    }
    assert!(!system.graph.latex(root).is_empty());
    assert!(system.postfix(LOSS).is_some_and(|steps| !steps.is_empty()));
    system.graph.simplify(root);
    for name in system.symbols().iter().take(SYMBOLS) {
        let slope = system.graph.derivative(root, name);
        system.graph.derivative(slope, name);
    }
}

/// Compiles a formula with its gradient and evaluates both with every kernel.
///
/// The first byte chooses how the symbols are bound, the second the number of rows; the rest is the
/// formula.
///
/// # Panics
/// If two kernels disagree in a bit.
pub fn compile_evaluate(data: &[u8]) {
    let [rates, rows, text @ ..] = data else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let Ok(mut system) = System::formula(&text) else {
        return;
    };
    let root = system.outputs()[0].1;
    let symbols = system.symbols();
    let mut outputs = vec![root];
    for name in symbols.iter().take(SYMBOLS) {
        outputs.push(system.graph.derivative(root, name));
    }
    let bindings: Vec<Binding> = symbols
        .iter()
        .enumerate()
        .map(|(i, name)| bind(name, rates.rotate_right(i as u32 % 8), i))
        .collect();
    let family = match Family::compile(&system.graph, &[&outputs], &bindings) {
        Ok(family) => family,
        Err(error) => panic!("a formula whose symbols are all bound was refused: {error}"),
    };
    let rows = usize::from(*rows) % BLOCK + 1;
    let columns: Vec<Vec<f64>> = family
        .inputs()
        .iter()
        .map(|name| column(&bindings, name, rows))
        .collect();
    let uniforms: Vec<f64> = family
        .uniforms()
        .iter()
        .map(|name| column(&bindings, name, 1)[0])
        .collect();

    let mut expected: Option<(Kernel, Vec<u64>)> = None;
    for kernel in Kernel::available() {
        let bits = evaluate(&family, kernel, &columns, &uniforms, rows, outputs.len());
        match &expected {
            None => expected = Some((kernel, bits)),
            Some((first, expected)) => assert!(
                *expected == bits,
                "{} and {} differ on {text}",
                first.name(),
                kernel.name()
            ),
        }
    }
}

/// A binding from two bits for the rate and one for the sign.
fn bind(name: &str, choice: u8, position: usize) -> Binding {
    let positive = choice & 4 != 0;
    match choice & 3 {
        0 => Binding::constant(
            name,
            AWKWARD[(position + usize::from(choice)) % AWKWARD.len()],
        ),
        1 => Binding::uniform(name, positive),
        2 => Binding::prepared(name, positive),
        _ => Binding::varying(name, positive),
    }
}

/// Rows for a symbol: awkward numbers, and above zero where its binding says so.
fn column(bindings: &[Binding], name: &str, rows: usize) -> Vec<f64> {
    let position = bindings.iter().position(|binding| binding.name == name);
    let position = position.unwrap_or(0);
    let positive = bindings
        .get(position)
        .is_some_and(|binding| binding.positive);
    (0..rows)
        .map(|row| {
            let value = AWKWARD[(row * 5 + position * 7) % AWKWARD.len()];
            if !positive {
                value
            } else if value.is_finite() && value != 0.0 {
                value.abs()
            } else {
                0.5 + row as f64
            }
        })
        .collect()
}

/// The bits of all outputs, every NaN as the same one.
fn evaluate(
    family: &Family,
    kernel: Kernel,
    columns: &[Vec<f64>],
    uniforms: &[f64],
    rows: usize,
    outputs: usize,
) -> Vec<u64> {
    let inputs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut cached = vec![vec![0.0; rows]; family.cached_len()];
    let mut filled: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
    family.prepare(kernel, &inputs, 0, rows, &mut filled);
    let cached: Vec<&[f64]> = cached.iter().map(Vec::as_slice).collect();

    let program = &family.programs()[0];
    let mut workspace = Workspace::new(family, 0, kernel);
    program.set_uniforms(&mut workspace, uniforms);
    program.run(&mut workspace, &inputs, &cached, 0, rows);
    let mut bits = Vec::with_capacity(outputs * rows);
    for k in 0..outputs {
        match program.output(&workspace, k) {
            Output::Uniform(value) => bits.push(canonical(value)),
            Output::Block(values) => bits.extend(values.iter().copied().map(canonical)),
        }
    }
    bits
}

fn canonical(value: f64) -> u64 {
    if value.is_nan() { f64::NAN } else { value }.to_bits()
}
