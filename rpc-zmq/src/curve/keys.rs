//! Keys, and how they are written.

use super::Broken;
use curve25519_dalek::MontgomeryPoint;
use curve25519_dalek::traits::IsIdentity;
use std::fmt;
use std::str::FromStr;

/// How long a key is in Z85, the form in which ZeroMQ writes keys (RFC 32).
const WRITTEN: usize = 40;

const SHORT: usize = 8;

/// A long-term public key: who somebody is. Written as 40 characters of Z85, as `zmq_curve_keypair` of libzmq does.
///
/// ```
/// let key: rpc_zmq::PublicKey = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7".parse()?;
/// assert_eq!(key.to_string(), "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
/// # Ok::<(), rpc_zmq::ParseKeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub(super) [u8; 32]);

/// A long-term secret key: what proves that somebody is who they say. It is never shown, and wiped from memory when it is
/// dropped.
///
/// ```
/// let secret = rpc_zmq::SecretKey::generate();
/// let public = secret.public_key(); // give this to the others
/// # let _ = public;
/// ```
#[derive(Clone)]
pub struct SecretKey(pub(super) crypto_box::SecretKey);

impl SecretKey {
    /// A new key, from the random numbers of the operating system.
    ///
    /// # Panics
    ///
    /// When the operating system has no random numbers.
    #[must_use]
    pub fn generate() -> Self {
        Self(crypto_box::SecretKey::generate(
            &mut crypto_box::aead::OsRng,
        ))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public_key().to_bytes())
    }

    /// The key in Z85, to be written into a file that nobody else can read.
    #[must_use]
    pub fn reveal(&self) -> String {
        z85::encode(self.0.to_bytes())
    }
}

impl PublicKey {
    /// The first characters of it, to be shown where a whole key would be in the way.
    pub(crate) fn short(&self) -> String {
        self.to_string().chars().take(SHORT).collect()
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key that a peer shows.
    pub(super) fn shown(bytes: [u8; 32]) -> Result<Self, Broken> {
        if is_weak(bytes) {
            return Err(Broken("a key with which nothing is secret"));
        }
        Ok(Self(bytes))
    }

    pub(super) fn inner(&self) -> crypto_box::PublicKey {
        self.0.into()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&z85::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseKeyError(Wrong);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Written,
    Weak,
}

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Wrong::Written => "a key is 40 characters of Z85, as `keygen` writes it",
            Wrong::Weak => {
                "this is nobody's key: what is sealed for it, everybody can open. Make a pair with `rpc-zmq-keygen`, and write its public key here"
            }
        })
    }
}

impl std::error::Error for ParseKeyError {}

/// Whether the point is of low order: what it makes with any secret key is one of a few values that everybody knows, so who shows it
/// proves nothing. All of these points, and no others, are nothing when they are multiplied by the cofactor, which is 8.
fn is_weak(point: [u8; 32]) -> bool {
    let cofactor = [true, false, false, false];
    let multiplied = MontgomeryPoint(point).mul_bits_be(cofactor.into_iter());
    multiplied.is_identity()
}

fn parse(text: &str) -> Result<[u8; 32], ParseKeyError> {
    let wrong = ParseKeyError(Wrong::Written);
    if text.len() != WRITTEN {
        return Err(wrong);
    }
    let bytes = z85::decode(text).map_err(|_| wrong)?;
    bytes.try_into().map_err(|_| wrong)
}

impl FromStr for PublicKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let bytes = parse(text)?;
        Self::shown(bytes).map_err(|_| ParseKeyError(Wrong::Weak))
    }
}

impl FromStr for SecretKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        parse(text).map(|bytes| Self(bytes.into()))
    }
}
