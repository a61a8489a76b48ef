//! Long calls: the GIL released, signals and the caller looked to, the work cancelled when either raises.
//!
//! In: a [`Call`] and the work. Out: what the work found. Workers never call Python: they count steps, and the thread
//! that called reads the counter and hands it on.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use scalefast_core::CoreError;
use scalefast_core::executor::{self, Control};

use crate::errors::core_error;

/// How often signals are looked at: quick enough for a person who presses Ctrl-C.
const POLL: Duration = Duration::from_millis(50);

/// One call of the library, which may work in several steps: when it gives up, and who is told how far it is.
#[pyclass(frozen, module = "scalefast._core")]
pub struct Call {
    deadline: Option<Instant>,
    /// Called with (steps done, steps in all or 0) on the thread that waits; raising ends the work.
    watch: Option<Py<PyAny>>,
}

#[pymethods]
impl Call {
    /// The time limit counts from here.
    #[new]
    #[pyo3(signature = (timeout_s=None, watch=None))]
    fn new(py: Python<'_>, timeout_s: Option<f64>, watch: Option<Py<PyAny>>) -> PyResult<Call> {
        let deadline = timeout_s
            .map(executor::deadline)
            .transpose()
            .map_err(|error| core_error(py, error))?;
        Ok(Call { deadline, watch })
    }
}

impl Call {
    /// Without a time limit, watched by nobody.
    pub fn plain() -> Call {
        Call {
            deadline: None,
            watch: None,
        }
    }

    fn look(&self, py: Python<'_>, control: &Control) -> PyResult<()> {
        py.check_signals()?;
        self.tell(py, control)
    }

    fn tell(&self, py: Python<'_>, control: &Control) -> PyResult<()> {
        if let Some(watch) = &self.watch {
            watch.call1(py, control.progress())?;
        }
        Ok(())
    }
}

/// Runs `work` on another thread without the GIL, until it is done or somebody raises.
pub fn run<R: Send>(
    py: Python<'_>,
    call: &Call,
    work: impl FnOnce(&Control) -> Result<R, CoreError> + Send,
) -> PyResult<R> {
    match observe(py, call, work) {
        (_, Some(raised)) => Err(raised),
        (found, None) => found.map_err(|error| core_error(py, error)),
    }
}

/// The same for work that keeps what it has finished: also what it found when it was stopped, and what was raised.
pub fn observe<R: Send>(
    py: Python<'_>,
    call: &Call,
    work: impl FnOnce(&Control) -> Result<R, CoreError> + Send,
) -> (Result<R, CoreError>, Option<PyErr>) {
    let control = Control::until(call.deadline);
    let (outcome, mut raised) = py.detach(|| {
        std::thread::scope(|scope| {
            let (finished, waiting) = channel();
            let control = &control;
            let worker = scope.spawn(move || {
                let result = work(control);
                // The receiver outlives the scope, so the message cannot be lost.
                let _ = finished.send(());
                result
            });
            let raised = loop {
                match waiting.recv_timeout(POLL) {
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(raised) = Python::attach(|py| call.look(py, control)) {
                            control.cancel();
                            break Some(raised);
                        }
                    }
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break None,
                }
            };
            (worker.join(), raised)
        })
    });
    let found = outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    if raised.is_none() && found.is_ok() {
        // Whoever watches sees the end, also of work that was done before the first look.
        raised = call.tell(py, &control).err();
    }
    (found, raised)
}
