//! Both sides of the handshake. Each step is a value that is taken by the next one, so none can be left out or done twice.

use super::session::{Opener, Sealer, session};
use super::{Broken, COUNTER, PublicKey, SecretKey, TAG, counted, open, random, seal, take};
use crypto_box::SalsaBox;
use crypto_box::aead::rand_core::CryptoRngCore;
use subtle::ConstantTimeEq;

const HELLO: &[u8] = b"\x05HELLO";
const WELCOME: &[u8] = b"\x07WELCOME";
const INITIATE: &[u8] = b"\x08INITIATE";
const READY: &[u8] = b"\x05READY";

const HELLO_NONCE: &[u8; 16] = b"CurveZMQHELLO---";
const WELCOME_NONCE: &[u8; 8] = b"WELCOME-";
const INITIATE_NONCE: &[u8; 16] = b"CurveZMQINITIATE";
const VOUCH_NONCE: &[u8; 8] = b"VOUCH---";
const READY_NONCE: &[u8; 16] = b"CurveZMQREADY---";

/// The version that HELLO says, and the zeros that make it longer than what answers it: nobody can make a server send more
/// than they sent themselves.
const VERSION: [u8; 2] = [1, 0];
const PADDING: usize = 72;
const SIGNED: [u8; 64] = [0; 64];

const COOKIE: usize = 96;
const VOUCH: usize = 16 + TAG + 64;

/// What INITIATE holds in its box before the metadata.
const INITIATE_FIXED: usize = 32 + VOUCH;

fn body_of<'a>(frame: &'a [u8], name: &[u8]) -> Result<&'a [u8], Broken> {
    frame
        .strip_prefix(name)
        .ok_or(Broken("another command than the handshake needs now"))
}

const SHORT: Broken = Broken("a command of the handshake has another length than it must have");

/// Takes a key of the peer from the front: a short-term one, or its own.
fn take_key(bytes: &mut &[u8]) -> Result<PublicKey, Broken> {
    PublicKey::shown(take(bytes).ok_or(SHORT)?)
}

// ---- the client

/// A client that has said HELLO.
pub(crate) struct Greeting {
    own: SecretKey,
    server: PublicKey,
    transient: crypto_box::SecretKey,
}

impl Greeting {
    /// Begins as a client with its own key, to the server with this one. Gives HELLO.
    pub(crate) fn start(
        own: SecretKey,
        server: PublicKey,
        rng: &mut impl CryptoRngCore,
    ) -> (Self, Vec<u8>) {
        let transient = crypto_box::SecretKey::generate(rng);
        let mut hello = HELLO.to_vec();
        hello.extend_from_slice(&VERSION);
        hello.resize(hello.len() + PADDING, 0);
        hello.extend_from_slice(transient.public_key().as_bytes());
        hello.extend_from_slice(&1_u64.to_be_bytes());
        let key = SalsaBox::new(&server.inner(), &transient);
        seal(&key, &counted(HELLO_NONCE, 1), &[&SIGNED], &mut hello);
        let greeting = Self {
            own,
            server,
            transient,
        };
        (greeting, hello)
    }

    /// Takes WELCOME, and gives INITIATE with this metadata.
    pub(crate) fn welcomed(
        self,
        welcome: &[u8],
        metadata: &[u8],
        rng: &mut impl CryptoRngCore,
    ) -> Result<(Initiating, Vec<u8>), Broken> {
        let own = self.own.public_key();
        self.initiate(own, welcome, metadata, rng)
    }

    /// Says that it is the owner of `shown`, which it is not believed unless it is.
    fn initiate(
        self,
        shown: PublicKey,
        welcome: &[u8],
        metadata: &[u8],
        rng: &mut impl CryptoRngCore,
    ) -> Result<(Initiating, Vec<u8>), Broken> {
        let mut rest = body_of(welcome, WELCOME)?;
        let nonce: [u8; 16] = take(&mut rest).ok_or(SHORT)?;
        let mut sealed: [u8; TAG + 32 + COOKIE] = rest.try_into().map_err(|_| SHORT)?;
        let key = SalsaBox::new(&self.server.inner(), &self.transient);
        let opened = open(&key, &random(WELCOME_NONCE, &nonce), &mut sealed);
        let mut opened: &[u8] =
            opened.ok_or(Broken("the server has another key than it should have"))?;
        let theirs = take_key(&mut opened)?.inner();

        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let mut vouch = nonce.to_vec();
        let vouching = SalsaBox::new(&theirs, &self.own.0);
        let vouched = [&self.transient.public_key().to_bytes()[..], &self.server.0];
        let nonce = random(VOUCH_NONCE, &nonce);
        seal(&vouching, &nonce, &vouched, &mut vouch);

        let mut initiate = INITIATE.to_vec();
        // what is left of the box is the cookie
        initiate.extend_from_slice(opened);
        initiate.extend_from_slice(&2_u64.to_be_bytes());
        let key = SalsaBox::new(&theirs, &self.transient);
        let content = [&shown.0[..], &vouch, metadata];
        seal(&key, &counted(INITIATE_NONCE, 2), &content, &mut initiate);
        Ok((Initiating { key }, initiate))
    }

    #[cfg(test)]
    pub(super) fn impersonate(self, other: PublicKey, welcome: &[u8]) -> Vec<u8> {
        let forged = self.initiate(other, welcome, b"", &mut crypto_box::aead::OsRng);
        forged.map(|(_, initiate)| initiate).unwrap_or_default()
    }
}

/// A client that has said INITIATE.
pub(crate) struct Initiating {
    key: SalsaBox,
}

impl Initiating {
    /// Takes READY, and gives the server's metadata.
    pub(crate) fn ready(self, ready: &[u8]) -> Result<(Vec<u8>, Sealer, Opener), Broken> {
        let mut rest = body_of(ready, READY)?;
        let counter = u64::from_be_bytes(take(&mut rest).ok_or(SHORT)?);
        let mut sealed = rest.to_vec();
        let opened = open(&self.key, &counted(READY_NONCE, counter), &mut sealed);
        let metadata = opened.ok_or(Broken("READY can't be opened"))?.to_vec();
        let (sealer, opener) = session(self.key, true, 2, counter);
        Ok((metadata, sealer, opener))
    }
}

// ---- the server

/// A server that has said WELCOME.
pub(crate) struct Greeted {
    own: PublicKey,
    client_transient: crypto_box::PublicKey,
    transient: crypto_box::SecretKey,
    cookie: [u8; COOKIE],
    seen: u64,
}

impl Greeted {
    /// Takes HELLO as a server with this key, and gives WELCOME.
    pub(crate) fn start(
        own: &SecretKey,
        hello: &[u8],
        rng: &mut impl CryptoRngCore,
    ) -> Result<(Self, Vec<u8>), Broken> {
        let mut rest = body_of(hello, HELLO)?;
        let version: [u8; 2] = take(&mut rest).ok_or(SHORT)?;
        if version != VERSION {
            return Err(Broken("a version of CURVE that is not known"));
        }
        let _: [u8; PADDING] = take(&mut rest).ok_or(SHORT)?;
        let theirs = take_key(&mut rest)?.inner();
        let seen = u64::from_be_bytes(take(&mut rest).ok_or(SHORT)?);
        let mut sealed: [u8; TAG + SIGNED.len()] = rest.try_into().map_err(|_| SHORT)?;
        let key = SalsaBox::new(&theirs, &own.0);
        let opened = open(&key, &counted(HELLO_NONCE, seen), &mut sealed);
        if opened.is_none_or(|signed| signed != SIGNED) {
            return Err(Broken("the client was given another key of this server"));
        }

        let transient = crypto_box::SecretKey::generate(rng);
        // what it is only this end has to know: the connection keeps it, so that it is no more than a number that comes back
        let mut cookie = [0; COOKIE];
        rng.fill_bytes(&mut cookie);
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let mut welcome = WELCOME.to_vec();
        welcome.extend_from_slice(&nonce);
        let content = [&transient.public_key().to_bytes()[..], &cookie];
        seal(&key, &random(WELCOME_NONCE, &nonce), &content, &mut welcome);
        let greeted = Self {
            own: own.public_key(),
            client_transient: theirs,
            transient,
            cookie,
            seen,
        };
        Ok((greeted, welcome))
    }

    /// Takes INITIATE: who the client is, and its metadata. Whether it may come in is not decided here.
    pub(crate) fn initiated(self, initiate: &[u8]) -> Result<Initiated, Broken> {
        let mut rest = body_of(initiate, INITIATE)?;
        let cookie: [u8; COOKIE] = take(&mut rest).ok_or(SHORT)?;
        if !bool::from(cookie.ct_eq(&self.cookie)) {
            return Err(Broken("a cookie that was not given to this client"));
        }
        let counter = u64::from_be_bytes(take(&mut rest).ok_or(SHORT)?);
        if counter <= self.seen {
            return Err(Broken("INITIATE came out of order"));
        }
        let mut sealed = rest.to_vec();
        let key = SalsaBox::new(&self.client_transient, &self.transient);
        let opened = open(&key, &counted(INITIATE_NONCE, counter), &mut sealed);
        let mut opened: &[u8] = opened.ok_or(Broken("INITIATE can't be opened"))?;
        if opened.len() < INITIATE_FIXED {
            return Err(SHORT);
        }
        let client = take_key(&mut opened)?;
        let nonce: [u8; 16] = take(&mut opened).ok_or(SHORT)?;
        let mut vouch: [u8; TAG + 64] = take(&mut opened).ok_or(SHORT)?;
        let vouching = SalsaBox::new(&client.inner(), &self.transient);
        let vouched = open(&vouching, &random(VOUCH_NONCE, &nonce), &mut vouch);
        let expected = [self.client_transient.to_bytes(), self.own.0].concat();
        if vouched.is_none_or(|vouched| *vouched != *expected) {
            return Err(Broken("the client does not have the key that it shows"));
        }
        Ok(Initiated {
            client,
            metadata: opened.to_vec(),
            accepting: Accepting { key, seen: counter },
        })
    }
}

/// A client that has proved who it is.
pub(crate) struct Initiated {
    pub(crate) client: PublicKey,
    pub(crate) metadata: Vec<u8>,
    pub(crate) accepting: Accepting,
}

/// A server that may let the client in.
pub(crate) struct Accepting {
    key: SalsaBox,
    seen: u64,
}

impl Accepting {
    /// Lets it in: gives READY with this metadata.
    pub(crate) fn ready(self, metadata: &[u8]) -> (Vec<u8>, Sealer, Opener) {
        let mut ready = READY.to_vec();
        ready.reserve(COUNTER + TAG + metadata.len());
        ready.extend_from_slice(&1_u64.to_be_bytes());
        seal(&self.key, &counted(READY_NONCE, 1), &[metadata], &mut ready);
        let (sealer, opener) = session(self.key, false, 1, self.seen);
        (ready, sealer, opener)
    }
}
