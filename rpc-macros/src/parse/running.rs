//! The words that say how a method runs: `monitor`, `during_drain`, `no_cancel`, `blocking`.

use super::literal;
use super::words::Words;
use crate::ctxt::Ctxt;
use crate::model::{Kind, Running, Timeout};

/// Reads them. What makes no sense for a method of this kind is an error at the word.
pub(super) fn read(
    words: &Words,
    kind: Option<Kind>,
    timeout: Option<&Timeout>,
    ctxt: &Ctxt,
) -> Running {
    let senseless = |word: &str, message: &str| {
        if let Some(at) = words.span(word) {
            ctxt.error(at, message.to_owned());
        }
    };
    match kind {
        Some(Kind::Cast | Kind::Fanout) => {
            senseless(
                "monitor",
                "nobody waits for a cast once it is accepted: remove `monitor`",
            );
            senseless("no_cancel", "casts are never cancelled: remove `no_cancel`");
        }
        Some(Kind::Multicall) => {
            senseless(
                "monitor",
                "the timeout of a multicall is that of each item, so it needs no heartbeats: remove `monitor`, and write a `timeout` that one item keeps to",
            );
            senseless(
                "no_cancel",
                "a stream that nobody reads has nowhere to go on: remove `no_cancel`, and put what must not stop in the middle into a call",
            );
        }
        Some(Kind::Call | Kind::Gather) | None => {}
    }
    Running {
        monitor: monitor(words, timeout, ctxt),
        during_drain: words.span("during_drain").is_some(),
        no_cancel: words.span("no_cancel").is_some(),
        blocking: words.span("blocking").is_some(),
    }
}

fn monitor(words: &Words, timeout: Option<&Timeout>, ctxt: &Ctxt) -> Option<Timeout> {
    let literal = words.string("monitor")?;
    let monitor = ctxt.ok(literal::monitor(literal))?;
    match timeout {
        Some(timeout) if timeout.millis <= monitor.millis => {
            let message = format!(
                "the method times out after {} anyway: write a shorter one, or a longer `timeout`",
                timeout.text
            );
            ctxt.error(literal.span(), message);
            None
        }
        _ => Some(monitor),
    }
}
