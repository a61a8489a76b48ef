//! The statistics stage by stage: losses, objectives, local and global fits, allocation. `make bench-stages` runs it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scalefast_core::allocate::ClosedForm;
use scalefast_core::dataset::Dataset;
use scalefast_core::executor::Control;
use scalefast_core::fit::{FitSpec, LossChoice, StartSet, fit};
use scalefast_core::loss::Loss;
use scalefast_core::model::{Model, Residual};
use scalefast_core::objective::{Objective, Order};
use scalefast_core::parameter::Parameter;
use scalefast_expr::{BLOCK, Kernel, System};
use std::borrow::Cow;
use std::fmt::Display;
use std::hint::black_box;

const LAW: &str = "E + A/N**alpha + B/D**beta";
const NAMES: [&str; 5] = ["E", "A", "alpha", "B", "beta"];
const TRUTH: [f64; 5] = [1.69, 406.4, 0.34, 410.7, 0.28];
const ROWS: usize = 240;

/// What cannot fail in a bench of constant inputs; if it does, the bench has nothing to say.
fn sound<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// Runs of the two-term law over three decades of each variable, with one per cent of scatter.
fn data() -> Dataset<'static> {
    let point =
        |i: usize, step: f64, low: f64| 10f64.powf(low + 3.0 * ((i + 1) as f64 * step).fract());
    let n: Vec<f64> = (0..ROWS).map(|i| point(i, 0.754_877_67, 7.5)).collect();
    let d: Vec<f64> = (0..ROWS).map(|i| point(i, 0.569_840_29, 9.0)).collect();
    let [e, a, alpha, b, beta] = TRUTH;
    let loss = (0..ROWS)
        .map(|i| {
            let scatter = 0.02 * ((i as f64 * 0.618_034).fract() - 0.5);
            (e + a / n[i].powf(alpha) + b / d[i].powf(beta)) * (1.0 + scatter)
        })
        .collect();
    let names = vec!["N".to_owned(), "D".to_owned()];
    let columns = vec![Cow::Owned(n), Cow::Owned(d)];
    sound(Dataset::new(
        names,
        columns,
        Cow::Owned(loss),
        None,
        &[true, true],
        true,
    ))
}

fn spec(loss: Loss, starts: StartSet) -> FitSpec {
    FitSpec {
        system: sound(System::formula(LAW)),
        output: "L".to_owned(),
        variables: vec!["N".to_owned(), "D".to_owned()],
        parameters: NAMES.map(Parameter::free).to_vec(),
        residual: Residual::Log,
        loss: LossChoice::Given(loss),
        starts,
        clusters: None,
        threads: Some(1),
    }
}

fn losses(c: &mut Criterion) {
    let r: Vec<f64> = (0..BLOCK)
        .map(|i| 1e-2 * ((i as f64 * 0.618_034).fract() - 0.5))
        .collect();
    let mut group = c.benchmark_group("loss, a block");
    group.throughput(Throughput::Elements(BLOCK as u64));
    for loss in [
        Loss::Huber { delta: 1e-3 },
        Loss::SoftL1 { delta: 1e-3 },
        Loss::Cauchy { delta: 1e-3 },
    ] {
        let [mut rho, mut psi, mut slope] = [(); 3].map(|()| vec![0.0; BLOCK]);
        group.bench_function(format!("{loss:?}"), |b| {
            b.iter(|| {
                loss.block(
                    Kernel::detect(),
                    black_box(&r),
                    None,
                    &mut rho,
                    &mut psi,
                    &mut slope,
                );
            });
        });
    }
    group.finish();
}

fn objectives(c: &mut Criterion) {
    let (data, spec) = (data(), spec(Loss::Squared, StartSet::Global));
    let model = sound(Model::new(
        &spec.system,
        "L",
        &spec.variables,
        &spec.parameters,
    ));
    let objective = sound(Objective::new(&model, &data, Residual::Log));
    let mut scratch = objective.scratch();
    let mut group = c.benchmark_group("objective, 240 rows");
    group.throughput(Throughput::Elements(ROWS as u64));
    for order in [Order::Cost, Order::GaussNewton, Order::Newton] {
        group.bench_function(format!("{order:?}"), |b| {
            b.iter(|| {
                let loss = Loss::Huber { delta: 1e-3 };
                objective.evaluate(&mut scratch, black_box(&TRUTH), loss, order)
            });
        });
    }
    group.finish();
}

fn fits(c: &mut Criterion) {
    let data = data();
    let near = StartSet::Given(vec![1.5, 300.0, 0.3, 300.0, 0.3]);
    for (name, loss) in [
        ("squared", Loss::Squared),
        ("huber", Loss::Huber { delta: 1e-3 }),
    ] {
        for (kind, starts) in [("local", near.clone()), ("global", StartSet::Global)] {
            let spec = spec(loss, starts);
            c.bench_function(&format!("fit, 240 rows/{kind}, {name}"), |b| {
                b.iter(|| sound(fit(&spec, &data, &Control::new())));
            });
        }
    }
}

fn allocation(c: &mut Criterion) {
    let (law, cost) = (sound(System::formula(LAW)), sound(System::formula("6*N*D")));
    c.bench_function("allocate/detect the closed form", |b| {
        b.iter(|| sound(ClosedForm::detect(black_box(&law), "L", &cost, ("N", "D"))));
    });
    let form = sound(ClosedForm::detect(&law, "L", &cost, ("N", "D")));
    let values: Vec<f64> = form
        .parameters()
        .iter()
        .filter_map(|name| {
            NAMES
                .iter()
                .position(|n| n == name)
                .map(|place| TRUTH[place])
        })
        .collect();
    c.bench_function("allocate/one budget", |b| {
        b.iter(|| form.allocate(black_box(&values), black_box(1e24)));
    });
}

criterion_group!(stages, losses, objectives, fits, allocation);
criterion_main!(stages);
