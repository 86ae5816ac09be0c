//! What people write: URLs and versions.

use futures_util::FutureExt;
use rpc_core::transport::TransportUrl;
use rpc_core::{Transports, Version};

/// Opens transports by any text. Nothing is dialled before a message is sent.
pub(crate) fn urls(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(url) = text.parse::<TransportUrl>() {
        let shown = format!("{url:?}");
        let secret = url.rest().rsplit_once('@').map(|(secret, _)| secret);
        assert!(
            !secret.is_some_and(|secret| secret.len() > 3 && shown.contains(&format!("{secret}@"))),
            "{shown}"
        );
    }
    let transports = Transports::new().with(rpc_zmq::scheme());
    if let Err(error) = transports
        .open(text)
        .now_or_never()
        .expect("it waits for nobody")
    {
        assert!(!error.to_string().is_empty());
    }
}

/// What can be read is written as it was, but for zeros; and the rule of which serves which holds.
pub(crate) fn versions(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut read = Vec::new();
    for text in text.split(' ') {
        match text.parse::<Version>() {
            Ok(version) => {
                assert_eq!(version.to_string().parse(), Ok(version));
                assert!(version.serves(version));
                read.push(version);
            }
            Err(error) => assert!(error.to_string().len() < 2_000, "{error}"),
        }
    }
    for pair in read.windows(2) {
        let (one, other) = (pair[0], pair[1]);
        assert_eq!(one == other, one.serves(other) && other.serves(one));
        assert_eq!(
            one.serves(other),
            one.major() == other.major() && one >= other
        );
    }
}
