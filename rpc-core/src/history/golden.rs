//! Golden messages: made once, and decoded for ever.

use super::compare::{Next, Problem};
use super::made_up::{Tried, make_up};
use super::shape::{Golden, History, Method};
use crate::args::{Frame, Trial};
use crate::codec::{self, Wish, heard};
use crate::server::{Failure, Incoming};
use crate::{Endpoint, MethodInfo, Version};
use bytes::Bytes;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

/// One version of one method of an endpoint.
pub(super) struct Target<'a> {
    endpoint: &'a dyn Endpoint,
    index: usize,
    method: &'static MethodInfo,
    version: Version,
}

/// Why arguments do not decode.
struct Refused {
    message: String,
    wish: Option<Wish>,
}

/// The golden messages that are not understood any more, of methods about which nothing else was found.
pub(super) fn undecoded(
    released: &History,
    endpoint: &dyn Endpoint,
    found: &[Problem],
) -> Vec<Problem> {
    let next = Next::of(released, endpoint.api());
    let is_found = |name: &str| {
        found
            .iter()
            .any(|found| found.method.as_deref() == Some(name))
    };
    let first_of = |was: &Method| {
        was.golden.iter().find_map(|(version, golden)| {
            let (Golden::Bytes(bytes), Some(target)) =
                (golden, Target::of(endpoint, &was.name, *version))
            else {
                return None;
            };
            let message = target.takes(bytes).err()?;
            Some(Problem::of(
                was.kind,
                &was.name,
                format_args!("a message of {version} is not understood any more: {message}"),
                format_args!(
                    "a type has changed: let it take what it took, or keep it as it was under another name, with \
                     `#[rpc(was(type = .., until = \"{}\"))]` before the argument{}",
                    next.version, next.and_raise
                ),
            ))
        })
    };
    let methods = released.methods.iter().filter(|was| !is_found(&was.name));
    methods.filter_map(first_of).collect()
}

impl<'a> Target<'a> {
    /// Where messages of a version go, if the API has that.
    pub(super) fn of(endpoint: &'a dyn Endpoint, name: &str, version: Version) -> Option<Self> {
        let api = endpoint.api();
        let index = api
            .methods()
            .iter()
            .position(|method| method.name() == name)?;
        let method = &api.methods()[index];
        (api.serves(version) && method.is_in(version)).then_some(Self {
            endpoint,
            index,
            method,
            version,
        })
    }

    /// Whether a message is still understood; an error says what is wrong.
    pub(super) fn takes(&self, message: &[u8]) -> Result<(), String> {
        self.decode(message.to_vec().into(), Trial::Sent)
            .map_err(|refused| refused.message)
    }

    /// A message of this version, from nothing but what the types of its arguments ask for.
    pub(super) fn message(&self) -> Golden {
        let args = self
            .method
            .args()
            .iter()
            .filter(|arg| arg.is_in(self.version));
        let names: Vec<&str> = args.map(|arg| arg.name_in(self.version)).collect();
        let attempt = |values: &[Vec<u8>]| {
            let wrapped: Vec<Vec<u8>> = values.iter().map(|value| in_bin(value)).collect();
            let (tried, heard) = heard(|| self.decode(map(&names, &wrapped).into(), Trial::MadeUp));
            match tried {
                Ok(()) => Tried::Complete,
                Err(Refused { message, wish }) => Tried::Failed {
                    message,
                    wish,
                    heard,
                },
            }
        };
        let accept = |values: &[Vec<u8>]| self.takes(&map(&names, values));
        match make_up(names.len(), attempt, accept) {
            Ok(values) => Golden::Bytes(map(&names, &values)),
            Err(reason) => Golden::None(reason),
        }
    }

    /// Runs what was generated for the method up to where its arguments are decoded.
    fn decode(&self, message: Bytes, trial: Trial) -> Result<(), Refused> {
        let frame = Frame::trial(self.method, self.version, message, trial);
        let refused = |message: &str| Refused {
            message: message.into(),
            wish: None,
        };
        let run = || {
            let mut running = self.endpoint.dispatch(self.index, Incoming::trial(frame));
            running
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        };
        // values that nobody would send may be more than a type is prepared for
        let Ok(polled) = catch_unwind(AssertUnwindSafe(run)) else {
            return Err(refused("decoding it panics"));
        };
        match polled {
            Poll::Ready(Err(failure)) => {
                outcome(&failure).unwrap_or_else(|| Err(refused("there is no such method")))
            }
            _ => Err(refused("the endpoint was not generated by `#[rpc_api]`")),
        }
    }
}

fn outcome(failure: &Failure) -> Option<Result<(), Refused>> {
    let error = failure.arguments()?;
    Some(match error.wish() {
        Some(Wish::Nothing) => Ok(()),
        wish => Err(Refused {
            message: error.message(),
            wish,
        }),
    })
}

fn in_bin(value: &[u8]) -> Vec<u8> {
    let mut encoded = codec::Encoded::new();
    // shorter than any limit
    let _ = encoded.push_bin(value);
    encoded.bytes().to_vec()
}

/// The arguments of a message: a map by name.
fn map(names: &[&str], values: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    let _ = rmp::encode::write_map_len(&mut out, u32::try_from(names.len()).unwrap_or(u32::MAX));
    for (name, value) in names.iter().zip(values) {
        let _ = rmp::encode::write_str(&mut out, name);
        out.extend_from_slice(value);
    }
    out
}
