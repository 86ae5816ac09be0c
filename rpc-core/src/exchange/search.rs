//! Looking for somebody who takes a message: at once, and if nobody is there, in rounds.

use super::Outbound;
use super::nodes::{Node, Nodes};
use super::request::{Body, Found};
use super::routes::{Nobody, Route};
use super::settled::Settled;
use crate::transport::{Parts, Patience};
use crate::{ErrorKind, RpcError, Target, lock, text};
use std::fmt;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// The rounds of looking for somebody. One is over when each node that is not linked has been dialled in it.
#[derive(Debug)]
pub(super) struct Rounds {
    patience: Patience,
    /// How often each node had settled when this round began.
    before: Settled,
    over: u32,
    given_up: bool,
}

impl Rounds {
    pub(super) fn new(patience: Patience, nodes: &Nodes) -> Self {
        Self {
            patience,
            before: match patience {
                // what was found out before this message counts as well
                Patience::Mandatory => Settled::default(),
                Patience::UntilDeadline | Patience::Rounds(_) => nodes.settled(),
            },
            over: 0,
            given_up: false,
        }
    }

    /// Nobody takes the message now: whether it is given up.
    pub(super) fn are_over(&mut self, target: &Target, nodes: &mut Nodes) -> bool {
        if !nodes.all_settled(target, &self.before) {
            return false;
        }
        let most = match self.patience {
            Patience::UntilDeadline => None,
            Patience::Rounds(more) => Some(more),
            Patience::Mandatory => Some(0),
        };
        let all_linked = nodes.all_linked(target);
        if all_linked && most.is_none() {
            return false;
        }
        self.over = self.over.saturating_add(1);
        self.before = nodes.settled();
        // where all are linked, nobody is dialled again
        self.given_up = most.is_some_and(|most| all_linked || self.over > most);
        self.given_up
    }
}

/// When nobody was there.
impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.given_up {
            f.write_str(" before the deadline")?;
        }
        match self.over {
            0 => Ok(()),
            1 => f.write_str(" in 1 round"),
            over => write!(f, " in {over} rounds"),
        }
    }
}

impl Nodes {
    /// The addresses that may have servers of a topic and are not linked, and why; and the directory, if it may know of others.
    pub(super) fn unreached(&self, target: &Target) -> Vec<(String, String)> {
        let nodes = self
            .nodes
            .values()
            // an instance that is reached by another address is no absence
            .filter(|node| node.link.is_none() && !self.is_twin(node) && node.may_have(target))
            .map(|node| (node.address.to_string(), text::shown(node.state())));
        let directory = self.directory.as_ref();
        directory
            .and_then(|directory| directory.unreached(target))
            .into_iter()
            .chain(nodes)
            .collect()
    }

    /// Why nobody is there, and when nobody was.
    pub(super) fn absence(&self, target: &Target, when: &dyn fmt::Display) -> String {
        let directory = self.directory.as_ref();
        let asked = directory
            .map(|directory| format!("; {}", directory.absence(target)))
            .unwrap_or_default();
        let nodes: Vec<String> = self
            .nodes
            .values()
            .filter(|node| node.may_have(target))
            .take(8)
            .map(|node| format!("{} ({})", node.address, text::shown(node.state())))
            .collect();
        if nodes.is_empty() {
            return format!(
                "no server was there{when}, and no node is known{asked}{}",
                self.gone(target)
            );
        }
        format!(
            "no server was there{when}{asked}; nodes: {}",
            nodes.join(", ")
        )
    }
}

impl Nodes {
    /// Which node was there last, and what became of it.
    fn gone(&self, target: &Target) -> String {
        let mut gone = self.gone.iter();
        let last = gone.find(|(node, _)| node.may_have(target));
        let said = |(node, since): &(Box<Node>, Instant)| {
            format!(
                "; the last one was {}, listed until {} s ago ({})",
                node.address,
                since.elapsed().as_secs(),
                text::shown(node.state())
            )
        };
        last.map(said).unwrap_or_default()
    }
}

impl Outbound {
    /// Finds a server for a message, and looks for one as long as the message says.
    pub(super) async fn route(
        &self,
        parts: &Parts,
        body: &Body<'_>,
        tried: &[Arc<Route>],
    ) -> Result<Found, RpcError> {
        if let Ok(found) = lock(&self.table).find(parts, body, tried)? {
            return Ok(found);
        }
        // seldom waited for, and boxed so that a request which does not wait is small
        Box::pin(self.wait_for_route(parts, body, tried)).await
    }

    async fn wait_for_route(
        &self,
        parts: &Parts,
        body: &Body<'_>,
        tried: &[Arc<Route>],
    ) -> Result<Found, RpcError> {
        let mut rounds = Rounds::new(parts.patience, &lock(&self.table));
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // from here on, no change is missed
            changed.as_mut().enable();
            let (found, all_settled, over) = {
                let mut table = lock(&self.table);
                let found = table.find(parts, body, tried)?;
                if found.is_err() {
                    table.need(&parts.target);
                }
                let over = found.is_err() && rounds.are_over(&parts.target, &mut table);
                (
                    found,
                    table.all_settled(&parts.target, &Settled::default()),
                    over,
                )
            };
            match found {
                Ok(found) => return Ok(found),
                Err(Nobody::AllTried) => {
                    return Err(RpcError::new(
                        ErrorKind::Unavailable,
                        "every server has refused it",
                    ));
                }
                Err(Nobody::Version) if all_settled => {
                    return Err(lock(&self.table).unserved(parts, body));
                }
                Err(_) if over => return Err(self.nobody(&parts.target, &rounds)),
                Err(_) => {}
            }
            if timeout_at(parts.deadline, changed).await.is_err() {
                return Err(self.nobody(&parts.target, &rounds));
            }
        }
    }

    /// Nobody was there.
    pub(super) fn nobody(&self, target: &Target, rounds: &Rounds) -> RpcError {
        let absence = lock(&self.table).absence(target, rounds);
        RpcError::new(ErrorKind::Undeliverable, absence)
    }
}
