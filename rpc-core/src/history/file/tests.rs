//! What is written reads back, and nothing panics.

use super::*;
use proptest::prelude::*;

const TEXT: &str = r#"# The released messages of `Compute`. Written by RPC_HISTORY=freeze cargo test; commit it.
# A line for each version in which the messages of a method change, and a message of that version, encoded.
# See "Changing an API" in the guide of rpc-core.
api Compute
namespace v
legacy_namespace "the base"
legacy_without_namespace
topic "compute nodes"
released 6.5, 5.13
alias zed = 6.1

call snapshot
    2.1 (id: Uuid) -> Result<Uuid, ComputeError>
    2.3 (id: Uuid, clean_shutdown: Option<bool> = c0 with "None" with "Some(a, b)") -> Result<Uuid, ComputeError>
    3.0 removed
    golden 2.1 81a26964a161
    golden 2.3 none: `id`: it is strange

fanout drop_caches
    2.4 ()
    golden 2.4 80
"#;

#[test]
fn what_is_read_is_written_as_it_was() {
    let history = parse(TEXT).unwrap();
    assert_eq!(history.to_string(), TEXT);
    assert_eq!(history.methods[0].shapes.len(), 3);
    let with_returns = TEXT.replace('\n', "\r\n");
    assert_eq!(parse(&with_returns), Ok(history));
}

#[test]
fn what_is_no_history_is_named() {
    for (from, to, expected) in [
        ("api Compute", "", "21: there is no line `api`"),
        (
            "released 6.5, 5.13",
            "released 6",
            r#"9: "6" is not a version"#,
        ),
        ("alias", "alas", "10: a line does not begin with `alas`"),
        ("2.3 (id", "2.1 (id", "14: 2.1 stands after 2.1"),
        ("2.1 (id: Uuid)", "2.1 id: Uuid", "13: a shape is"),
        ("2.1 (id: Uuid)", "2.1 (id)", "13: an argument is"),
        ("= c0", "= c", "14: bytes are pairs"),
        (
            "fanout drop_caches",
            "fanout snapshot",
            "19: `snapshot` is there twice",
        ),
        ("    2.4 ()\n", "", "20: `drop_caches` has no version"),
    ] {
        let error = parse(&TEXT.replace(from, to)).unwrap_err();
        let text = format!("{}: {}", error.line, error.message);
        assert!(text.starts_with(expected), "{to:?}: {text}");
    }
}

fn type_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z_]{1,6}",
        Just("Vec<(u8, [Uuid; 4])>".into()),
        Just("Box<dyn Fn(u8) -> u8>".into()),
        Just("&'a str".into()),
        any::<String>(),
    ]
}

fn arg() -> impl Strategy<Value = Arg> {
    let bytes = prop::collection::vec(any::<u8>(), 1..4);
    let values = prop::collection::vec(any::<String>(), 0..3);
    (
        "[a-z ,:()\"]{1,4}",
        type_name(),
        prop::option::of(bytes),
        values,
    )
        .prop_map(|(name, type_name, default, values)| Arg {
            name,
            type_name,
            default,
            values,
        })
}

fn shape() -> impl Strategy<Value = Shape> {
    (prop::collection::vec(arg(), 0..4), type_name()).prop_map(|(mut args, answer)| {
        args.sort_by(|one, other| one.name.cmp(&other.name));
        args.dedup_by(|one, other| one.name == other.name);
        Shape { args, answer }
    })
}

fn versions<T: Clone + fmt::Debug>(
    of: impl Strategy<Value = T>,
) -> impl Strategy<Value = Vec<(Version, T)>> {
    let version = (0u16..4, 0u16..9).prop_map(|(major, minor)| Version::new(major, minor));
    prop::collection::btree_map(version, of, 1..4).prop_map(|lines| lines.into_iter().collect())
}

fn golden() -> impl Strategy<Value = Golden> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..9).prop_map(Golden::Bytes),
        any::<String>().prop_map(Golden::None),
    ]
}

fn history() -> impl Strategy<Value = History> {
    let kind = prop::sample::select(vec![
        MethodKind::Call,
        MethodKind::Cast,
        MethodKind::Multicall,
        MethodKind::Gather,
    ]);
    let method = (
        kind,
        versions(prop::option::of(shape())),
        versions(golden()),
    );
    let methods = prop::collection::btree_map("[a-z_ ]{1,8}", method, 0..4);
    let ends = versions(Just(()));
    (
        any::<[String; 2]>(),
        prop::option::of(any::<String>()),
        ends,
        methods,
    )
        .prop_map(|([name, alias], topic, released, methods)| History {
            name,
            namespace: None,
            legacy_namespaces: vec![topic.clone()],
            topic,
            aliases: vec![(alias, Version::new(1, 2))],
            released: released.into_iter().map(|(version, ())| version).collect(),
            methods: methods
                .into_iter()
                .map(|(name, (kind, shapes, golden))| Method {
                    name,
                    kind,
                    shapes,
                    golden,
                })
                .collect(),
        })
}

proptest! {
    #[test]
    fn any_history_reads_back_as_it_was_written(history in history()) {
        let text = history.to_string();
        let read = parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&history), "{}", text);
        prop_assert_eq!(parse(&text).map(|history| history.to_string()), Ok(text));
    }

    #[test]
    fn no_text_panics(text: String, lines in prop::collection::vec("[ a-z0-9.(){}<>:,=\"\\\\>-]{0,20}", 0..6), at in 0usize..700) {
        let _ = parse(&text);
        let mut file: Vec<&str> = TEXT.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let place = (at + index * 7) % file.len();
            file[place] = line;
        }
        let _ = parse(&file.join("\n"));
        let cut: String = TEXT.chars().take(at).collect();
        let _ = parse(&cut);
    }
}
