//! Long calls: the GIL released, signals polled, the work cancelled when one raises.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pyo3::prelude::*;
use scalefast_core::CoreError;
use scalefast_core::executor::Control;

use crate::errors::core_error;

/// How often signals are looked at: quick enough for a person who presses Ctrl-C.
const POLL: Duration = Duration::from_millis(50);

/// Runs `work` on another thread without the GIL, until it is done or a signal handler raises.
pub fn run<R: Send>(
    py: Python<'_>,
    control: &Control,
    work: impl FnOnce() -> Result<R, CoreError> + Send,
) -> PyResult<R> {
    let outcome = py.detach(|| {
        std::thread::scope(|scope| {
            let (finished, waiting) = channel();
            let worker = scope.spawn(move || {
                let result = work();
                // The receiver outlives the scope, so the message cannot be lost.
                let _ = finished.send(());
                result
            });
            let raised = loop {
                match waiting.recv_timeout(POLL) {
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(raised) = Python::attach(|py| py.check_signals()) {
                            control.cancel();
                            break Some(raised);
                        }
                    }
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break None,
                }
            };
            (raised, worker.join())
        })
    });
    match outcome {
        (Some(raised), _) => Err(raised),
        (None, Ok(result)) => result.map_err(|error| core_error(py, error)),
        (None, Err(panic)) => std::panic::resume_unwind(panic),
    }
}

/// The cancel flag of a call, with its deadline where it has one.
pub fn control(py: Python<'_>, timeout_s: Option<f64>) -> PyResult<Control> {
    let limit: Result<Control, CoreError> =
        timeout_s.map_or_else(|| Ok(Control::new()), Control::with_timeout);
    limit.map_err(|error| core_error(py, error))
}
