//! The rules, by what they are about. Each is a function that is given a [`World`](super::world::World); its name is the rule.

mod calls;
mod casts;
mod deadlines;
mod guests;
mod life;
mod limits;
mod majors;
mod negotiation;
mod routing;
mod rules;
mod streams;
mod versions;

pub(super) use rules::RULES;
