//! Opening a transport whose URL is known only at run time.

use super::{ParseUrlError, Transport, TransportUrl, memory};
use std::fmt;

/// A kind of URL, and how it is opened. Transport crates have a function `scheme()` that returns theirs.
#[derive(Clone, Copy)]
pub struct Scheme {
    names: &'static [&'static str],
    open: fn(&TransportUrl) -> Result<Transport, OpenError>,
}

impl Scheme {
    /// URLs that begin with one of `names` are opened by `open`. Opening waits for nobody, so it is no async function.
    #[must_use]
    pub const fn new(
        names: &'static [&'static str],
        open: fn(&TransportUrl) -> Result<Transport, OpenError>,
    ) -> Self {
        Self { names, open }
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scheme").field(&self.names).finish()
    }
}

/// The transports that a program can open by URL. `memory` is always among them.
///
/// ```
/// # async fn example() -> Result<(), rpc_core::transport::OpenError> {
/// use rpc_core::Transports;
///
/// let transports = Transports::new(); // .with(rpc_zmq::scheme())
/// let transport = transports.open("memory://node").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Transports {
    schemes: Vec<Scheme>,
}

impl Transports {
    /// Only `memory`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            schemes: vec![memory::scheme()],
        }
    }

    /// And this one.
    #[must_use]
    pub fn with(mut self, scheme: Scheme) -> Self {
        self.schemes.push(scheme);
        self
    }

    /// Opens a transport. Waits for nobody: servers are looked for when the first message is sent.
    ///
    /// # Errors
    ///
    /// When the URL can't be read, or its scheme is not among these.
    #[expect(
        clippy::unused_async,
        reason = "transports to come may have to wait for a file or a name"
    )]
    pub async fn open(&self, url: &str) -> Result<Transport, OpenError> {
        let url: TransportUrl = url.parse()?;
        let scheme = self
            .schemes
            .iter()
            .find(|scheme| scheme.names.contains(&url.scheme()));
        match scheme {
            Some(scheme) => (scheme.open)(&url),
            None => {
                let known: Vec<_> = self
                    .schemes
                    .iter()
                    .flat_map(|scheme| scheme.names)
                    .copied()
                    .collect();
                Err(OpenError::new(format!(
                    "no transport for `{}://`; there is: {}. Add one by `Transports::with`",
                    crate::text::shown(url.scheme()),
                    known.join(", ")
                )))
            }
        }
    }
}

impl Default for Transports {
    fn default() -> Self {
        Self::new()
    }
}

/// A transport could not be opened.
#[derive(Debug)]
pub struct OpenError(String);

impl OpenError {
    /// An error with this text. It must hold no passwords.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl From<ParseUrlError> for OpenError {
    fn from(error: ParseUrlError) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the transport can't be opened: {}", self.0)
    }
}

impl std::error::Error for OpenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unknown_scheme_is_refused_by_name() {
        let error = |url: &'static str| async move {
            let transports = Transports::new().with(Scheme::new(&["own"], |_| {
                Err(OpenError::new("the option `x` is a number"))
            }));
            transports.open(url).await.unwrap_err().to_string()
        };
        let text = error("qpid://host").await;
        assert!(
            text.contains("`qpid://`") && text.contains("memory, own"),
            "{text}"
        );
        let text = error("host:5555").await;
        assert!(text.contains("starts with a scheme"), "{text}");
        let text = error("own://host").await;
        assert!(text.contains("`x`"), "{text}");
        let text = error("memory://bus?x=1").await;
        assert!(text.contains("`x`"), "{text}");
    }
}
