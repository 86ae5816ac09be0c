//! Where a message goes.

use crate::text::shown;
use std::fmt;
use std::sync::Arc;

/// Where a message goes: a topic, within an exchange, and perhaps one server on it.
///
/// A server needs a topic and its own name; a client needs a topic. Exchanges do not see each other: a call to topic
/// `compute` of exchange `blue` never reaches a server of exchange `green`.
///
/// ```
/// use rpc_core::Target;
///
/// let target = Target::topic("compute").server("node-1");
/// assert_eq!(target.to_string(), "compute/node-1");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Target {
    exchange: Option<Arc<str>>,
    topic: Option<Arc<str>>,
    server: Option<Arc<str>>,
}

impl Target {
    /// A target without a topic: the API's own topic is used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All servers of `topic`; a call goes to one of them in turn.
    #[must_use]
    pub fn topic(topic: impl Into<Arc<str>>) -> Self {
        Self {
            topic: Some(topic.into()),
            ..Self::default()
        }
    }

    /// The one server of this name.
    #[must_use]
    pub fn server(mut self, server: impl Into<Arc<str>>) -> Self {
        self.server = Some(server.into());
        self
    }

    /// The exchange that the topic belongs to. Default: the unnamed one.
    #[must_use]
    pub fn exchange(mut self, exchange: impl Into<Arc<str>>) -> Self {
        self.exchange = Some(exchange.into());
        self
    }

    pub(crate) fn with_exchange(self, exchange: Option<Arc<str>>) -> Self {
        Self { exchange, ..self }
    }

    pub(crate) fn with_topic(self, topic: Option<Arc<str>>) -> Self {
        Self { topic, ..self }
    }

    pub(crate) fn with_server(self, server: Option<Arc<str>>) -> Self {
        Self { server, ..self }
    }

    /// The exchange's name, empty for the unnamed one.
    #[must_use]
    pub fn exchange_name(&self) -> &str {
        self.exchange.as_deref().unwrap_or_default()
    }

    /// The topic's name, empty when none was given.
    #[must_use]
    pub fn topic_name(&self) -> &str {
        self.topic.as_deref().unwrap_or_default()
    }

    /// The server's name, if one was given.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server.as_deref()
    }

    pub(crate) fn or_topic(mut self, topic: Option<&str>) -> Self {
        if self.topic.is_none() {
            self.topic = topic.map(Into::into);
        }
        self
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exchange = self.exchange_name();
        if !exchange.is_empty() {
            write!(f, "{}:", shown(exchange))?;
        }
        match self.topic_name() {
            "" => f.write_str("(no topic)")?,
            topic => f.write_str(&shown(topic))?,
        }
        if let Some(server) = &self.server {
            write!(f, "/{}", shown(server))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_target_is_what_was_set_on_it() {
        let all = Target::topic("compute").exchange("blue").server("node-1");
        assert_eq!(
            (all.exchange_name(), all.topic_name(), all.server_name()),
            ("blue", "compute", Some("node-1"))
        );
        let none = Target::new();
        assert_eq!(
            (none.exchange_name(), none.topic_name(), none.server_name()),
            ("", "", None)
        );
        assert_eq!(
            none.or_topic(Some("compute"))
                .exchange("blue")
                .server("node-1"),
            all
        );
        assert_eq!(all.clone().or_topic(Some("other")), all);
    }

    #[test]
    fn equal_targets_are_one_in_a_set() {
        let target = Target::topic("compute");
        let targets = HashSet::from([
            target.clone(),
            Target::topic("compute"),
            target.clone().server("node-1"),
            target.exchange("blue"),
        ]);
        assert_eq!(targets.len(), 3);
    }

    #[test]
    fn the_text_says_what_is_set() {
        assert_eq!(Target::new().to_string(), "(no topic)");
        assert_eq!(Target::topic("compute").to_string(), "compute");
        let all = Target::topic("compute").exchange("blue").server("node-1");
        assert_eq!(all.to_string(), "blue:compute/node-1");
        assert_eq!(format!("{all:?}"), "Target(blue:compute/node-1)");
    }
}
