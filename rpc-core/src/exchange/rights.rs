//! What the other end of a link may do, where a transport knows who that is.

/// What the other end of a link may do. It is asked each time, so that rights can be taken away while the link is up.
pub trait Rights: Send + Sync + 'static {
    /// What it has proved who it is by. Links of one instance have the same.
    fn key(&self) -> &[u8];

    /// Whether a client may send to a topic, and is told of the servers there. To it, another topic looks as if nobody was on it.
    fn may_use(&self, exchange: &str, topic: &str) -> bool;

    /// Whether a node may have a server of this name. One that it must not have is not called there.
    fn may_announce(&self, exchange: &str, topic: &str, server: &str) -> bool;
}

#[cfg(test)]
mod tests {
    use super::super::Outbound;
    use super::super::frame::{AnnouncedService, Announcement, Window};
    use super::super::link::ClientLink;
    use super::*;
    use crate::lock;
    use crate::transport::TransportCounters;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A node with a key of one byte, which may have servers or not.
    struct Owner(u8, AtomicBool);

    impl Rights for Owner {
        fn key(&self) -> &[u8] {
            std::slice::from_ref(&self.0)
        }

        fn may_use(&self, _: &str, _: &str) -> bool {
            false
        }

        fn may_announce(&self, _: &str, _: &str, server: &str) -> bool {
            server == "s" && self.1.load(Ordering::Relaxed)
        }
    }

    fn outbound() -> Outbound {
        Outbound::new(Arc::new(TransportCounters::default()))
    }

    /// A node announces these servers.
    fn linked(out: &Outbound, owner: &Arc<Owner>, servers: &[&str]) -> Arc<ClientLink> {
        let node = out.add_node("somewhere");
        let rights = Arc::clone(owner);
        let link = out.link_up(node, Some(rights));
        let announcement = Announcement {
            protocols: (1, 1),
            instance: [7; 16],
            address: String::new(),
            window: Window {
                requests: 1,
                bytes: 1,
            },
            serial: None,
            heartbeats: true,
            services: servers
                .iter()
                .map(|server| AnnouncedService {
                    exchange: String::new(),
                    topic: "t".into(),
                    server: (*server).into(),
                    draining: false,
                    apis: Vec::new(),
                })
                .collect(),
        };
        out.receive(node, &link, [announcement.write().unwrap()]);
        link
    }

    fn servers(out: &Outbound) -> Vec<String> {
        let routes = lock(&out.table).routes.all("", "t");
        let name = |route: &Arc<super::super::routes::Route>| route.service.server.clone();
        routes.iter().map(name).collect()
    }

    fn owner(key: u8) -> Arc<Owner> {
        Arc::new(Owner(key, AtomicBool::new(true)))
    }

    #[test]
    fn a_node_has_the_servers_that_its_key_may_have_at_the_moment() {
        let (out, owner) = (outbound(), owner(1));
        let link = linked(&out, &owner, &["s", "other"]);
        assert_eq!(servers(&out), ["s"]);
        owner.1.store(false, Ordering::Relaxed);
        out.rights_changed();
        assert!(servers(&out).is_empty());
        owner.1.store(true, Ordering::Relaxed);
        out.rights_changed();
        assert_eq!(servers(&out), ["s"]);
        assert!(!link.is_lost());
    }

    #[test]
    fn whoever_copies_an_instances_id_does_not_take_its_place() {
        let out = outbound();
        let thief = linked(&out, &owner(1), &[]);
        let owner = owner(2);
        let link = linked(&out, &owner, &["s"]);
        assert!(!link.is_lost() && !thief.is_lost());
        assert_eq!(servers(&out), ["s"]);
        // with the same key, it is the same by another address
        assert!(linked(&out, &owner, &["s"]).is_lost());
    }
}
