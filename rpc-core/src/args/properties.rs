//! What holds for every history of arguments: what was given arrives, in the lowest version that can say it, or is refused.

use super::*;
use crate::{ApiInfo, ArgInfo, MethodInfo, MethodKind, Version};
use proptest::prelude::*;

const ARGS: usize = 4;
const NEWEST: u16 = 6;

/// An argument's history, in minors of one major.
#[derive(Clone, Debug)]
struct History {
    since: Option<u16>,
    until: Option<u16>,
    renamed: Option<u16>,
    lossy: bool,
    given: Option<u8>,
}

const NAMES: [[&str; 2]; ARGS] = [["a", "A"], ["b", "B"], ["c", "C"], ["d", "D"]];

fn history() -> impl Strategy<Value = History> {
    let minor = || prop::option::of(1..=NEWEST);
    (
        minor(),
        minor(),
        minor(),
        any::<bool>(),
        prop::option::of(0..3u8),
    )
        .prop_map(|(since, until, renamed, lossy, given)| {
            // one that was removed has no other history here
            let since = since.filter(|_| until.is_none());
            History {
                since,
                until,
                renamed: renamed.filter(|_| until.is_none() && since.is_none()),
                lossy: lossy && since.is_some(),
                given,
            }
        })
}

/// What the macro would emit, kept for the rest of the test.
fn method(histories: &[History]) -> &'static MethodInfo {
    let args = histories.iter().enumerate().map(|(at, history)| {
        let mut info = ArgInfo::new(NAMES[at][0], "u8");
        if let Some(since) = history.since {
            info = info
                .with_since(Version::new(1, since))
                .with_default(|| &[0]);
        }
        if let Some(until) = history.until {
            info = info.with_until(Version::new(1, until));
        }
        if let Some(renamed) = history.renamed {
            let names: &'static [_] = vec![(Version::new(1, renamed), NAMES[at][1])].leak();
            info = info.with_names(names);
        }
        if history.lossy {
            info.with_lossy()
        } else {
            info
        }
    });
    let args: &'static [ArgInfo] = args.collect::<Vec<_>>().leak();
    let method = MethodInfo::new("m", MethodKind::Call, Version::new(1, 0)).with_args(args);
    Box::leak(Box::new(method))
}

/// Whether a message of this minor says all that was given.
fn says_all(histories: &[History], minor: u16) -> bool {
    histories.iter().all(|history| {
        let needed = history.since.filter(|_| history.given.unwrap_or(0) != 0);
        needed.is_none_or(|since| since <= minor)
    })
}

/// Whether a message of this minor has nothing older in it than it must.
fn says_it_newly(histories: &[History], minor: u16) -> bool {
    let older = |history: &History| history.until.max(history.renamed);
    histories
        .iter()
        .all(|history| older(history).is_none_or(|until| until <= minor))
}

static API: ApiInfo = ApiInfo::new("Api", Version::new(1, NEWEST));

proptest! {
    #[test]
    fn what_was_given_arrives_or_is_refused(
        histories in prop::collection::vec(history(), ARGS),
        cap in prop::option::of(0..=NEWEST),
    ) {
        let method = method(&histories);
        let mut packed = Packed::new(&API, method);
        // in any order: the client's setters come last
        for (at, history) in histories.iter().enumerate() {
            let setter = history.since.is_some();
            match history.given {
                None if setter => {}
                given => packed.arg(at, &given.unwrap_or(0)).unwrap(),
            }
        }
        let top = cap.unwrap_or(NEWEST);
        let limit = cap.map(|minor| Cap {
            version: Version::new(1, minor),
            origin: CapOrigin::Configured,
        });
        let strict: Vec<History> = histories.iter().filter(|history| !history.lossy).cloned().collect();
        let Ok(version) = packed.version(limit, None) else {
            prop_assert!(!says_all(&strict, top), "refused for nothing");
            return Ok(());
        };
        let minor = version.minor();
        prop_assert!(minor <= top);
        prop_assert!(says_all(&strict, minor));
        if minor > 0 {
            let lower = minor - 1;
            prop_assert!(
                !(says_all(&histories, lower) && says_it_newly(&histories, lower)),
                "{lower} would do"
            );
        }
        let bytes = packed.seal(version).unwrap().into_bytes();
        let frame = Frame::new(method, version, bytes);
        let slots = frame.args::<ARGS>().map_err(|error| TestCaseError::fail(error.message()))?;
        for (history, slot) in histories.iter().zip(slots) {
            if history.until.is_some_and(|until| until <= minor) {
                continue;
            }
            let lost = history.since.is_some_and(|since| since > minor);
            let expected = history.given.filter(|_| !lost).unwrap_or(0);
            prop_assert_eq!(slot.decode::<u8>().unwrap(), expected);
        }
    }
}
