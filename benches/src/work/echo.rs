//! Echoes: what every side does.

use crate::Outcome;
use crate::load::{self, Act};
use crate::side::{Echoes, Job, Sample};
use bytes::Bytes;

/// One round of echoes, each by what `echo` makes of a body.
pub async fn round<A: Act>(
    echoes: Echoes,
    job: &Job,
    echo: impl Fn(Bytes) -> A,
) -> Outcome<Sample> {
    let scale = &job.scale;
    match echoes {
        Echoes::Sequential => {
            let times =
                load::sequential(scale.warm_up, scale.calls, echo(load::small_body())).await?;
            Ok(vec![Some(load::median_micros(times)?)])
        }
        Echoes::InFlight => {
            let echo = echo(load::small_body());
            load::together(scale.span / 4, job.server, &echo).await?;
            let done = load::together(scale.span, job.server, &echo).await?;
            Ok(done.sample())
        }
        Echoes::Large => {
            let (warm_up, body) = (scale.warm_up / 50, load::large_body());
            let times = load::sequential(warm_up, scale.large_calls, echo(body)).await?;
            // a body is one MiB
            Ok(vec![Some(load::per_second(&times))])
        }
    }
}
