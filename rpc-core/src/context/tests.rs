use super::*;

#[derive(Clone, Debug, PartialEq)]
struct Auth {
    user: String,
    project: Option<String>,
}

impl Entry for Auth {
    fn write(&self, metadata: &mut Metadata) {
        metadata.insert("user", &self.user);
        if let Some(project) = &self.project {
            metadata.insert("project", project);
        }
    }

    fn read(metadata: &Metadata) -> Option<Self> {
        Some(Self {
            user: metadata.get("user")?.into(),
            project: metadata.get("project").map(Into::into),
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Local(u32);

impl Entry for Local {}

fn ada() -> Auth {
    Auth {
        user: "grace".into(),
        project: Some("engine".into()),
    }
}

#[test]
fn an_entry_is_written_into_the_metadata_and_read_from_there() {
    let ctx = Context::new().with_entry(ada());
    assert_eq!(ctx.metadata("user"), Some("grace"));
    let arrived = Context::received(ctx.all_metadata().clone(), None);
    assert_eq!(arrived.get(), Some(ada()));
}

#[test]
fn an_entry_that_writes_nothing_stays_here() {
    let ctx = Context::new().with_entry(Local(7));
    assert_eq!(ctx.get(), Some(Local(7)));
    assert!(ctx.all_metadata().is_empty());
    assert_eq!(Context::new().get::<Local>(), None);
}

#[test]
fn an_entry_that_is_replaced_leaves_nothing_behind() {
    let narrow = Auth {
        user: "grace".into(),
        project: None,
    };
    let ctx = Context::new().with("kept", "1").with_entry(ada());
    for before in [
        ctx.clone(),
        Context::received(ctx.all_metadata().clone(), None),
    ] {
        let ctx = before.with_entry(narrow.clone());
        assert_eq!(ctx.metadata("project"), None);
        assert_eq!(ctx.metadata("kept"), Some("1"));
        assert_eq!(ctx.get(), Some(narrow.clone()));
    }
}

#[test]
fn what_was_set_here_wins_over_what_arrived() {
    let arrived = Context::received(
        Context::new().with_entry(ada()).all_metadata().clone(),
        None,
    );
    let bob = Auth {
        user: "bob".into(),
        project: None,
    };
    assert_eq!(arrived.with_entry(bob.clone()).get(), Some(bob));
}

#[test]
fn a_clone_is_not_changed_with_the_original() {
    let mut ctx = Context::new().with("user", "grace").with_entry(Local(1));
    let clone = ctx.clone();
    ctx.insert("user", "bob");
    ctx.set(Local(2));
    assert_eq!(clone.metadata("user"), Some("grace"));
    assert_eq!(clone.get(), Some(Local(1)));
    assert_eq!(ctx.get(), Some(Local(2)));
}

#[test]
fn debug_shows_keys_only() {
    let ctx = Context::new().with("token", "hunter2").with_entry(ada());
    let text = format!("{ctx:?}");
    assert!(text.contains("token") && text.contains("user"), "{text}");
    assert!(
        !text.contains("hunter2") && !text.contains("grace"),
        "{text}"
    );
}

#[test]
fn what_is_too_much_is_said() {
    let large = Context::new().with("a", "x".repeat(MAX_METADATA));
    let excess = large.all_metadata().excess().unwrap_or_default();
    assert!(excess.contains("16385 bytes"), "{excess}");
    let many =
        (0..=MAX_METADATA_KEYS).fold(Context::new(), |ctx, key| ctx.with(key.to_string(), ""));
    let excess = many.all_metadata().excess().unwrap_or_default();
    assert!(excess.contains("129 keys"), "{excess}");
}

#[test]
fn detached_keeps_all_but_the_deadline() {
    let id = RequestId::random();
    let ctx = Context::new()
        .with("a", "1")
        .with_request_id(id)
        .deadline_in(Duration::from_secs(1))
        .detached();
    assert_eq!(ctx.remaining(), None);
    assert_eq!((ctx.metadata("a"), ctx.request_id()), (Some("1"), Some(id)));
}
