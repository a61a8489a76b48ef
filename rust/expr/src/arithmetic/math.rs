//! The elementary functions on plain numbers, with the same bits as every block kernel.
//!
//! For results and samplers outside of programs: no function of a system library may enter those, since
//! libraries differ in the last digit. Error bounds stand in the table of `vecmath`.
//!
//! ```
//! use scalefast_expr::math;
//! assert_eq!(math::exp(0.0), 1.0);
//! assert_eq!(math::log2(1024.0), 10.0);
//! assert_eq!(math::pow(-2.0, 3.0), -8.0);
//! assert!((math::ln(math::exp(1.5)) - 1.5).abs() < 1e-15);
//! ```

use super::vecmath;

macro_rules! export {
    ($(#[$doc:meta])* $name:ident ( $($argument:ident),+ )) => {
        $(#[$doc])*
        pub fn $name($($argument: f64),+) -> f64 {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "fma")]
                fn with_fma($($argument: f64),+) -> f64 {
                    vecmath::$name($($argument),+)
                }
                if super::has_fma() {
                    // SAFETY: the guard has found the instruction.
                    return unsafe { with_fma($($argument),+) };
                }
            }
            vecmath::$name($($argument),+)
        }
    };
}

export!(
    /// e^x.
    exp(x)
);
export!(
    /// e^x − 1, accurate near zero.
    expm1(x)
);
export!(
    /// The natural logarithm.
    ln(x)
);
export!(
    /// The logarithm to base 2; exact for powers of two.
    log2(x)
);
export!(
    /// The logarithm to base 10.
    log10(x)
);
export!(
    /// ln(1 + x), accurate near zero.
    log1p(x)
);
export!(
    /// x^y as IEEE 754 defines it.
    pow(x, y)
);
export!(
    /// The sine, for any argument however great.
    sin(x)
);
export!(
    /// The cosine, for any argument however great.
    cos(x)
);
export!(
    /// The tangent, for any argument however great.
    tan(x)
);
export!(
    /// The arc tangent.
    arctan(x)
);
export!(
    /// The hyperbolic tangent.
    tanh(x)
);
export!(
    /// 1/(1 + e^−x).
    sigmoid(x)
);
