//! Threads and interruption: a pool of our own for each size, and a control through which a caller cancels a call
//! and reads its progress.
//!
//! The pool size is what the caller says, else `SCALEFAST_NUM_THREADS`, else what the container's quota allows.
//! Results never depend on it. Pools are kept for the process that made them: threads do not survive a fork, so a
//! child builds its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{CoreError, ErrorKind};

/// The environment variable that sets the number of threads.
pub const THREADS_VARIABLE: &str = "SCALEFAST_NUM_THREADS";

/// Most threads that a call may ask for.
const MAX_THREADS: usize = 1024;

/// How deep processes may fork from one another before pools are no longer kept.
const MAX_FORKS: usize = 32;

/// Cancellation, time limit and progress of one long call; shared by reference between threads.
#[derive(Debug, Default)]
pub struct Control {
    cancel: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    deadline: Option<Instant>,
}

impl Control {
    /// Without a time limit.
    pub fn new() -> Self {
        Control::default()
    }

    /// With the moment at which to give up, where there is one.
    pub fn until(deadline: Option<Instant>) -> Self {
        Control {
            deadline,
            ..Control::default()
        }
    }

    /// Asks the call to end at its next check.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// Whether the call was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// An error (`Interrupted`: `interrupted` or `timeout`) once the call should end.
    pub fn check(&self) -> Result<(), CoreError> {
        if self.is_cancelled() {
            return Err(CoreError::new(
                ErrorKind::Interrupted,
                "interrupted",
                "interrupted",
            ));
        }
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            return Err(CoreError::new(
                ErrorKind::Interrupted,
                "timeout",
                "the time limit has passed",
            ));
        }
        Ok(())
    }

    /// States how many steps the work that begins now has; the count begins again.
    pub fn set_total(&self, steps: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(steps, Ordering::Relaxed);
    }

    /// Counts steps that are done.
    pub fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Ordering::Relaxed);
    }

    /// Steps done and steps in all (0 while unknown).
    pub fn progress(&self) -> (u64, u64) {
        (
            self.done.load(Ordering::Relaxed),
            self.total.load(Ordering::Relaxed),
        )
    }
}

/// The moment `timeout_s` seconds from now. Errors (`Settings`): `bad-timeout`.
pub fn deadline(timeout_s: f64) -> Result<Instant, CoreError> {
    Duration::try_from_secs_f64(timeout_s)
        .ok()
        .filter(|limit| !limit.is_zero())
        .and_then(|limit| Instant::now().checked_add(limit))
        .ok_or_else(|| {
            CoreError::settings(
                "bad-timeout",
                format!("a time limit must be a positive number of seconds, not {timeout_s}"),
            )
            .with_value(timeout_s)
            .with_argument("timeout_s")
        })
}

/// The number of threads that a call with this setting uses.
///
/// Errors (`Settings`): `bad-threads` for 0, for more than 1,024, or for an environment variable that is no number.
pub fn thread_count(threads: Option<usize>) -> Result<usize, CoreError> {
    let checked = |count: usize, source: &str| {
        if (1..=MAX_THREADS).contains(&count) {
            return Ok(count);
        }
        Err(CoreError::settings(
            "bad-threads",
            format!("{source} must lie between 1 and {MAX_THREADS}, not {count}"),
        )
        .with_value(count as f64)
        .with_limit(MAX_THREADS as f64))
    };
    if let Some(count) = threads {
        return checked(count, "threads").map_err(|error| error.with_argument("threads"));
    }
    match std::env::var(THREADS_VARIABLE) {
        Ok(text) if !text.trim().is_empty() => match text.trim().parse::<usize>() {
            Ok(count) => checked(count, THREADS_VARIABLE),
            Err(_) => Err(CoreError::settings(
                "bad-threads",
                format!("{THREADS_VARIABLE} is no whole number: {text}"),
            )),
        },
        _ => Ok(default_threads()),
    }
}

/// What the machine and the container's quota allow; the standard library reads both.
fn default_threads() -> usize {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS)
}

/// Runs `f` inside the pool of that many threads; parallel iterators within it use that pool. Errors: those of
/// [`thread_count`], and of `f`.
pub fn with_pool<R: Send>(
    threads: Option<usize>,
    f: impl FnOnce() -> Result<R, CoreError> + Send,
) -> Result<R, CoreError> {
    match pool(thread_count(threads)?) {
        Some(pool) => pool.install(f),
        None => f(),
    }
}

/// The pools of one process.
struct Registry {
    process: u32,
    pools: Mutex<HashMap<usize, Arc<ThreadPool>>>,
}

/// One registry for each process in a line of forks: a child finds its parent's slots taken, never their threads.
static REGISTRIES: [OnceLock<Registry>; MAX_FORKS] = [const { OnceLock::new() }; MAX_FORKS];

/// The kept pool of `count` threads, or fewer where the system grants fewer; `None` where it grants none.
fn pool(count: usize) -> Option<Arc<ThreadPool>> {
    let process = std::process::id();
    let new_registry = || Registry {
        process,
        pools: Mutex::default(),
    };
    let registry = REGISTRIES
        .iter()
        .map(|slot| slot.get_or_init(new_registry))
        .find(|r| r.process == process);
    let Some(registry) = registry else {
        return build(count);
    };
    let mut pools = registry
        .pools
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&count) {
        return Some(pool.clone());
    }
    let pool = build(count)?;
    pools.insert(count, pool.clone());
    Some(pool)
}

fn build(count: usize) -> Option<Arc<ThreadPool>> {
    let mut size = count;
    loop {
        let builder = ThreadPoolBuilder::new()
            .num_threads(size)
            .thread_name(|i| format!("scalefast-{i}"));
        match builder.build() {
            Ok(pool) => return Some(Arc::new(pool)),
            Err(_) if size > 1 => size /= 2,
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    #[test]
    fn the_pool_has_the_size_asked_for_and_is_kept() {
        for count in [1, 2, 3] {
            let found = with_pool(Some(count), || Ok(rayon::current_num_threads()));
            assert_eq!(found.unwrap(), count);
        }
        let (first, second) = (pool(2).unwrap(), pool(2).unwrap());
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn nested_calls_end() {
        let inner = |i| with_pool(Some(2), || Ok((0..i).into_par_iter().sum::<usize>()));
        let total = with_pool(Some(2), || (0..8).into_par_iter().map(inner).sum());
        assert_eq!(total, Ok(56));
    }

    #[test]
    fn absurd_thread_counts_are_refused() {
        let error = thread_count(Some(0)).unwrap_err();
        assert_eq!(
            (error.code, error.argument),
            ("bad-threads", Some("threads"))
        );
        assert_eq!(
            thread_count(Some(MAX_THREADS + 1)).unwrap_err().code,
            "bad-threads"
        );
        assert_eq!(
            with_pool(Some(0), || Ok(())).unwrap_err().code,
            "bad-threads"
        );
        assert_eq!(thread_count(Some(3)).unwrap(), 3);
        assert!(thread_count(None).unwrap() >= 1);
    }

    #[test]
    fn control_reports_cancellation_time_and_progress() {
        let control = Control::new();
        control.set_total(10);
        control.advance(4);
        assert_eq!(control.progress(), (4, 10));
        assert!(control.check().is_ok());
        control.cancel();
        let error = control.check().unwrap_err();
        assert_eq!(
            (error.kind, error.code),
            (ErrorKind::Interrupted, "interrupted")
        );
        let short = Control::until(Some(deadline(1e-9).unwrap()));
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(short.check().unwrap_err().code, "timeout");
        let long = Control::until(Some(deadline(3600.0).unwrap()));
        assert!(long.check().is_ok());
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(deadline(bad).unwrap_err().code, "bad-timeout");
        }
    }
}
