//! Runs one rule over one network.

use super::Network;
use super::conformance::RULES;
use super::world::{LocalFuture, World};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A rule, as the table of rules has it.
pub(super) type Rule = fn(World) -> LocalFuture<'static, ()>;

/// No rule takes longer than this; one that hangs fails.
const LIMIT: Duration = Duration::from_secs(30);

/// The names of all rules, such as `casts::a_cast_to_nobody_is_undeliverable`.
pub fn rules() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(name, _)| *name)
}

/// One test of the suite: panics if the rule does not hold; or, if it is an exception, if it does.
pub(super) fn conform<N: Network>(
    network: impl FnOnce() -> N,
    rule: &str,
    exceptions: &[(&str, &str)],
) {
    let (_, run) = RULES
        .iter()
        .find(|(name, _)| *name == rule)
        .expect("a rule of the table");
    let exception = exceptions.iter().find(|(name, _)| *name == rule);
    let Some((_, reason)) = exception else {
        return in_runtime(network, *run);
    };
    let held = catch_unwind(AssertUnwindSafe(|| in_runtime(network, *run))).is_ok();
    assert!(
        !held,
        "the rule holds, so it is no exception: remove it from those of the transport (\"{reason}\")"
    );
}

/// Panics if something is excepted that is no rule.
pub(super) fn check_exceptions(exceptions: &[(&str, &str)]) {
    for (name, _) in exceptions {
        assert!(
            rules().any(|rule| rule == *name),
            "`{name}` is excepted, and is no rule: is it misspelt?"
        );
    }
}

fn in_runtime<N: Network>(network: impl FnOnce() -> N, rule: Rule) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        tokio::time::timeout(LIMIT, rule(World::new(network())))
            .await
            .expect("the rule hangs");
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryNetwork;

    const HOLDS: &str = "calls::a_call_returns_the_value";
    const MISSING: &str = "casts::an_unreached_node_makes_a_fanout_incomplete";

    #[test]
    fn an_exception_is_what_does_not_hold() {
        conform(MemoryNetwork::new, HOLDS, &[]);
        conform(MemoryNetwork::new, MISSING, &[(MISSING, "a bus")]);
    }

    #[test]
    #[should_panic(expected = "the rule holds")]
    fn an_exception_that_holds_fails() {
        conform(MemoryNetwork::new, HOLDS, &[(HOLDS, "nothing")]);
    }

    #[test]
    #[should_panic(expected = "Fanout")]
    fn what_does_not_hold_fails() {
        conform(MemoryNetwork::new, MISSING, &[]);
    }

    #[test]
    #[should_panic(expected = "is it misspelt?")]
    fn an_exception_is_a_rule() {
        check_exceptions(&[("calls::nothing", "a mistake")]);
    }
}
