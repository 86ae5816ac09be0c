//! Which servers of a topic there are, and what they announced.

use super::Outbound;
use super::routes::{Route, spoken};
use super::settled::Settled;
use crate::transport::{Spoken, Survey, Surveyed};
use crate::{ErrorKind, RpcError, Target, lock};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

impl Outbound {
    /// Waits until every node has announced itself or could not be reached, and somebody is there, or until the deadline.
    pub(crate) async fn survey(&self, target: &Target, deadline: Instant) -> Survey {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // from here on, no change is missed
            changed.as_mut().enable();
            if let Some(survey) = self.survey_now(target, deadline <= Instant::now()) {
                return survey;
            }
            // the time is looked at above
            let _ = timeout_at(deadline, changed).await;
        }
    }

    /// `None` unless it is over: if nobody at all is there, somebody is waited for.
    fn survey_now(&self, target: &Target, late: bool) -> Option<Survey> {
        let mut table = lock(&self.table);
        table.need(target);
        let settled = table.all_settled(target, &Settled::default());
        if !late && !settled {
            return None;
        }
        let routes = table
            .routes
            .all(target.exchange_name(), target.topic_name());
        if !late && routes.is_empty() {
            return None;
        }
        let servers = routes.iter().map(|route| Surveyed {
            name: route.name(),
            versions: route
                .service
                .apis
                .iter()
                .map(|api| (api.namespace.clone(), api.version))
                .collect(),
        });
        Some(Survey {
            servers: servers.collect(),
            unreached: table.unreached(target),
            absence: table.absence(target, &BEFORE),
        })
    }

    /// Waits until a server of the target takes messages up to one of these versions.
    pub(crate) async fn ready(
        &self,
        target: &Target,
        sought: &Spoken,
        deadline: Instant,
    ) -> Result<(), RpcError> {
        let takes = |route: &Arc<Route>| {
            let newest = |end: &crate::Version| {
                route
                    .service
                    .newest(sought.namespace(), end.major())
                    .is_some_and(|newest| newest.serves(*end))
            };
            sought.ends().any(|end| newest(&end))
        };
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // from here on, no change is missed
            changed.as_mut().enable();
            let there = self.there(target);
            if there.iter().any(takes) {
                return Ok(());
            }
            if deadline <= Instant::now() {
                return Err(self.unready(target, &there, sought));
            }
            // the time is looked at above
            let _ = timeout_at(deadline, changed).await;
        }
    }

    /// The servers of a target that are not stopping.
    fn there(&self, target: &Target) -> Vec<Arc<Route>> {
        let mut table = lock(&self.table);
        table.need(target);
        let mut there = table
            .routes
            .all(target.exchange_name(), target.topic_name());
        if let Some(server) = target.server_name() {
            there.retain(|route| route.service.server == server);
        }
        there
    }

    fn unready(&self, target: &Target, there: &[Arc<Route>], sought: &Spoken) -> RpcError {
        if there.is_empty() {
            let absence = lock(&self.table).absence(target, &BEFORE);
            return RpcError::new(ErrorKind::Undeliverable, absence);
        }
        let ends: Vec<String> = sought.ends().map(|end| end.to_string()).collect();
        RpcError::new(
            ErrorKind::UnsupportedVersion,
            format!(
                "this client sends up to version {}; the servers speak {}",
                ends.join(" or "),
                spoken(there.iter().map(|route| &**route)).join(", ")
            ),
        )
    }
}

const BEFORE: &str = " before the deadline";
