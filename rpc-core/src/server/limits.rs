//! How much of a server's work there may be at once.

/// The limits of a server.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Requests that run.
    pub(super) concurrency: usize,
    /// Requests that wait.
    pub(super) queue: usize,
    pub(super) methods: MethodLimits,
}

/// How many requests of single methods run at once.
#[derive(Clone, Debug, Default)]
pub(super) struct MethodLimits(Vec<(String, usize)>);

impl MethodLimits {
    /// The last word on a method counts.
    pub(super) fn set(&mut self, method: String, requests: usize) {
        match self.0.iter_mut().find(|(known, _)| *known == method) {
            Some((_, limit)) => *limit = requests,
            None => self.0.push((method, requests)),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(method, _)| method.as_str())
    }

    /// The limit of a method, by its place among these.
    pub(super) fn lane(&self, method: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| known == method)
    }

    pub(super) fn limits(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|(_, limit)| *limit)
    }
}
