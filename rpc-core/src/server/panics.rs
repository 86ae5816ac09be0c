//! Panics of handlers: caught, and logged under an id that the caller is told.

use crate::RequestId;
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether a handler is being polled on this thread.
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic of a handler on this thread was.
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

#[derive(Debug)]
struct Seen {
    location: String,
    backtrace: Backtrace,
}

/// A panic that was caught.
#[derive(Debug)]
pub(super) struct Panic {
    message: String,
    seen: Option<Seen>,
}

impl Panic {
    /// Logs it. Says under which id, and if that is to be told, where it was.
    pub(super) fn log(
        self,
        method: &str,
        request_id: Option<RequestId>,
        is_told: bool,
    ) -> (String, Option<Box<str>>) {
        let id = format!("{:016x}", fastrand::u64(..));
        let (location, backtrace) = match &self.seen {
            Some(seen) => (seen.location.as_str(), Some(&seen.backtrace)),
            None => ("unknown", None),
        };
        let mut traceback = is_told.then(|| format!("panicked at {location}: {}", self.message));
        tracing::error!(name: "rpc.handler.panicked", method, request_id = request_id.map(tracing::field::debug), panic_id = id, location, text = self.message, "a handler panicked");
        // resolving a backtrace takes milliseconds, and a caller can cause panics
        crate::log::rate_limited!({
            if let Some(backtrace) = backtrace {
                tracing::error!(name: "rpc.handler.backtrace", panic_id = id, backtrace = %backtrace, "where a handler panicked");
                if let Some(traceback) = &mut traceback {
                    let _ = write!(traceback, "\n{backtrace}");
                }
            }
        });
        (id, traceback.map(Into::into))
    }
}

/// Runs a part of a handler, and catches its panic.
///
/// A handler that panicked is never polled again, so nothing sees what it left half done but what it shares with others.
pub(super) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, Panic> {
    install_hook();
    let outer = IN_HANDLER.replace(true);
    // what the handler may have caught by itself before
    SEEN.take();
    let result = catch_unwind(AssertUnwindSafe(run));
    IN_HANDLER.set(outer);
    result.map_err(|payload| Panic {
        message: message(&*payload),
        seen: SEEN.take(),
    })
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    crate::text::shown(text.unwrap_or("(no text)"))
}

/// Notes where handlers panic, which only a hook can see. The hook that was there before is called as before.
fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if IN_HANDLER.get() {
                let location = info
                    .location()
                    .map_or_else(|| "unknown".into(), ToString::to_string);
                SEEN.set(Some(Seen {
                    location,
                    backtrace: Backtrace::force_capture(),
                }));
            }
            before(info);
        }));
    });
}
