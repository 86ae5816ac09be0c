//! A broken API for each rule, and the exact report.

use super::compare::compare;
use super::file::parse;
use super::shape::History;
use crate::__private::none;
use crate::{ApiInfo, ArgInfo, MethodInfo, MethodKind, OldAnswer, Version};

const fn v(major: u16, minor: u16) -> Version {
    Version::new(major, minor)
}

const ID: ArgInfo = ArgInfo::new("id", "Uuid");
const CLEAN: ArgInfo = ArgInfo::new("clean", "Option<bool>")
    .with_since(v(6, 3))
    .with_default(none);
const LIMIT: ArgInfo = ArgInfo::new("limit", "u8")
    .with_since(v(6, 4))
    .with_default(|| &[10]);
const BLOCK: ArgInfo = ArgInfo::new("block", "Option<Block>").with_values(&[(v(6, 4), "None")]);

const SNAPSHOT: MethodInfo =
    MethodInfo::new("snapshot", MethodKind::Call, v(6, 1)).with_answer("Result<Uuid, E>");
const STOP: MethodInfo = MethodInfo::new("stop", MethodKind::Cast, v(6, 0)).with_args(&[ID]);
const OLD: MethodInfo = MethodInfo::new("old", MethodKind::Cast, v(5, 0)).with_until(v(6, 0));

/// The API at some version.
const fn at(version: Version) -> ApiInfo {
    ApiInfo::new("Compute", version)
        .with_also(v(5, 13))
        .with_topic("compute")
        .with_aliases(const { &[("ada", v(5, 13)), ("zed", v(6, 1))] })
}

const API: ApiInfo = at(v(6, 5));

static METHODS: &[MethodInfo] = &[SNAPSHOT.with_args(&[ID, CLEAN, LIMIT, BLOCK]), STOP, OLD];

const FILE: &str = "\
api Compute
topic compute
released 6.5, 5.13
alias ada = 5.13
alias zed = 6.1

call snapshot
    6.1 (id: Uuid, block: Option<Block>) -> Result<Uuid, E>
    6.3 (id: Uuid, clean: Option<bool> = c0, block: Option<Block>) -> Result<Uuid, E>
    6.4 (id: Uuid, clean: Option<bool> = c0, limit: u8 = 0a, block: Option<Block> with \"None\") -> Result<Uuid, E>

cast stop
    6.0 (id: Uuid)

cast old
    5.0 ()
    6.0 removed
";

fn released() -> History {
    parse(FILE).unwrap()
}

/// What is reported of an API that has other methods.
fn report(methods: &'static [MethodInfo]) -> String {
    report_of(&API.with_methods(methods))
}

fn report_of(api: &ApiInfo) -> String {
    let problems = compare(&released(), api);
    let problems: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}\n  {}", problem.what, problem.write))
        .collect();
    problems.join("\n")
}

/// What is reported of `snapshot` with other arguments.
fn with_args(args: &'static [ArgInfo]) -> String {
    let methods = [SNAPSHOT.with_args(args), STOP, OLD];
    report(Box::leak(Box::new(methods)))
}

#[test]
fn a_shape_is_a_line_for_each_version_in_which_it_changes() {
    let history = History::of(&API.with_methods(METHODS)).to_string();
    let lines: Vec<&str> = history.lines().skip(3).collect();
    assert_eq!(lines, FILE.lines().collect::<Vec<_>>());
}

#[test]
fn what_is_kept_and_what_is_new_is_fine() {
    assert_eq!(report(METHODS), "");
    static GROWN: &[MethodInfo] = &[
        SNAPSHOT
            .with_args(&[
                // in another order
                LIMIT,
                CLEAN,
                BLOCK,
                ArgInfo::new("which", "Id")
                    .with_names(&[(v(6, 6), "id")])
                    .with_types(&[(v(6, 6), "Uuid")]),
                ArgInfo::new("more", "Option<u8>")
                    .with_since(v(6, 6))
                    .with_default(none),
            ])
            .with_answer("Result<Snapshot, E>")
            .with_answers(&[OldAnswer::new(v(6, 6), "Uuid")]),
        MethodInfo::new("stop", MethodKind::Cast, v(6, 0))
            .with_args(&[
                ArgInfo::new("id", "&Uuid"),
                ArgInfo::new("gone", "u8")
                    .with_until(v(7, 0))
                    .with_since(v(6, 6)),
            ])
            .with_until(v(7, 0)),
        OLD,
        MethodInfo::new("new", MethodKind::Fanout, v(6, 6)),
    ];
    assert_eq!(report_of(&at(v(6, 6)).with_methods(GROWN)), "");
}

#[test]
fn a_major_that_is_not_spoken_any_more_is_not_compared() {
    static METHODS: &[MethodInfo] = &[MethodInfo::new("other", MethodKind::Call, v(7, 0))];
    let next = ApiInfo::new("Compute", v(7, 0))
        .with_topic("compute")
        .with_methods(METHODS);
    assert_eq!(report_of(&next), "");
    static WITHOUT: &[MethodInfo] = &[SNAPSHOT.with_args(&[ID, CLEAN, LIMIT, BLOCK]), STOP];
    let without = ApiInfo::new("Compute", v(6, 5))
        .with_topic("compute")
        .with_aliases(const { &[("zed", v(6, 1))] });
    assert_eq!(report_of(&without.with_methods(WITHOUT)), "");
    // what was inherited from it is compared
    static BROKEN: &[MethodInfo] = &[SNAPSHOT.with_args(&[ID, CLEAN, LIMIT, BLOCK])];
    let broken = ApiInfo::new("Compute", v(7, 0))
        .with_also(v(6, 5))
        .with_topic("compute");
    let broken = broken
        .with_aliases(const { &[("zed", v(6, 1))] })
        .with_methods(BROKEN);
    assert_eq!(
        report_of(&broken),
        "cast `stop`: it is not there any more\n  \
         write it as it was (if only its name in Rust is another: `#[rpc(name = \"stop\")]`). A method ends with a major version: \
         `#[rpc(until = \"7.0\")]`"
    );
}

#[test]
fn the_api_itself_is_kept() {
    let api = ApiInfo::new("Computer", v(6, 4))
        .with_also(v(5, 12))
        .with_namespace("v")
        .with_methods(METHODS);
    assert_eq!(
        report_of(&api.with_aliases(const { &[("ada", v(5, 12)), ("bob", v(6, 2))] })),
        "the API's name: was `Compute`, is `Computer`; namespace: was none, is `v`; topic: was `compute`, is none\n  \
         write it as it was: who was released looks for it there. If it is another API, delete the file\n\
         the API's version is below what was released: 6.5 was, it is 6.4 and 5.12\n  \
         write `version = \"6.5\"` or a higher one\n\
         the API's version is below what was released: 5.13 was, it is 6.4 and 5.12\n  \
         write `also = \"5.13\"` or a higher one\n\
         alias `zed`: was 6.1, is not there any more\n  \
         write `aliases(zed = \"6.1\")` as it was: it is in configurations"
    );
    let api = API
        .with_methods(METHODS)
        .with_namespace("v")
        .with_legacy_namespaces(&[Some("base"), None]);
    let moved = Box::leak(Box::new(api));
    assert_eq!(report_of(moved), "");
    let problems = compare(&History::of(moved), &API.with_methods(METHODS));
    let problems: Vec<_> = problems.iter().map(|problem| &*problem.what).collect();
    assert_eq!(
        problems,
        [
            "the API's namespace: was `v`, is none",
            "the API was served in namespace `base` too, and is not any more"
        ]
    );
    let api = API
        .with_methods(METHODS)
        .with_aliases(const { &[("ada", v(5, 12)), ("zed", v(6, 1))] });
    assert_eq!(
        report_of(&api),
        "alias `ada`: was 5.13, is 5.12\n  write `aliases(ada = \"5.13\")` as it was: it is in configurations"
    );
}

#[test]
fn methods_are_kept() {
    static BROKEN: &[MethodInfo] = &[
        MethodInfo::new("snapshot", MethodKind::Cast, v(6, 1))
            .with_args(const { &[ID, CLEAN, LIMIT, BLOCK] }),
        MethodInfo::new("stop", MethodKind::Cast, v(6, 2)).with_args(const { &[ID] }),
        MethodInfo::new("old", MethodKind::Cast, v(5, 0)),
        MethodInfo::new("new", MethodKind::Cast, v(6, 0)),
    ];
    assert_eq!(
        report(BROKEN),
        "call `snapshot`: is a cast\n  write it as the call that it was, and a new method beside it\n\
         cast `stop`: 6.0 had it, and has it no more\n  write its `since` and `until` as they were\n\
         cast `old`: 6.0 did not have it, and has it now\n  \
         write its `since` and `until` as they were; what comes back is a new method\n\
         cast `new`: it was not released, and says that it came with 6.0\n  \
         write `#[rpc(since = \"6.6\")]` above it, and `version = \"6.6\"` on the API"
    );
    static GONE: &[MethodInfo] = &[SNAPSHOT.with_args(&[ID, CLEAN, LIMIT, BLOCK]), STOP];
    assert_eq!(
        report(GONE),
        "cast `old`: it is not there any more\n  \
         write it as it was (if only its name in Rust is another: `#[rpc(name = \"old\")]`). A method ends with a major version: \
         `#[rpc(until = \"6.0\")]`"
    );
}

#[test]
fn a_version_that_is_not_released_yet_is_the_one_to_write() {
    static BROKEN: &[MethodInfo] = &[
        SNAPSHOT
            .with_args(const { &[ID, CLEAN, LIMIT, BLOCK, ArgInfo::new("more", "Option<u8>")] }),
        STOP,
        OLD,
    ];
    assert_eq!(
        report_of(&at(v(6, 7)).with_methods(BROKEN)),
        "call `snapshot`: argument `more` was not released, and is said to be in 6.1\n  write `#[rpc(since = \"6.7\")]` before it"
    );
}

#[test]
fn arguments_are_kept() {
    assert_eq!(
        with_args(const { &[ID, CLEAN, LIMIT, BLOCK, ArgInfo::new("more", "u8")] }),
        "call `snapshot`: argument `more` was not released, and is said to be in 6.1\n  \
         write `#[rpc(since = \"6.6\", default = ..)]` before it, and `version = \"6.6\"` on the API"
    );
    assert_eq!(
        with_args(const { &[ID, CLEAN, BLOCK] }),
        "call `snapshot`: argument `limit` of 6.4 is not there any more\n  \
         write `removed(limit: u8 = .., until = \"6.6\")` in the method's `#[rpc(..)]`, and `version = \"6.6\"` on the API"
    );
    assert_eq!(
        with_args(const { &[ArgInfo::new("guest", "Uuid"), CLEAN, LIMIT, BLOCK] }),
        "call `snapshot`: argument `id` of 6.1 is called `guest`\n  \
         write `#[rpc(was(name = \"id\", until = \"6.6\"))]` before it, and `version = \"6.6\"` on the API, or \
         `#[rpc(name = \"id\")]` to keep it. If it is another argument: `removed(id: Uuid = .., until = \"6.6\")` for the old one, \
         `since = \"6.6\"` for the new one"
    );
    assert_eq!(
        with_args(const { &[ArgInfo::new("id", "u32"), CLEAN, LIMIT, BLOCK] }),
        "call `snapshot`: argument `id` was `Uuid` in 6.1, is `u32`\n  \
         write `#[rpc(was(type = Uuid, until = \"6.6\"))]` before it, and `version = \"6.6\"` on the API. \
         If only its name in Rust is another, correct `Uuid` in the file"
    );
}

#[test]
fn the_versions_of_arguments_are_kept() {
    const EARLY: ArgInfo = ArgInfo::new("clean", "Option<bool>")
        .with_since(v(6, 2))
        .with_default(none);
    assert_eq!(
        with_args(const { &[ID, EARLY, LIMIT, BLOCK] }),
        "call `snapshot`: argument `clean` came with 6.3, and is said to be in 6.2\n  \
         write `#[rpc(since = \"6.3\")]` before it, as it was"
    );
    const LATE: ArgInfo = ArgInfo::new("clean", "Option<bool>")
        .with_since(v(6, 4))
        .with_default(none);
    assert_eq!(
        with_args(const { &[ID, LATE, LIMIT, BLOCK] }),
        "call `snapshot`: argument `clean` of 6.3 is not there any more\n  \
         write its `since` as it was: messages of that version hold it"
    );
    const RENAMED: ArgInfo = ArgInfo::new("guest", "Uuid").with_names(&[(v(6, 3), "id")]);
    assert_eq!(
        with_args(&[RENAMED, CLEAN, LIMIT, BLOCK]),
        "call `snapshot`: argument `id` of 6.3 is not there any more\n  write its `until` and its older names as they were\n\
         call `snapshot`: argument `guest` was not released, and is said to be in 6.3\n  \
         write `#[rpc(since = \"6.6\", default = ..)]` before it, and `version = \"6.6\"` on the API"
    );
    const REMOVED: ArgInfo = ArgInfo::new("reservations", "u8").with_until(v(7, 0));
    assert_eq!(
        with_args(const { &[ID, CLEAN, LIMIT, BLOCK, REMOVED] }),
        "call `snapshot`: argument `reservations` was not released, and is said to be in 6.1\n  \
         what was removed or renamed was released: write the versions and names that it had"
    );
}

#[test]
fn defaults_and_values_are_kept() {
    const DEFAULT: ArgInfo = ArgInfo::new("limit", "u8")
        .with_since(v(6, 4))
        .with_default(|| &[11]);
    assert_eq!(
        with_args(const { &[ID, CLEAN, DEFAULT, BLOCK] }),
        "call `snapshot`: the default of argument `limit` was 0a in 6.4, encoded, is 0b\n  \
         a default is part of the released shape: give a new argument, or wait for the next major"
    );
    assert_eq!(
        with_args(const { &[ID, CLEAN, LIMIT, ArgInfo::new("block", "Option<Block>")] }),
        "call `snapshot`: argument `block`: that its value `None` came with 6.4 is not said any more\n  \
         write `values(None = \"6.4\")` before it, as it was"
    );
    const EARLY: ArgInfo = ArgInfo::new("block", "Option<Block>").with_values(&[(v(6, 3), "None")]);
    assert_eq!(
        with_args(const { &[ID, CLEAN, LIMIT, EARLY] }),
        "call `snapshot`: argument `block`: its value `None` was not released, and is said to be in 6.3\n  \
         write `values(None = \"6.6\")` before it, and `version = \"6.6\"` on the API"
    );
}

#[test]
fn answers_are_kept() {
    const ARGS: &[ArgInfo] = &[ID, CLEAN, LIMIT, BLOCK];
    static VALUE: &[MethodInfo] = &[
        SNAPSHOT.with_args(ARGS).with_answer("Result<Snapshot, E>"),
        STOP,
        OLD,
    ];
    assert_eq!(
        report(VALUE),
        "call `snapshot`: its answer was `Result<Uuid, E>` in 6.1, is `Result<Snapshot, E>`\n  \
         write `returned(type = Uuid, until = \"6.6\")` in its `#[rpc(..)]`, and `version = \"6.6\"` on the API. \
         If only its name in Rust is another, correct `Result<Uuid, E>` in the file"
    );
    static ERROR: &[MethodInfo] = &[
        SNAPSHOT.with_args(ARGS).with_answer("Result<Uuid, F>"),
        STOP,
        OLD,
    ];
    assert_eq!(
        report(ERROR),
        "call `snapshot`: its answer was `Result<Uuid, E>` in 6.1, is `Result<Uuid, F>`\n  \
         write it as it was, and a new method beside it. If only its name in Rust is another, correct `Result<Uuid, E>` in the file"
    );
    // what stands for an older type may be called anything
    static RENAMED: &[MethodInfo] = &[
        SNAPSHOT
            .with_args(&[
                ArgInfo::new("id", "Uuid").with_types(&[(v(6, 3), "OldId")]),
                CLEAN,
                LIMIT,
                BLOCK,
            ])
            .with_answers(&[OldAnswer::new(v(6, 3), "OldUuid")]),
        STOP,
        OLD,
    ];
    assert_eq!(report(RENAMED), "");
}
