//! The rules, by what they are about. Each is a function that is given a [`World`](super::world::World); its name is the rule.

#![allow(
    clippy::unwrap_used,
    reason = "a rule that unwraps nothing does not hold"
)]

mod access;
mod blocking;
mod calls;
mod cancellation;
mod caps;
mod casts;
mod concurrency;
mod context;
mod deadlines;
mod drain;
mod endpoints;
mod errors;
mod gather;
mod guests;
mod life;
mod limits;
mod loaded;
mod majors;
mod middleware;
mod monitor;
mod namespaces;
mod negotiation;
mod places;
mod prepare;
mod prepared_caps;
mod retry;
mod routing;
mod rules;
mod servers;
mod streams;
mod timed;
mod to_all;
mod untyped;
mod values;
mod versions;
mod works;

pub(super) use rules::RULES;
