//! What a request is called in the logs of all who take part in it.

use std::fmt;
use std::str::FromStr;

/// The id of a request: 128 bits that are random, made by the client that sends it first.
///
/// It travels with the request, and the calls that a handler makes with its context have the same. Its text is that of
/// OpenStack, `req-` and a UUID; reading takes a bare UUID as well.
///
/// ```
/// use rpc_core::RequestId;
///
/// let id: RequestId = "req-67e55044-10b1-426f-9247-bb680e5fe0c8".parse()?;
/// assert_eq!(id.to_string(), "req-67e55044-10b1-426f-9247-bb680e5fe0c8");
/// # Ok::<(), rpc_core::ParseRequestIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A new one: a random UUID (version 4).
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = fastrand::u128(..).to_be_bytes();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    /// The id of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("req")?;
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 0 | 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseRequestIdError;

impl fmt::Display for ParseRequestIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a request id is `req-` and a UUID, such as req-67e55044-10b1-426f-9247-bb680e5fe0c8",
        )
    }
}

impl std::error::Error for ParseRequestIdError {}

impl FromStr for RequestId {
    type Err = ParseRequestIdError;

    fn from_str(text: &str) -> Result<Self, ParseRequestIdError> {
        let uuid = text.strip_prefix("req-").unwrap_or(text);
        let groups = uuid.split('-').map(str::len);
        let digits = uuid.bytes().all(|c| c == b'-' || c.is_ascii_hexdigit());
        if !groups.eq([8, 4, 4, 4, 12]) || !digits {
            return Err(ParseRequestIdError);
        }
        let number = u128::from_str_radix(&uuid.replace('-', ""), 16);
        number
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| ParseRequestIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_text_is_read_back() {
        let id = RequestId::random();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string()["req-".len()..].parse(), Ok(id));
        assert_eq!(&id.to_string()[18..19], "4");
        assert_ne!(RequestId::random(), id);
    }

    #[test]
    fn other_texts_are_refused() {
        let id = RequestId::from_bytes([0xab; 16]).to_string();
        for bad in [
            "",
            "req-",
            "req-1",
            &id[..39],
            &id.replace('a', "g"),
            &id.replace("ab-", "+1-"),
            &format!("{id}0"),
        ] {
            assert_eq!(bad.parse::<RequestId>(), Err(ParseRequestIdError), "{bad}");
        }
    }
}
