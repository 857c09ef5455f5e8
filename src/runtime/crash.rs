//! Panics: the UI thread's panic gives the terminal back and is told after it; a worker's panic becomes a message.

use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Keeps what a panic said until it can be told.
#[derive(Debug, Clone, Default)]
pub struct Crash {
    told: Arc<Mutex<Option<String>>>,
}

impl Crash {
    /// Installs the panic hook. `report` words a panic (with a backtrace where one was asked for); `worker` is called
    /// with the report of a panic on any thread but the calling one, which is the UI thread.
    pub fn watch(
        report: impl Fn(&PanicHookInfo<'_>) -> String + Send + Sync + 'static,
        worker: impl Fn(String) + Send + Sync + 'static,
    ) -> Self {
        let crash = Self::default();
        let told = Arc::clone(&crash.told);
        let ui = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            let words = report(info);
            tracing::error!(thread = thread::current().name(), "panic: {words}");
            if thread::current().id() == ui {
                super::terminal::give_back();
                told.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(words);
            } else {
                worker(words);
            }
        }));
        crash
    }

    /// The report of the UI thread's panic, once.
    pub fn take(&self) -> Option<String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
