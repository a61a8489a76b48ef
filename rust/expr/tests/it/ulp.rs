//! Error bounds of the elementary functions, in units in the last place, against evaluation in two doubles.
//!
//! The reference works with sums of two doubles (about 106 bits) and Taylor series; it shares no constant but π and
//! ln 2 with what it judges. Huge arguments of sine and cosine are checked against values computed at 2400 bits.

use scalefast_expr::math;

/// A number as the sum of two doubles, the second below half a unit in the last place of the first.
#[derive(Clone, Copy, Debug)]
struct Long(f64, f64);

/// ln 2 and π/2, each as the sum of three doubles.
const LN2: [f64; 3] = [
    std::f64::consts::LN_2,
    2.319_046_813_846_3e-17,
    5.707_708_438_416_212e-34,
];
const HALF_PI: [f64; 3] = [
    std::f64::consts::FRAC_PI_2,
    6.123_233_995_736_766e-17,
    -1.497_384_904_859_17e-33,
];

impl Long {
    fn of(a: f64) -> Long {
        Long(a, 0.0)
    }
    fn sum(a: f64, b: f64) -> Long {
        let s = a + b;
        let t = s - a;
        Long(s, (a - (s - t)) + (b - t))
    }
    fn product(a: f64, b: f64) -> Long {
        let p = a * b;
        Long(p, a.mul_add(b, -p))
    }
    fn plus(self, b: Long) -> Long {
        let s = Long::sum(self.0, b.0);
        let t = Long::sum(self.1, b.1);
        let s = Long::sum(s.0, s.1 + t.0);
        Long::sum(s.0, s.1 + t.1)
    }
    fn minus(self, b: Long) -> Long {
        self.plus(Long(-b.0, -b.1))
    }
    fn times(self, b: Long) -> Long {
        let p = Long::product(self.0, b.0);
        Long::sum(p.0, p.1 + self.0.mul_add(b.1, self.1 * b.0))
    }
    fn over(self, b: Long) -> Long {
        let q = Long::of(self.0 / b.0);
        let rest = self.minus(q.times(b));
        let q = q.plus(Long::of(rest.0 / b.0));
        let rest = self.minus(q.times(b));
        q.plus(Long::of(rest.0 / b.0))
    }
    fn scaled(self, power: i32) -> Long {
        // In two steps, since the power alone may leave the range of doubles.
        let (a, b) = (2f64.powi(power / 2), 2f64.powi(power - power / 2));
        Long(self.0 * a * b, self.1 * a * b)
    }
}

/// The reduced argument x − k·c and k, for c in three doubles.
fn reduce(x: Long, c: [f64; 3]) -> (Long, f64) {
    let k = (x.0 / c[0]).round();
    let mut r = x;
    for part in c {
        r = r.minus(Long::product(k, part));
    }
    (r, k)
}

/// Σ r^n/n! over every `step`-th n from `first`, with alternating signs if `step` is 2.
fn series(r: Long, first: u32, step: u32) -> Long {
    let mut term = Long::of(1.0);
    let mut sum = Long::of(if first == 0 { 1.0 } else { 0.0 });
    for n in 1..40 {
        term = term.times(r).over(Long::of(f64::from(n)));
        if n >= first && (n - first).is_multiple_of(step) {
            let negative = step == 2 && (n - first) / 2 % 2 == 1;
            sum = if negative {
                sum.minus(term)
            } else {
                sum.plus(term)
            };
        }
    }
    sum
}

fn exp(x: Long) -> Long {
    let (r, k) = reduce(x, LN2);
    series(r, 0, 1).scaled(k as i32)
}

fn expm1(x: Long) -> Long {
    match x.0.abs() < 0.3 {
        true => series(x, 1, 1),
        false => exp(x).minus(Long::of(1.0)),
    }
}

/// ln x by one step of Newton's method from the library's value.
fn ln(x: Long) -> Long {
    let y = x.0.ln();
    let e = x.times(exp(Long::of(-y))).minus(Long::of(1.0));
    let square = e.times(e).times(Long::of(-0.5));
    Long::of(y).plus(e).plus(square)
}

fn log1p(x: f64) -> Long {
    if x.abs() < 1e-5 {
        let mut sum = Long::of(0.0);
        let mut power = Long::of(1.0);
        for n in 1..12 {
            power = power.times(Long::of(-x));
            sum = sum.minus(power.over(Long::of(f64::from(n))));
        }
        return sum;
    }
    ln(Long::sum(1.0, x))
}

/// Sine and cosine, for arguments up to about a million.
fn sin_cos(x: Long) -> (Long, Long) {
    let (r, k) = reduce(x, HALF_PI);
    let (s, c) = (series(r, 1, 2), series(r, 0, 2));
    let negative = |v: Long| Long(-v.0, -v.1);
    match k.rem_euclid(4.0) as u8 {
        0 => (s, c),
        1 => (c, negative(s)),
        2 => (negative(s), negative(c)),
        _ => (negative(c), s),
    }
}

/// arctan x = y + arctan((x·cos y − sin y)/(cos y + x·sin y)) with the library's value as y.
fn arctan(x: f64) -> Long {
    let y = x.atan();
    let (s, c) = sin_cos(Long::of(y));
    let x = Long::of(x);
    let rest = x.times(c).minus(s).over(c.plus(x.times(s)));
    Long::of(y).plus(rest)
}

fn tanh(x: f64) -> Long {
    let y = expm1(Long::of(2.0 * x));
    y.over(y.plus(Long::of(2.0)))
}

fn sigmoid(x: f64) -> Long {
    Long::of(1.0).over(exp(Long::of(-x)).plus(Long::of(1.0)))
}

/// The error of `value` in units in the last place of the reference.
fn ulps(value: f64, reference: Long) -> f64 {
    let size = reference.0.abs().max(f64::MIN_POSITIVE);
    let unit = f64::from_bits(size.to_bits() + 1) - size;
    (((value - reference.0) - reference.1) / unit).abs()
}

/// Numbers spread evenly over an interval, or evenly in logarithm over a positive one.
fn points(from: f64, to: f64, logarithmic: bool) -> impl Iterator<Item = f64> + Clone {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    (0..20_000).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let u = (state >> 11) as f64 / (1u64 << 53) as f64;
        match logarithmic {
            true => (from.ln() + u * (to.ln() - from.ln())).exp(),
            false => from + u * (to - from),
        }
    })
}

/// Asserts a bound on intervals; those below zero in the second are logarithmic and taken with both signs.
fn check(
    name: &str,
    bound: f64,
    intervals: &[(f64, f64)],
    function: fn(f64) -> f64,
    reference: impl Fn(f64) -> Long,
) {
    let mut worst = (0.0, 0.0);
    for &(from, to) in intervals {
        for logarithmic in [false, true] {
            if logarithmic && from <= 0.0 {
                continue;
            }
            for x in points(from, to, logarithmic) {
                let error = ulps(function(x), reference(x));
                if error > worst.0 || error.is_nan() {
                    worst = (error, x);
                }
            }
        }
    }
    println!("{name}: {:.3} ulp at {:e}", worst.0, worst.1);
    assert!(
        worst.0 <= bound,
        "{name} is off by {} ulp at {:e}",
        worst.0,
        worst.1
    );
}

#[test]
fn exponentials() {
    let wide = [(-700.0, 700.0), (-1.0, 1.0), (1e-20, 1.0)];
    check("exp", 1.0, &wide, math::exp, |x| exp(Long::of(x)));
    let near = [(-30.0, 30.0), (-1.0, 1.0), (1e-20, 700.0)];
    check("expm1", 2.0, &near, math::expm1, |x| expm1(Long::of(x)));
    check(
        "tanh",
        3.0,
        &[(-20.0, 20.0), (-1.0, 1.0), (1e-20, 1.0)],
        math::tanh,
        tanh,
    );
    check(
        "sigmoid",
        3.0,
        &[(-700.0, 40.0), (-2.0, 2.0)],
        math::sigmoid,
        sigmoid,
    );
}

#[test]
fn subnormal_exponentials_are_off_by_less_than_one_unit() {
    for x in points(-745.0, -708.5, false) {
        // In units of the least subnormal; the reference is scaled there exactly.
        let unit = 5e-324;
        let (r, k) = reduce(Long::of(x), LN2);
        let exact = series(r, 0, 1).scaled(k as i32 + 1074);
        let error = (math::exp(x) / unit - exact.0) - exact.1;
        assert!(error.abs() <= 1.0, "exp({x:e}) is off by {error} units");
    }
}

#[test]
fn logarithms() {
    let wide = [
        (1e-300, 1e300),
        (0.5, 2.0),
        (0.99, 1.01),
        (1.0, 1.0 + 1e-10),
    ];
    check("ln", 1.0, &wide, math::ln, |x| ln(Long::of(x)));
    let two = ln(Long::of(2.0));
    check("log2", 1.0, &wide, math::log2, |x| {
        ln(Long::of(x)).over(two)
    });
    let ten = ln(Long::of(10.0));
    check("log10", 1.0, &wide, math::log10, |x| {
        ln(Long::of(x)).over(ten)
    });
    let near = [(-0.999, 3.0), (-0.01, 0.01), (1e-20, 1e10)];
    check("log1p", 2.0, &near, math::log1p, log1p);
}

#[test]
fn logarithms_of_whole_powers_are_exact() {
    for k in -1074..1024 {
        assert_eq!(
            math::log2(2f64.powi(k / 2) * 2f64.powi(k - k / 2)),
            f64::from(k)
        );
    }
    for k in 0..=22 {
        assert_eq!(math::log10(10f64.powi(k)), f64::from(k));
    }
}

#[test]
fn circular_functions() {
    let wide = [(-10.0, 10.0), (-1e6, 1e6), (1e-20, 1.0)];
    check("sin", 1.0, &wide, math::sin, |x| sin_cos(Long::of(x)).0);
    check("cos", 1.0, &wide, math::cos, |x| sin_cos(Long::of(x)).1);
    let tangent = |x| {
        let (s, c) = sin_cos(Long::of(x));
        s.over(c)
    };
    check("tan", 3.0, &wide, math::tan, tangent);
    let arcs = [(-3.0, 3.0), (-50.0, 50.0), (1e-20, 1e20)];
    check("arctan", 1.0, &arcs, math::arctan, arctan);
}

#[test]
fn circular_functions_of_huge_numbers() {
    let known = [
        (1048577.0, 0.9727535843134413, 0.23184146351624124),
        (10000000.5, -0.0659031838091142, -0.9978260220919387),
        (123456789.125, 0.9998763854272629, 0.01572303612257408),
        (1e15, 0.8582727931702359, -0.5131937377869703),
        (1e22, -0.8522008497671888, 0.523214785395139),
        (9007199254740992.0, -0.848925964814655, -0.5285117844130887),
        // The double that comes nearest to an odd multiple of π/2 (Muller, Elementary Functions, 2006).
        (5.319372648326541e255, 1.0, -4.687165924254628e-19),
        (f64::MAX, 0.004961954789184062, -0.9999876894265599),
        (
            1.0715086071862673e301,
            -0.15920170308624243,
            0.9872460775989135,
        ),
        (
            3.6360291795869935e238,
            0.3270591866402806,
            0.9450038563065222,
        ),
    ];
    for (x, sine, cosine) in known {
        for sign in [1.0, -1.0] {
            assert!(
                ulps(math::sin(sign * x), Long::of(sign * sine)) <= 1.0,
                "sin({x:e})"
            );
            assert!(
                ulps(math::cos(sign * x), Long::of(cosine)) <= 1.0,
                "cos({x:e})"
            );
        }
    }
    // Both ways of reducing an argument agree where one takes over from the other.
    for x in points(1e6, 1e7, false) {
        let error = ulps(math::sin(x), sin_cos(Long::of(x)).0);
        assert!(error <= 1.0, "sin({x:e}) is off by {error} ulp");
    }
}

#[test]
fn powers() {
    let mut worst = (0.0, 0.0, 0.0);
    let exponents = points(-700.0, 700.0, false).skip(7);
    for bases in [(1e-3, 1e3), (0.9, 1.1), (1e-300, 1e300)] {
        for (x, t) in points(bases.0, bases.1, true).zip(exponents.clone()) {
            let y = t / x.ln();
            let exponent = ln(Long::of(x)).times(Long::of(y));
            if exponent.0.abs() > 700.0 {
                continue;
            }
            let error = ulps(math::pow(x, y), exp(exponent));
            if error > worst.0 || error.is_nan() {
                worst = (error, x, y);
            }
        }
    }
    println!("pow: {:.3} ulp at {:e}, {:e}", worst.0, worst.1, worst.2);
    assert!(worst.0 <= 1.5, "{worst:?}");
}

#[test]
fn the_reference_is_right_where_the_truth_is_known() {
    // 30 digits each: e, ln 10, sin 1, arctan 2; the second double is what the first leaves over.
    let known = [
        (
            exp(Long::of(1.0)),
            std::f64::consts::E,
            1.445_646_891_729_250_2e-16,
        ),
        (
            ln(Long::of(10.0)),
            std::f64::consts::LN_10,
            -2.170_756_223_382_249_4e-16,
        ),
        (sin_cos(Long::of(1.0)).0, 0.8414709848078965, 1.2e-17),
        (arctan(2.0), 1.1071487177940904, 1.2e-17),
    ];
    for (value, high, low) in known {
        assert_eq!(value.0, high);
        assert!(value.1.abs() <= 2.0 * f64::abs(low) + 1.2e-16);
    }
    assert!((exp(Long::of(1.0)).1 - 1.445_646_891_729_250_2e-16).abs() < 1e-30);
    assert!((ln(Long::of(10.0)).1 + 2.170_756_223_382_249_4e-16).abs() < 1e-30);
}
