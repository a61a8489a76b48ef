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

use super::{trigonometry, vecmath};

macro_rules! export {
    ($(#[$doc:meta])* $name:ident ( $($argument:ident),+ ) $module:ident) => {
        $(#[$doc])*
        pub fn $name($($argument: f64),+) -> f64 {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "fma")]
                fn with_fma($($argument: f64),+) -> f64 {
                    $module::$name($($argument),+)
                }
                if super::has_fma() {
                    // SAFETY: the guard has found the instruction.
                    return unsafe { with_fma($($argument),+) };
                }
            }
            $module::$name($($argument),+)
        }
    };
}

export!(
    /// e^x.
    exp(x) vecmath
);
export!(
    /// e^x − 1, accurate near zero.
    expm1(x) vecmath
);
export!(
    /// The natural logarithm.
    ln(x) vecmath
);
export!(
    /// The logarithm to base 2; exact for powers of two.
    log2(x) vecmath
);
export!(
    /// The logarithm to base 10.
    log10(x) vecmath
);
export!(
    /// ln(1 + x), accurate near zero.
    log1p(x) vecmath
);
export!(
    /// x^y as IEEE 754 defines it.
    pow(x, y) vecmath
);
export!(
    /// The sine, for any argument however great.
    sin(x) trigonometry
);
export!(
    /// The cosine, for any argument however great.
    cos(x) trigonometry
);
export!(
    /// The tangent, for any argument however great.
    tan(x) trigonometry
);
export!(
    /// The arc tangent.
    arctan(x) trigonometry
);
export!(
    /// The hyperbolic tangent.
    tanh(x) vecmath
);
export!(
    /// 1/(1 + e^−x).
    sigmoid(x) vecmath
);
