//! Finds the endpoint and the method that a message is for.

use super::limits::MethodLimits;
use super::{Access, Endpoint, StartError};
use crate::{ApiInfo, ErrorKind, MethodInfo, MethodKind, Peer, Version, introspection, text};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The endpoints of a server, in the order in which they were added.
pub(super) struct Dispatcher {
    endpoints: Vec<Entry>,
    access: Access,
}

struct Entry {
    endpoint: Arc<dyn Endpoint>,
    methods: BTreeMap<&'static str, Place>,
}

/// Where a method is.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    /// The limit that it has besides that of the server, by its place among these.
    lane: Option<usize>,
}

/// A message, as far as it says where it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) namespace: Option<&'a str>,
    pub(super) version: Version,
    pub(super) method: &'a str,
    /// How it is to be answered.
    pub(super) kind: MethodKind,
}

/// Where a message goes.
pub(super) struct Found<'a> {
    pub(super) endpoint: &'a Arc<dyn Endpoint>,
    pub(super) index: usize,
    pub(super) method: &'static MethodInfo,
    pub(super) lane: Option<usize>,
}

/// Why a message goes nowhere.
#[derive(Debug)]
pub(super) struct NotFound {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
}

impl Dispatcher {
    /// Refuses endpoints between which a message could not choose: of the same namespace and major, with a common method; and what
    /// is said of methods that none has.
    pub(super) fn new(
        endpoints: Vec<Arc<dyn Endpoint>>,
        access: Access,
        limits: &MethodLimits,
    ) -> Result<Self, StartError> {
        for (at, one) in endpoints.iter().enumerate() {
            for other in &endpoints[..at] {
                let (a, b) = (other.api(), one.api());
                let major = a
                    .spoken()
                    .find(|a| b.spoken().any(|b| a.major() == b.major()));
                let namespace = a.namespaces().find(|namespace| b.is_in(*namespace));
                let common = a.methods().iter().find(|method| {
                    b.methods()
                        .iter()
                        .any(|other| other.name() == method.name())
                });
                if let (Some(version), Some(namespace), Some(method)) = (major, namespace, common) {
                    return Err(StartError::Endpoints(format!(
                        "`{}` and `{}` both have `{}` in {} {}.x: give one of the APIs a namespace of its own",
                        a.name(),
                        b.name(),
                        method.name(),
                        namespace.map_or("version".into(), |name| format!(
                            "namespace {name}, version"
                        )),
                        version.major(),
                    )));
                }
            }
        }
        for name in access.names() {
            exists(&endpoints, "the access policy", name)?;
        }
        for name in limits.names() {
            exists(&endpoints, "`method_concurrency`", name)?;
        }
        let endpoints = endpoints
            .into_iter()
            .map(|endpoint| {
                let methods = endpoint.api().methods().iter().enumerate();
                let place = |(index, method): (usize, &'static MethodInfo)| {
                    let lane = limits.lane(method.name());
                    (method.name(), Place { index, lane })
                };
                Entry {
                    methods: methods.map(place).collect(),
                    endpoint,
                }
            })
            .collect();
        Ok(Self { endpoints, access })
    }

    pub(super) fn endpoints(&self) -> impl Iterator<Item = &Arc<dyn Endpoint>> {
        self.endpoints.iter().map(|entry| &entry.endpoint)
    }

    /// Namespace, then version, then method: the first endpoint that has all three. What the client may not call is not there.
    pub(super) fn find(&self, wanted: Wanted<'_>, peer: &Peer) -> Result<Found<'_>, NotFound> {
        let Wanted {
            namespace,
            version,
            method,
            kind: asked,
        } = wanted;
        let mut compatible = false;
        for entry in &self.endpoints {
            let api = entry.endpoint.api();
            if !api.is_in(namespace) || !api.serves(version) {
                continue;
            }
            compatible = true;
            let Some(&Place { index, lane }) = entry.methods.get(method) else {
                continue;
            };
            let info = &api.methods()[index];
            if !info.is_in(version) || !self.access.allows(peer, api, info) {
                continue;
            }
            // a call may be cast: then nobody waits for its value; and a gather is a call to each server
            let fits = match asked {
                MethodKind::Cast | MethodKind::Fanout => info.kind() != MethodKind::Multicall,
                MethodKind::Call | MethodKind::Gather => {
                    matches!(info.kind(), MethodKind::Call | MethodKind::Gather)
                }
                MethodKind::Multicall => info.kind() == MethodKind::Multicall,
            };
            if !fits {
                return Err(NotFound {
                    kind: ErrorKind::NoSuchMethod,
                    message: format!(
                        "`{}` is a {}, and was asked for as a {}",
                        info.name(),
                        kind_name(info.kind()),
                        kind_name(asked)
                    ),
                });
            }
            return Ok(Found {
                endpoint: &entry.endpoint,
                index,
                method: info,
                lane,
            });
        }
        if compatible {
            return Err(NotFound {
                kind: ErrorKind::NoSuchMethod,
                message: format!(
                    "there is no method `{}` in version {version}",
                    text::shown(method)
                ),
            });
        }
        let spoken: Vec<String> = self
            .endpoints()
            .map(|endpoint| endpoint.api())
            .filter(|api| api.namespace() != Some(introspection::NAMESPACE))
            .map(|api| {
                let versions: Vec<String> = api.spoken().map(|end| end.to_string()).collect();
                let versions = versions.join(" and ");
                let namespaces: Vec<&str> = api
                    .namespaces()
                    .map(|namespace| namespace.unwrap_or("none"))
                    .collect();
                match api.namespaces().any(|namespace| namespace.is_some()) {
                    true => format!("{} ({}) {versions}", api.name(), namespaces.join(", ")),
                    false => format!("{} {versions}", api.name()),
                }
            })
            .collect();
        Err(NotFound {
            kind: ErrorKind::UnsupportedVersion,
            message: format!(
                "version {version}{} is not served; there is {}",
                namespace.map_or(String::new(), |name| format!(
                    " of namespace {}",
                    text::shown(name)
                )),
                spoken.join(", ")
            ),
        })
    }
}

/// Whether any endpoint has a method of this name.
fn exists(endpoints: &[Arc<dyn Endpoint>], what: &str, name: &str) -> Result<(), StartError> {
    let methods = || {
        let apis = endpoints.iter().map(|endpoint| endpoint.api());
        apis.flat_map(ApiInfo::methods).map(MethodInfo::name)
    };
    if methods().any(|method| method == name) {
        return Ok(());
    }
    let known: Vec<&str> = methods().collect();
    Err(StartError::Endpoints(format!(
        "{what} names a method `{}`, which no endpoint has: there are {}",
        text::shown(name),
        known.join(", ")
    )))
}

fn kind_name(kind: MethodKind) -> &'static str {
    match kind {
        MethodKind::Call | MethodKind::Gather => "call",
        MethodKind::Cast | MethodKind::Fanout => "cast",
        MethodKind::Multicall => "multicall",
    }
}
