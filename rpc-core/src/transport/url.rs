//! Transport URLs.

use std::fmt;
use std::str::FromStr;

/// A transport's URL: `scheme://rest?key=value&key=value`.
///
/// What the rest means is the transport's affair. Values of the query are percent-decoded.
///
/// ```
/// use rpc_core::transport::TransportUrl;
///
/// let url: TransportUrl = "zmq://host-a:5555,host-b:5555?listen=0.0.0.0:5555".parse()?;
/// assert_eq!(url.scheme(), "zmq");
/// assert_eq!(url.rest(), "host-a:5555,host-b:5555");
/// assert_eq!(url.option("listen"), Some("0.0.0.0:5555"));
/// # Ok::<(), rpc_core::transport::ParseUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TransportUrl {
    scheme: String,
    rest: String,
    options: Vec<(String, String)>,
}

impl TransportUrl {
    /// What is before `://`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What is between `://` and `?`.
    #[must_use]
    pub fn rest(&self) -> &str {
        &self.rest
    }

    /// The value of an option, the last one if it is there more than once.
    #[must_use]
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options
            .iter()
            .rfind(|(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }

    /// The value of an option that is a number.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn number<T: FromStr>(&self, key: &str) -> Result<Option<T>, ParseUrlError> {
        let Some(value) = self.option(key) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ParseUrlError::new(format!(
                "`{key}` is a number, not `{value}`"
            ))),
        }
    }

    /// Refuses options that the transport does not have, so that a typing mistake is no silent default.
    ///
    /// # Errors
    ///
    /// When there is an option that is not in `known`.
    pub fn only_options(&self, known: &[&str]) -> Result<(), ParseUrlError> {
        match self
            .options
            .iter()
            .find(|(key, _)| !known.contains(&key.as_str()))
        {
            None => Ok(()),
            Some((key, _)) => Err(ParseUrlError::new(format!(
                "`{}` has no option `{key}`; it has: {}",
                self.scheme,
                known.join(", ")
            ))),
        }
    }
}

impl FromStr for TransportUrl {
    type Err = ParseUrlError;

    fn from_str(text: &str) -> Result<Self, ParseUrlError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(ParseUrlError::new(
                "a transport URL starts with a scheme, like `zmq://` or `memory://`",
            ));
        };
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if scheme.is_empty() || !scheme.chars().all(valid) {
            return Err(ParseUrlError::new(
                "the scheme of a transport URL has letters, digits, `+`, `-` and `.`",
            ));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut options = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(ParseUrlError::new(
                    "an option of a transport URL is `key=value`",
                ));
            };
            options.push((decode(key)?, decode(value)?));
        }
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            rest: rest.into(),
            options,
        })
    }
}

fn decode(text: &str) -> Result<String, ParseUrlError> {
    let bad = || {
        ParseUrlError::new(
            "a `%` in a transport URL is followed by two hexadecimal digits of UTF-8",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let hex = rest
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .ok_or_else(bad)?;
        if !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(bad());
        }
        bytes.push(u8::from_str_radix(hex, 16).map_err(|_| bad())?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

impl fmt::Debug for TransportUrl {
    /// Leaves out what may hold a password: user names, and the values of options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // a password may hold a comma: nothing before the last @ is shown
        let shown = self
            .rest
            .rsplit_once('@')
            .map_or(self.rest.as_str(), |(_, shown)| shown);
        write!(f, "{}://{shown}", self.scheme)
    }
}

/// A text is no URL of a transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseUrlError(String);

impl ParseUrlError {
    /// An error with this text. It must hold no passwords.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ParseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseUrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        text.parse::<TransportUrl>().unwrap_err().to_string()
    }

    #[test]
    fn parses_options() {
        let url: TransportUrl = "memory://a%20?x=1&x=%C3%A9&y=".parse().unwrap();
        assert_eq!((url.scheme(), url.rest()), ("memory", "a%20"));
        assert_eq!(
            (url.option("x"), url.option("y"), url.option("z")),
            (Some("é"), Some(""), None)
        );
        assert!(url.only_options(&["x", "y"]).is_ok());
        assert!(
            url.only_options(&["x"])
                .unwrap_err()
                .to_string()
                .contains("`y`")
        );
        assert!(url.number::<u32>("x").is_err());
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(error("host:5555").contains("starts with a scheme"));
        assert!(error("://x").contains("scheme"));
        assert!(error("a://x?y").contains("key=value"));
        assert!(error("a://x?y=%g0").contains('%'));
        assert!(error("a://x?y=%f").contains('%'));
        assert!(error("a://x?y=%+f").contains('%'));
        assert!(error("a://x?y=%ff").contains('%'));
    }

    #[test]
    fn shows_no_password() {
        let url: TransportUrl = "rabbit://user:sec,secret@host:1/x?token=secret"
            .parse()
            .unwrap();
        assert!(!format!("{url:?}").contains("secret"));
    }
}
