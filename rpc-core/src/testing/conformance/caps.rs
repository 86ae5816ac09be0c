//! Version caps: what they let through, and how to ask.

use crate::testing::world::World;
use rpc_core::{Context, ErrorKind};

/// Caps, and whether they let version 2.0 and version 2.5 through.
const CAPS: [(&str, bool, bool); 6] = [
    ("1.9", false, false),
    ("2.0", true, false),
    ("2.4", true, false),
    ("2.5", true, true),
    ("2.6", true, true),
    ("3.0", false, false),
];

pub(super) async fn a_cap_holds_for_calls_and_casts(mut world: World) {
    let (node, client) = world.pair().await;
    let ctx = Context::new();
    client.newest(&ctx).await.unwrap();
    let mut sent = 1;
    for (cap, old, new) in CAPS {
        let capped = client.prepare(|call| call.version_cap(cap));
        let call = capped.name(&ctx).await.map(drop);
        let newer = capped.newest(&ctx).await.map(drop);
        let calls = [call, newer].map(|result| result.map_err(|error| error.rpc().unwrap().kind()));
        let cast = capped.note(&ctx, "x").await.map_err(|error| error.kind());
        for (result, passes) in [(calls[0], old), (calls[1], new), (cast, old)] {
            let expected = if passes {
                Ok(())
            } else {
                Err(ErrorKind::VersionCap)
            };
            assert_eq!(result, expected, "under a cap of {cap}");
            sent += u64::from(passes);
        }
    }
    assert_eq!(node.transport.stats().requests_received, sent);
}

pub(super) async fn a_question_about_a_version_is_answered_as_the_cap_is(mut world: World) {
    let (_node, client) = world.pair().await;
    for version in ["2.0", "2.5"] {
        assert!(client.rpc().can_send_version(version), "there is no cap");
    }
    assert!(
        !client.rpc().can_send_version("3.0"),
        "it does not speak that"
    );
    for (cap, old, new) in CAPS {
        let capped = client.prepare(|call| call.version_cap(cap));
        let answers = ["2.0", "2.5"].map(|version| capped.rpc().can_send_version(version));
        assert_eq!(answers, [old, new], "under a cap of {cap}");
    }
    for text in ["5", "5.a", "5.5.a"] {
        assert!(!client.rpc().can_send_version(text), "it is no version");
    }
}
