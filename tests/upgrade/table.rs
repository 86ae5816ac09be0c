//! Tables of what is sent at each cap: by nova's client, and by ours.

use crate::meaning::Meaning;
use crate::raw::{CALL, CAST};
use crate::wire::{CapAt, Refusal, Sent, Wire};
use serde_json::{Map, Value};

/// What is sent at a cap, and at those below it down to the next row; `none` stands for a client without a cap.
///
/// Both messages are written as their version and the names of their arguments, `{}` standing for those of [`Case::always`]
/// and `name:value` for one whose value goes by another name; or as `refused: ` and why, with `{cap}` in it. Nova's may begin
/// with `older: `, where ours is newer for the sake of the answer, or be a `bug: `.
pub(crate) struct Row {
    pub(crate) cap: &'static str,
    pub(crate) nova: &'static str,
    pub(crate) ours: &'static str,
}

pub(crate) const fn row(cap: &'static str, nova: &'static str, ours: &'static str) -> Row {
    Row { cap, nova, ours }
}

/// One call at several caps.
pub(crate) struct Case {
    /// `cast rebuild_instance to src on compute`.
    pub(crate) what: &'static str,
    /// The names of arguments that most rows have.
    pub(crate) always: &'static str,
    /// The values that the caller gives, in every form in which they are sent.
    pub(crate) values: Value,
}

impl Case {
    /// Sends at each cap that the API has, and compares what a bare node sees with the row; and what it means to the server with
    /// what nova's message means to it.
    pub(crate) async fn check<F>(
        &self,
        wire: &mut Wire,
        meaning: &mut Meaning<'_>,
        send: impl Fn(CapAt<'_>) -> F,
        rows: &[Row],
    ) where
        F: Future<Output: Refusal + Send> + Send + 'static,
    {
        if let Some(row) = rows.iter().find(|row| row.cap == "none") {
            self.check_at("none", row, wire, meaning, &send).await;
        }
        for (major, end) in meaning.versions().to_vec() {
            for minor in 0..=end {
                let from = |row: &&Row| row.cap != "none" && version(row.cap) >= (major, minor);
                let row = rows.iter().rfind(from).expect("a row for each cap");
                let cap = format!("{major}.{minor}");
                self.check_at(&cap, row, wire, meaning, &send).await;
            }
        }
    }

    async fn check_at<F>(
        &self,
        cap: &str,
        row: &Row,
        wire: &mut Wire,
        meaning: &mut Meaning<'_>,
        send: &impl Fn(CapAt<'_>) -> F,
    ) where
        F: Future<Output: Refusal + Send> + Send + 'static,
    {
        let at = format!("{} at cap {cap}", self.what);
        let sent = wire.sees(send(CapAt(cap))).await;
        match (&sent, self.message(row.ours, cap)) {
            (Ok(sent), Ok(ours)) => assert_eq!(*sent, ours, "{at}"),
            (Err(refusal), Err(expected)) => assert_eq!(*refusal, expected, "{at}"),
            (sent, _) => panic!("{at}: expected {}, but it is {sent:?}", row.ours),
        }
        if row.nova.starts_with("bug: ") {
            return;
        }
        match (&sent, self.message(row.nova, cap)) {
            (Ok(sent), Ok(nova)) => {
                let newer = sent.version > nova.version;
                assert_eq!(
                    newer,
                    row.nova.starts_with("older: "),
                    "{at}: nova sends {nova}"
                );
                let (ours, novas) = (meaning.of_sent(sent).await, meaning.of_sent(&nova).await);
                assert_eq!(
                    ours.as_what, novas.as_what,
                    "{at}: another call than nova's"
                );
                if !newer {
                    assert_eq!(
                        ours.answer, novas.answer,
                        "{at}: another answer than nova's"
                    );
                }
            }
            (Err(_), Err(_)) => {}
            (sent, nova) => panic!("{at}: nova has {nova:?}, this is {sent:?}"),
        }
    }

    /// The message that a row writes down.
    fn message(&self, text: &str, cap: &str) -> Result<Sent, String> {
        if let Some(reason) = text.strip_prefix("refused: ") {
            return Err(reason.replace("{cap}", cap));
        }
        let text = text
            .trim_start_matches("older: ")
            .replace("{}", self.always);
        let mut words = text.split_whitespace();
        let version = version(words.next().unwrap());
        let words = words.map(|word| {
            let (name, key) = word.split_once(':').unwrap_or((word, word));
            let value = self
                .values
                .get(key)
                .unwrap_or_else(|| panic!("no value {key}"));
            (name.to_owned(), value.clone())
        });
        let what: Vec<&str> = self.what.split_whitespace().collect();
        let [kind, method, "to", server, "on", topic] = what[..] else {
            panic!("`{}` is not `cast method to server on topic`", self.what);
        };
        Ok(Sent {
            kind: if kind == "call" { CALL } else { CAST },
            topic: topic.into(),
            server: server.into(),
            version,
            method: method.into(),
            args: Value::Object(words.collect::<Map<_, _>>()),
        })
    }
}

fn version(text: &str) -> (u8, u8) {
    let (major, minor) = text.split_once('.').unwrap();
    (major.parse().unwrap(), minor.parse().unwrap())
}
