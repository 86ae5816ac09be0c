//! The names of the keys. The number in them is the version of the layout.

use rpc_core::exchange::TopicName;
use std::fmt::Write;

/// The sorted set of a topic's instances, by when their leases end.
pub(super) fn topic(name: &TopicName) -> String {
    format!("rpc1:topic:{}", escaped(name))
}

/// What changes whenever an instance joins a topic or leaves it.
pub(super) fn mark(name: &TopicName) -> String {
    format!("rpc1:mark:{}", escaped(name))
}

/// The record of an instance.
pub(super) fn node(instance: &str) -> String {
    format!("rpc1:node:{instance}")
}

fn escaped(TopicName { exchange, topic }: &TopicName) -> String {
    let mut out = String::with_capacity(exchange.len() + 1 + topic.len());
    for (at, name) in [exchange, topic].into_iter().enumerate() {
        if at > 0 {
            out.push('/');
        }
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
                out.push(char::from(byte));
            } else {
                // writing to a string does not fail
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// An instance's id, as text.
pub(super) fn hex(instance: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(instance))
}

/// The id that a text is: 32 digits, in lower case.
pub(super) fn unhex(text: &[u8]) -> Option<[u8; 16]> {
    let digit = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    if text.len() != 32 || !text.iter().all(digit) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_run_into_each_other() {
        let name = |exchange: &str, topic: &str| TopicName {
            exchange: exchange.into(),
            topic: topic.into(),
        };
        assert_eq!(topic(&name("", "compute")), "rpc1:topic:/compute");
        assert_eq!(mark(&name("blue", "a.b")), "rpc1:mark:blue/a.b");
        assert_eq!(topic(&name("a/b", "é*")), "rpc1:topic:a%2Fb/%C3%A9%2A");
    }

    #[test]
    fn instances_are_32_digits() {
        let instance = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255];
        let text = hex(instance);
        assert_eq!(text, "000102030405060708090a0b0c0d0eff");
        assert_eq!(unhex(text.as_bytes()), Some(instance));
        for wrong in ["", "0", &text.to_uppercase(), &format!("+{}", &text[1..])] {
            assert_eq!(unhex(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
