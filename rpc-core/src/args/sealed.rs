//! The arguments of a message, whoever put them together.

use super::Packed;
use crate::codec::{self, Encoded, Token};
use serde::Serialize;

/// The arguments of a message that is going to be sent.
#[derive(Clone, Debug)]
pub(crate) enum Args {
    /// Those of an API's method: the version is open yet.
    Packed(Packed),
    /// Those of one version, as they travel.
    Sealed(Encoded),
}

impl Args {
    /// About how many bytes they take.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Packed(packed) => packed.len(),
            Self::Sealed(encoded) => encoded.len(),
        }
    }

    /// Those that were given: name and encoded value.
    pub(crate) fn given<'a>(&'a self) -> Box<dyn Iterator<Item = (&'a str, &'a [u8])> + 'a> {
        match self {
            Self::Packed(packed) => Box::new(packed.given()),
            Self::Sealed(encoded) => Box::new(entries(encoded.bytes())),
        }
    }
}

/// The entries of a map by name that was checked when it was made.
fn entries(map: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    let mut reader = codec::Reader::new(map);
    let mut left = match reader.token() {
        Ok(Token::Map(count)) => count,
        _ => 0,
    };
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let Ok(Token::Str(name)) = reader.token() else {
            return None;
        };
        Some((name, reader.skip_value().ok()?))
    })
}

/// Encodes what is a map by name.
pub(crate) fn sealed<T: ?Sized + Serialize>(args: &T) -> Result<Encoded, codec::Error> {
    let mut encoded = Encoded::new();
    encoded.push(args)?;
    let mut reader = codec::Reader::new(encoded.bytes());
    let count = match reader.token()? {
        Token::Map(count) => count,
        other => {
            return Err(codec::Error::new(format!(
                "arguments are a map by name, this is {}",
                other.kind()
            )));
        }
    };
    for _ in 0..count {
        let Token::Str(_) = reader.token()? else {
            return Err(codec::Error::new("an argument's name is a string"));
        };
        reader.skip_value()?;
    }
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_was_given_can_be_looked_at() {
        let args = Args::Sealed(sealed(&BTreeMap::from([("a", 1), ("b", 300)])).unwrap());
        let given: Vec<_> = args.given().collect();
        assert_eq!(given, [("a", &[1][..]), ("b", &[0xcd, 1, 44])]);
    }

    #[test]
    fn arguments_are_a_map_by_name() {
        assert!(sealed(&BTreeMap::from([("id", 1)])).is_ok());
        assert!(sealed(&BTreeMap::<String, u8>::new()).is_ok());
        let error = |encoded: Result<Encoded, codec::Error>| encoded.unwrap_err().to_string();
        assert!(error(sealed(&[1, 2])).contains("arguments are a map by name"));
        assert!(error(sealed(&())).contains("arguments are a map by name"));
        assert!(
            error(sealed(&BTreeMap::from([(1, 2)]))).contains("an argument's name is a string")
        );
    }
}
