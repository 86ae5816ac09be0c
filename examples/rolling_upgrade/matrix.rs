//! Every call, from clients at every cap, to servers of every release: what was sent, and what was not.

use crate::api::{ComputeClient, compute_api};
use crate::calls::{Caller, ROWS, Row};
use crate::node_process::NodeProcess;
use crate::tap::Message;
use crate::{PATIENCE, Result};
use rpc_core::{ArgInfo, ErrorKind, MethodInfo, Transport, Version};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// The caps: each a release, or none.
const CAPS: [Option<&str>; 5] = [
    Some("rocky"),
    Some("victoria"),
    Some("zed"),
    Some("gazpacho"),
    None,
];

/// What was seen, counted as it came.
#[derive(Default)]
pub struct Seen {
    pub sent: usize,
    /// In an older form than the newest.
    pub older: usize,
    pub refused: usize,
    /// Asked for on a topic that the server does not have.
    pub absent: usize,
}

/// Shows everything once.
pub async fn show(nodes: &mut [NodeProcess], heard: &Receiver<Message>) -> Result<Seen> {
    let addresses: Vec<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
    let transport = rpc_zmq::connect(&format!("zmq://{}", addresses.join(","))).await?;
    // this waits until all are there, so that nobody is waited for below
    let fleet = ComputeClient::new(transport.clone())
        .rpc()
        .negotiate()
        .await?;
    println!("All four servers together speak {fleet}.");
    println!(
        "Each cell is the version of a message; below is how it differs from the newest. An argument is left out if it is at \
         its default, or if it may be."
    );
    let mut seen = Seen::default();
    for row in &ROWS {
        table(row, &transport, nodes, heard, &mut seen).await?;
    }
    transport.close(Duration::from_secs(1)).await;
    Ok(seen)
}

async fn table(
    row: &Row,
    transport: &Transport,
    nodes: &mut [NodeProcess],
    heard: &Receiver<Message>,
    seen: &mut Seen,
) -> Result<()> {
    println!("\n{}", row.what);
    print!("  {:<15}", "cap");
    for node in &*nodes {
        print!("{:<15}", format!("{} {}", node.release, node.version));
    }
    println!();
    let mut notes = Notes::default();
    for cap in CAPS {
        let client = ComputeClient::new(transport.clone());
        let client = match cap {
            Some(cap) => client.prepare(|call| call.version_cap(cap)),
            None => client,
        };
        print!("  {:<15}", named(cap));
        for node in &mut *nodes {
            // a topic that is not there could still come, so it is waited for, but nobody will
            let in_vain = row.is_alt && cap == Some("gazpacho") && node.release != "gazpacho";
            let patience = if in_vain {
                Duration::from_millis(40)
            } else {
                PATIENCE
            };
            let client = client.prepare(|call| call.timeout(patience));
            let outcome = (row.send)(&Caller::new(&client, node.release)).await;
            print!(
                "{:<15}",
                match outcome {
                    Ok(()) => {
                        let message = heard.try_recv()?;
                        let ran = node.ran().await?;
                        assert!(
                            ran.starts_with(&message.method),
                            "it runs what was sent: {ran}"
                        );
                        seen.sent += 1;
                        let form = Form::of(&message)?;
                        seen.older += usize::from(form.is_older());
                        notes.sent(&form)
                    }
                    Err(error) if error.kind() == ErrorKind::Undeliverable => {
                        seen.absent += 1;
                        notes.absent()
                    }
                    Err(error) => {
                        assert!(heard.try_recv().is_err(), "nothing was sent");
                        seen.refused += 1;
                        notes.refused(error.message())
                    }
                }
            );
        }
        println!();
    }
    println!("{notes}");
    Ok(())
}

/// A release with its version: `rocky 5.0`.
fn named(cap: Option<&str>) -> String {
    let alias = compute_api::API
        .aliases()
        .iter()
        .find(|(name, _)| Some(*name) == cap);
    alias.map_or("none".into(), |(name, version)| format!("{name} {version}"))
}

/// How a message differs from the newest.
struct Form {
    version: Version,
    topic: String,
    left_out: Vec<&'static str>,
    otherwise: Vec<String>,
}

impl Form {
    fn of(message: &Message) -> Result<Self> {
        let methods = compute_api::API.methods();
        let method: &MethodInfo = methods
            .iter()
            .find(|method| method.name() == message.method)
            .ok_or("a method of the API")?;
        let version = Version::new(message.version.0, message.version.1);
        let mut form = Self {
            version,
            topic: message.topic.clone(),
            left_out: Vec::new(),
            otherwise: Vec::new(),
        };
        let is_sent = |name: &str| message.args.iter().any(|(sent, _)| sent == name);
        for arg in method.args() {
            let (name, then) = (arg.name(), arg.name_in(version));
            match (is_sent(then), arg.until()) {
                (true, Some(_)) => form.otherwise.push(format!("with {name}")),
                (true, None) => form.otherwise.extend(Self::changed(arg, version)),
                (false, Some(_)) => {}
                (false, None) => form.left_out.push(name),
            }
        }
        Ok(form)
    }

    fn changed(arg: &ArgInfo, version: Version) -> Vec<String> {
        let (name, then) = (arg.name(), arg.name_in(version));
        let renamed = (name != then).then(|| format!("{then} for {name}"));
        let retyped = (arg.type_in(version) != arg.type_name())
            .then(|| format!("{name} as a {}", arg.type_in(version)));
        renamed.into_iter().chain(retyped).collect()
    }

    fn is_older(&self) -> bool {
        !self.left_out.is_empty() || !self.otherwise.is_empty()
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.otherwise.clone();
        if !self.left_out.is_empty() {
            parts.push(format!("without {}", self.left_out.join(", ")));
        }
        if parts.is_empty() {
            parts.push("complete".into());
        }
        f.write_str(&parts.join("; "))
    }
}

/// What stands below a table: each form of the message, and each refusal, once.
#[derive(Default)]
struct Notes {
    forms: BTreeMap<(Version, String), String>,
    /// What is needed, with every limit that was in the way.
    refusals: BTreeMap<String, BTreeMap<&'static str, Vec<String>>>,
    is_absent: bool,
}

impl Notes {
    fn sent(&mut self, form: &Form) -> String {
        let alt = if form.topic == "compute" { "" } else { " alt" };
        let cell = format!("{}{alt}", form.version);
        self.forms
            .insert((form.version, cell.clone()), form.to_string());
        cell
    }

    fn refused(&mut self, why: &str) -> String {
        let limits = [
            "the client's cap is ",
            "the server announced ",
            "the server speaks Compute ",
        ];
        let (need, limit, version) = limits
            .into_iter()
            .find_map(|limit| {
                why.split_once(limit)
                    .map(|(need, version)| (need, limit, version))
            })
            .unwrap_or((why, "", ""));
        let need = need.trim_end_matches([' ', ',', ';']).to_owned();
        let versions = self
            .refusals
            .entry(need)
            .or_default()
            .entry(limit)
            .or_default();
        if !versions.iter().any(|known| known == version) {
            versions.push(version.to_owned());
        }
        "refused".into()
    }

    fn absent(&mut self) -> String {
        self.is_absent = true;
        "absent".into()
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for ((_, cell), form) in &self.forms {
            lines.push(format!("    {cell}: {form}"));
        }
        for (need, limits) in &self.refusals {
            let limits = limits
                .iter()
                .map(|(limit, versions)| format!("{limit}{}", versions.join(" or ")));
            let limits: Vec<String> = limits.collect();
            lines.push(format!("    refused: {need}; {}", limits.join("; ")));
        }
        if self.is_absent {
            lines.push("    absent: the cap says that all have the topic `compute-alt`, and this one has not".into());
        }
        f.write_str(&lines.join("\n"))
    }
}
