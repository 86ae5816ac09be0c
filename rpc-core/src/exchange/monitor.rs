//! The wait for an answer, as long as the server says that the request is queued or running.

use super::alarm::Until;
use super::in_flight::InFlight;
use super::waiting::Answer;
use crate::{ErrorKind, RpcError};
use std::time::Duration;
use tokio::time::Instant;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Overdue {
    /// The deadline passed.
    Deadline,
    /// No heartbeat came in time.
    Silent {
        sent: Instant,
        last: Option<Instant>,
    },
}

/// By when something is to be heard, if something was at this time.
pub(super) fn until(heard: Instant, deadline: Instant, monitor: Duration) -> Instant {
    let silent = heard.checked_add(monitor);
    silent.map_or(deadline, |silent| silent.min(deadline))
}

/// Waits for the answer: until the deadline, and never longer than `monitor` without a heartbeat.
pub(super) async fn answer(
    in_flight: &mut InFlight<'_>,
    sent: Instant,
    deadline: Instant,
    monitor: Duration,
) -> Result<Answer, Overdue> {
    let mut last = None;
    loop {
        let until = Until::here(until(last.unwrap_or(sent), deadline, monitor));
        if let Ok(answer) = in_flight.answer(Some(until)).await {
            return Ok(answer);
        }
        if deadline <= Instant::now() {
            return Err(Overdue::Deadline);
        }
        let heard = in_flight.heard();
        if heard == last {
            return Err(Overdue::Silent { sent, last });
        }
        last = heard;
    }
}

impl Overdue {
    /// What is told of a request that was written.
    #[cold]
    pub(super) fn error(&self) -> RpcError {
        let text = match self {
            Self::Deadline => "no answer before the deadline".to_owned(),
            Self::Silent { sent, last: None } => format!(
                "no answer, and no heartbeat of the server since it was sent {:.3?} ago",
                sent.elapsed()
            ),
            Self::Silent {
                last: Some(last), ..
            } => format!(
                "no answer, and no heartbeat of the server since the last one {:.3?} ago, which said that it was queued or running",
                last.elapsed()
            ),
        };
        RpcError::new(ErrorKind::Timeout, text)
    }
}
