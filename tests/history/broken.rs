//! Changes after a release: those that break it, each with its report, and those that do not.

use rpc_core::{Context, Endpoint, Never, Stream, history, rpc_api};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A service that runs nothing.
struct Node;

/// What was released.
mod first {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub(super) struct Spec {
        name: String,
    }

    #[rpc_api(version = "1.2", topic = "guests", aliases(ada = "1.1"))]
    pub(super) trait Guests {
        async fn start(
            &self,
            ctx: &Context,
            id: u32,
            spec: &Spec,
            #[rpc(since = "1.1", default = 10)] limit: u8,
        ) -> Result<u64, Never>;
        #[rpc(cast, since = "1.2")]
        async fn forget(&self, ctx: &Context, names: &[String]);
        #[rpc(multicall)]
        fn list(&self, ctx: &Context) -> impl Stream<Item = u32> + Send;
    }

    impl Guests for Node {
        async fn start(&self, _: &Context, _: u32, _: &Spec, _: u8) -> Result<u64, Never> {
            panic!("nothing is run")
        }
        async fn forget(&self, _: &Context, _: &[String]) {}
        fn list(&self, _: &Context) -> impl Stream<Item = u32> + Send {
            futures_util::stream::empty()
        }
    }
}

/// A file of this test only, in which the first version is frozen.
fn released(test: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.api"));
    let _ = std::fs::remove_file(&path);
    history::freeze(&path, &first::GuestsDispatcher::new(Node)).unwrap();
    path
}

/// What is reported of an API, without the path and what is said each time.
fn report(path: &Path, endpoint: &dyn Endpoint) -> String {
    let before = std::fs::read_to_string(path).unwrap();
    let error = history::verify(path, endpoint).unwrap_err().to_string();
    let refused = history::freeze(path, endpoint).unwrap_err().to_string();
    assert_eq!(refused, format!("{error}\nNothing was written."));
    assert_eq!(std::fs::read_to_string(path).unwrap(), before);
    let (first, rest) = error.split_once("\n\n").unwrap();
    assert_eq!(
        first,
        format!("`Guests` is not what was released as {}", path.display())
    );
    let (problems, last) = rest.rsplit_once("\n\n").unwrap();
    assert_eq!(
        last,
        "Whoever was released sends these messages. To mean it nevertheless, delete the file and freeze it anew."
    );
    problems.into()
}

#[test]
fn the_file_is_as_it_is_described() {
    let text = std::fs::read_to_string(released("described")).unwrap();
    assert_eq!(
        text,
        "\
# The released messages of `Guests`. Written by RPC_HISTORY=freeze cargo test; commit it.
# A line for each version in which the messages of a method change, and a message of that version, encoded.
# See \"Changing an API\" in the guide of rpc-core.
api Guests
topic guests
released 1.2
alias ada = 1.1

call start
    1.0 (id: u32, spec: &Spec) -> Result<u64, Never>
    1.1 (id: u32, spec: &Spec, limit: u8 = 0a) -> Result<u64, Never>
    golden 1.0 82a2696401a47370656381a46e616d65a161
    golden 1.1 83a2696401a47370656381a46e616d65a161a56c696d697401

cast forget
    1.2 (names: &[String])
    golden 1.2 81a56e616d657391a161

multicall list
    1.0 () -> u32
    golden 1.0 80
"
    );
}

#[test]
fn everything_that_is_wrong_is_reported_at_once() {
    use first::Spec;

    #[rpc_api(version = "1.2", topic = "guests", aliases(ada = "1.2"))]
    trait Guests {
        async fn start(
            &self,
            ctx: &Context,
            spec: Spec,
            guest: u32,
            force: bool,
            #[rpc(since = "1.1", default = 11)] limit: u8,
        ) -> Result<u32, Never>;
        #[rpc(cast, fanout, since = "1.2")]
        async fn forget(&self, ctx: &Context, names: &[String]);
        async fn stop(&self, ctx: &Context);
    }
    impl Guests for Node {
        async fn start(&self, _: &Context, _: Spec, _: u32, _: bool, _: u8) -> Result<u32, Never> {
            Ok(0)
        }
        async fn forget(&self, _: &Context, _: &[String]) {}
        async fn stop(&self, _: &Context) {}
    }
    assert_eq!(
        report(&released("at-once"), &GuestsDispatcher::new(Node)),
        "  alias `ada`: was 1.1, is 1.2
    write `aliases(ada = \"1.1\")` as it was: it is in configurations

  call `start`: argument `id` of 1.0 is not there any more
    write `removed(id: u32 = .., until = \"1.3\")` in the method's `#[rpc(..)]`, and `version = \"1.3\"` on the API

  call `start`: argument `guest` was not released, and is said to be in 1.0
    write `#[rpc(since = \"1.3\", default = ..)]` before it, and `version = \"1.3\"` on the API

  call `start`: argument `force` was not released, and is said to be in 1.0
    write `#[rpc(since = \"1.3\", default = ..)]` before it, and `version = \"1.3\"` on the API

  call `start`: its answer was `Result<u64, Never>` in 1.0, is `Result<u32, Never>`
    write `returned(type = u64, until = \"1.3\")` in its `#[rpc(..)]`, and `version = \"1.3\"` on the API. If only its name in \
         Rust is another, correct `Result<u64, Never>` in the file

  call `start`: the default of argument `limit` was 0a in 1.1, encoded, is 0b
    a default is part of the released shape: give a new argument, or wait for the next major

  cast `forget`: is a fanout
    write it as the cast that it was, and a new method beside it

  multicall `list`: it is not there any more
    write it as it was (if only its name in Rust is another: `#[rpc(name = \"list\")]`). A method ends with a major version: \
         `#[rpc(until = \"2.0\")]`

  call `stop`: it was not released, and says that it came with 1.0
    write `#[rpc(since = \"1.3\")]` above it, and `version = \"1.3\"` on the API"
    );
}

/// An API with one method, of which only the argument changes.
macro_rules! with {
    ($version:literal, $(#[$($word:tt)*])* $arg:ident: $ty:ty) => {{
        #[rpc_api(version = $version)]
        trait One {
            #[rpc(cast)]
            async fn take(&self, ctx: &Context, $(#[$($word)*])* $arg: $ty);
        }
        impl One for Node {
            async fn take(&self, _: &Context, _: $ty) {
                panic!("nothing is run")
            }
        }
        OneDispatcher::new(Node)
    }};
}

fn frozen(test: &str, endpoint: &dyn Endpoint) -> (PathBuf, history::Frozen) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.api"));
    let _ = std::fs::remove_file(&path);
    let frozen = history::freeze(&path, endpoint).unwrap();
    (path, frozen)
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("    "));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[derive(Serialize, Deserialize)]
struct Spec {
    name: String,
}

mod grown {
    use super::*;

    /// The same type with a field that old messages do not have.
    #[derive(Serialize, Deserialize)]
    pub(super) struct Spec {
        name: String,
        ram: u64,
    }

    #[rpc_api(version = "1.0")]
    pub(super) trait One {
        #[rpc(cast)]
        async fn take(&self, ctx: &Context, spec: Spec);
    }

    impl One for Node {
        async fn take(&self, _: &Context, _: Spec) {}
    }

    impl From<super::Spec> for Spec {
        fn from(old: super::Spec) -> Self {
            Self {
                name: old.name,
                ram: 0,
            }
        }
    }

    impl From<&Spec> for super::Spec {
        fn from(spec: &Spec) -> Self {
            Self {
                name: spec.name.clone(),
            }
        }
    }
}

#[test]
fn a_type_that_changes_behind_its_name_is_found_by_what_was_sent() {
    let (path, _) = frozen("behind", &with!("1.0", spec: Spec));
    let error = history::verify(&path, &grown::OneDispatcher::new(Node))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(
            "\n\n  cast `take`: a message of 1.0 is not understood any more: `spec`: missing field `ram`\n    \
             a type has changed: let it take what it took, or keep it as it was under another name, with \
             `#[rpc(was(type = .., until = \"1.1\"))]` before the argument, and `version = \"1.1\"` on the API\n\n"
        ),
        "{error}"
    );
    // what the report says to write is right
    type OldSpec = Spec;
    let put_right = with!("1.1", #[rpc(was(type = OldSpec, until = "1.1"))] spec: grown::Spec);
    history::verify(&path, &put_right).unwrap();
    history::freeze(&path, &put_right).unwrap();
    assert_eq!(
        lines(&path),
        [
            "1.0 (spec: OldSpec)",
            "1.1 (spec: grown::Spec)",
            "golden 1.0 81a47370656381a46e616d65a161",
            "golden 1.1 81a47370656382a46e616d65a161a372616d01",
        ]
    );
}

/// A word that nobody guesses.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "String")]
struct Word(String);

impl TryFrom<String> for Word {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        match &*text {
            "open sesame" => Ok(Self(text)),
            _ => Err("this is not the word"),
        }
    }
}

#[test]
fn what_cannot_be_made_up_is_said_and_a_message_put_there_by_hand_is_kept() {
    let endpoint = with!("1.0", word: Word);
    let (path, frozen) = frozen("word", &endpoint);
    assert_eq!(
        frozen.unmade(),
        ["cast `take` 1.0: `word`: this is not the word"]
    );
    assert!(
        frozen
            .to_string()
            .contains("\n  no message could be made up of cast `take` 1.0: `word`")
    );
    assert_eq!(
        lines(&path),
        [
            "1.0 (word: Word)",
            "golden 1.0 none: `word`: this is not the word"
        ]
    );
    history::verify(&path, &endpoint).unwrap();

    let text = std::fs::read_to_string(&path).unwrap();
    let by_hand = "81a4776f7264ab6f70656e20736573616d65";
    std::fs::write(
        &path,
        text.replace("none: `word`: this is not the word", by_hand),
    )
    .unwrap();
    history::verify(&path, &endpoint).unwrap();
    assert!(!history::freeze(&path, &endpoint).unwrap().is_changed());
    std::fs::write(
        &path,
        text.replace("none: `word`: this is not the word", "81a4776f7264a161"),
    )
    .unwrap();
    let error = history::verify(&path, &endpoint).unwrap_err().to_string();
    assert!(error.contains("`word`: this is not the word"), "{error}");
}

#[test]
fn a_new_major_lets_go_of_the_one_before() {
    let (path, _) = frozen(
        "major",
        &with!("1.3", #[rpc(since = "1.2")] size: Option<u8>),
    );
    assert_eq!(
        lines(&path),
        [
            "1.0 ()",
            "1.2 (size: Option<u8> = c0)",
            "golden 1.0 80",
            "golden 1.2 81a473697a6501"
        ]
    );
    let next = with!("2.0", count: u16);
    history::verify(&path, &next).unwrap();
    history::freeze(&path, &next).unwrap();
    assert_eq!(
        lines(&path),
        ["2.0 (count: u16)", "golden 2.0 81a5636f756e7401"]
    );
}

#[test]
fn arguments_in_another_order_are_the_same_message() {
    let path = released("order");
    let before = std::fs::read_to_string(&path).unwrap();

    mod turned {
        use super::first::Spec;
        use super::*;

        #[rpc_api(version = "1.2", topic = "guests", aliases(ada = "1.1"))]
        pub(super) trait Guests {
            #[rpc(multicall)]
            fn list(&self, ctx: &Context) -> impl Stream<Item = u32> + Send;
            async fn start(
                &self,
                ctx: &Context,
                #[rpc(since = "1.1", default = 10)] limit: u8,
                spec: Spec,
                id: &u32,
            ) -> Result<u64, Never>;
            #[rpc(cast, since = "1.2")]
            async fn forget(&self, ctx: &Context, names: Vec<String>);
        }

        impl Guests for Node {
            fn list(&self, _: &Context) -> impl Stream<Item = u32> + Send {
                futures_util::stream::empty()
            }
            async fn start(&self, _: &Context, _: u8, _: Spec, _: &u32) -> Result<u64, Never> {
                Ok(0)
            }
            async fn forget(&self, _: &Context, _: Vec<String>) {}
        }
    }
    let endpoint = turned::GuestsDispatcher::new(Node);
    history::verify(&path, &endpoint).unwrap();
    history::freeze(&path, &endpoint).unwrap();
    let after = std::fs::read_to_string(&path).unwrap();
    let now = before.replace("id: u32, spec: &Spec", "id: &u32, spec: Spec");
    assert_eq!(after, now.replace("&[String]", "Vec<String>"));
}

#[test]
fn a_file_that_is_not_there_or_not_whole_is_named() {
    let endpoint = with!("1.0", id: u32);
    let (path, _) = frozen("whole", &endpoint);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("cast take", "cast")).unwrap();
    let error = history::verify(&path, &endpoint).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{}: line 8: a name is missing; restore the file as it was committed",
            path.display()
        )
    );
    std::fs::remove_file(&path).unwrap();
    let error = history::verify(&path, &endpoint).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{}: there is no history of `One` yet: write it with `RPC_HISTORY=freeze cargo test`, and commit it",
            path.display()
        )
    );
}

/// What does not like what is made up.
#[derive(Serialize, Deserialize)]
#[serde(from = "u8")]
struct Touchy(u8);

impl From<u8> for Touchy {
    fn from(value: u8) -> Self {
        assert!(value == 2, "not this");
        Self(value)
    }
}

#[test]
fn a_type_that_panics_is_no_reason_to_fail() {
    let (path, _) = frozen("touchy", &with!("1.0", it: Touchy));
    assert_eq!(lines(&path)[1], "golden 1.0 81a2697402");
}
