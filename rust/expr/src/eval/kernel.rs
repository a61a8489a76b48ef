//! The instruction set that evaluators are compiled for, chosen once a process.

use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use crate::arithmetic::has_fma;
use crate::arithmetic::lane::Lane;

/// The environment variable that overrides the choice of kernel: `scalar`, `avx2` or `avx512`.
pub const KERNEL_VARIABLE: &str = "SCALEFAST_KERNEL";

/// The instruction set that evaluators use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kernel {
    /// One double at a time, on any machine.
    Scalar,
    /// Four doubles at a time (x86 with AVX2 and FMA).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Eight doubles at a time (x86 with AVX-512 F, DQ and VL).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Work that is written once for every lane type.
pub(crate) trait Task {
    type Result;
    /// # Safety
    /// The processor must have the instruction set of `L`.
    unsafe fn run<L: Lane>(self) -> Self::Result;
}

impl Kernel {
    /// The fastest kernel of this machine, or the one that `SCALEFAST_KERNEL` names, if it is available.
    ///
    /// Decided once a process.
    pub fn detect() -> Kernel {
        static DETECTED: OnceLock<Kernel> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            let available = Kernel::available();
            let wanted = std::env::var(KERNEL_VARIABLE).unwrap_or_default();
            let named = available.iter().find(|k| k.name() == wanted);
            *named.or(available.last()).unwrap_or(&Kernel::Scalar)
        })
    }

    /// Every kernel that this machine can run, slowest first.
    pub fn available() -> Vec<Kernel> {
        let all = [
            (Kernel::Scalar, true),
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx2, has_avx2()),
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx512, has_avx512()),
        ];
        let usable = all.into_iter().filter(|entry| entry.1);
        usable.map(|entry| entry.0).collect()
    }

    /// The name that the environment variable takes and that manifests record.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => "avx512",
        }
    }

    /// Runs `work` compiled for this kernel's instruction set, so that plain loops in it are vectorised.
    ///
    /// Such loops must treat every element alike: a floating-point sum over elements would be reordered by
    /// nobody and stay scalar. A kernel that this machine lacks falls back to the best it has.
    ///
    /// ```
    /// use scalefast_expr::eval::Kernel;
    /// let mut values = [1.0, 2.0, 3.0];
    /// Kernel::detect().dispatch(|| values.iter_mut().for_each(|v| *v *= 2.0));
    /// assert_eq!(values, [2.0, 4.0, 6.0]);
    /// ```
    #[inline]
    pub fn dispatch<R>(self, work: impl FnOnce() -> R) -> R {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 if has_avx512() => {
                // SAFETY: the guard has found the instruction set.
                unsafe { with_avx512(work) }
            }
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 | Kernel::Avx512 if has_avx2() => {
                // SAFETY: the guard has found the instruction set.
                unsafe { with_avx2(work) }
            }
            #[cfg(target_arch = "x86_64")]
            _ if has_fma() => {
                // SAFETY: the guard has found the instruction set.
                unsafe { with_fma(work) }
            }
            _ => work(),
        }
    }

    /// Runs a task with this kernel's lanes.
    #[inline]
    pub(crate) fn run<T: Task>(self, task: T) -> T::Result {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 if has_avx512() => {
                // SAFETY: the guard has found the instruction set.
                unsafe { task_avx512(task) }
            }
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 | Kernel::Avx512 if has_avx2() => {
                // SAFETY: the guard has found the instruction set.
                unsafe { task_avx2(task) }
            }
            #[cfg(target_arch = "x86_64")]
            _ if has_fma() => {
                // SAFETY: the guard has found the instruction set.
                unsafe { task_fma(task) }
            }
            _ => {
                // SAFETY: the scalar lane needs no instruction set.
                unsafe { task.run::<f64>() }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "fma")]
fn with_fma<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl")]
fn with_avx512<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "fma")]
fn task_fma<T: Task>(task: T) -> T::Result {
    // SAFETY: the scalar lane needs no instruction set.
    unsafe { task.run::<f64>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn task_avx2<T: Task>(task: T) -> T::Result {
    // SAFETY: this function is compiled for, and only entered with, AVX2 and FMA.
    unsafe { task.run::<super::x86::Avx2>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl")]
fn task_avx512<T: Task>(task: T) -> T::Result {
    // SAFETY: this function is compiled for, and only entered with, AVX-512.
    unsafe { task.run::<super::x86::Avx512>() }
}
