//! Which servers of a topic there are, and what they announced.

use super::Outbound;
use super::nodes::Settled;
use crate::transport::{Survey, Surveyed};
use crate::{Target, lock};
use tokio::time::{Instant, timeout_at};

impl Outbound {
    /// Waits until every node has announced itself or could not be reached, and somebody is there, or until the deadline.
    pub(crate) async fn survey(&self, target: &Target, deadline: Instant) -> Survey {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // from here on, no change is missed
            changed.as_mut().enable();
            let (survey, settled) = self.survey_now(target);
            // if nobody at all is there, somebody is waited for
            if settled && !survey.servers.is_empty() || deadline <= Instant::now() {
                return survey;
            }
            // the time is looked at above
            let _ = timeout_at(deadline, changed).await;
        }
    }

    fn survey_now(&self, target: &Target) -> (Survey, bool) {
        let mut table = lock(&self.table);
        table.want(target);
        let routes = table
            .routes
            .all(target.exchange_name(), target.topic_name());
        let servers = routes.iter().map(|route| Surveyed {
            name: route.name(),
            versions: route
                .service
                .apis
                .iter()
                .map(|api| (api.namespace.clone(), api.version))
                .collect(),
        });
        let survey = Survey {
            servers: servers.collect(),
            unreached: table.unreached(target),
            absence: table.absence(target),
        };
        (survey, table.all_settled(target, &Settled::default()))
    }
}
