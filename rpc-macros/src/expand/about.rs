//! The docs of the client's methods: what the user has written, and what follows from the attributes.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Pat, Type};

use super::markers::Markers;
use super::{Names, docs, setters};
use crate::model::{Arg, Kind, Method, Newer, Version};
use crate::{attrs, types};

/// What stands on a client's method after the user's docs, or instead of them: how it travels, and what is special about it.
pub(super) fn method(method: &Method, markers: &Markers, names: &Names) -> TokenStream {
    let Names { title, .. } = names;
    let name = &method.wire_name.value;
    let sentence = match method.kind {
        Kind::Call => format!("Runs `{name}` on a server, and gets its answer."),
        Kind::Cast => format!("Has a server run `{name}`, with no reply."),
        Kind::Fanout => format!("Has every server run `{name}`, with no reply."),
        Kind::Multicall => format!("Runs `{name}` on a server, which answers item by item."),
        Kind::Gather => format!("Runs `{name}` on every server, and gets their answers."),
    };
    let (since, kind) = (method.since.version, method.kind.word());
    let last = method.until.map(|until| markers.before(until));
    let last = last.map(|last| match last == since {
        true => " only".to_owned(),
        false => format!(" to {last}"),
    });
    let timeout = method
        .timeout
        .as_ref()
        .map(|timeout| format!(" · timeout {}", timeout.text));
    let monitor = method.running.monitor.as_ref();
    let monitor = monitor.map(|monitor| format!(" · monitor {}", monitor.text));
    let line = format!(
        "\n*`{title}` {since}{} · {kind}{}{}*",
        last.unwrap_or_default(),
        timeout.unwrap_or_default(),
        monitor.unwrap_or_default()
    );

    let mut text = match attrs::has_docs(&method.attrs) {
        true => line,
        false => format!("{sentence}\n{line}"),
    };
    let special: Vec<String> = special(method).collect();
    if !special.is_empty() {
        text.push_str("\n\n");
        text.push_str(&special.join("\n"));
    }
    let set: Vec<String> = setters::set(method)
        .map(|(_, arg, newer)| listed(method, arg, newer, names))
        .collect();
    if !set.is_empty() {
        text.push_str("\n\nNewer arguments are set on what it returns:\n\n");
        text.push_str(&set.join("\n"));
    }
    docs(&text)
}

/// What a caller should know, a sentence each.
fn special(method: &Method) -> impl Iterator<Item = String> {
    let newer = method.args.iter().filter_map(|arg| {
        let name = arg.ident.unraw();
        match arg.newer.as_ref()? {
            Newer { setter: true, .. } => None,
            Newer { since, lossy: true, .. } => Some(format!("`{name}` came with {since}: it is left out for servers that are older.")),
            Newer { since, .. } => Some(format!(
                "`{name}` came with {since}: servers that are older can be asked only with the value that they assume."
            )),
        }
    });
    let positional = method
        .args
        .iter()
        .filter(|arg| arg.newer.as_ref().is_none_or(|newer| !newer.setter));
    let values = positional.flat_map(|arg| {
        let came = |(since, value): &(Version, Pat)| {
            format!(
                "{} as `{}` came with {since}.",
                patterns(value),
                arg.ident.unraw()
            )
        };
        arg.values.iter().map(came)
    });
    let answer = method
        .returned
        .iter()
        .rfind(|older| older.one_way)
        .map(|older| {
            format!(
                "Servers older than {} give another answer, so they are not asked.",
                older.until
            )
        });
    let unsent = method
        .routing
        .iter()
        .map(|parameter| format!("`{}`", parameter.ident.unraw()));
    let unsent: Vec<String> = unsent.collect();
    let unsent = (!unsent.is_empty()).then(|| format!("Not sent: {}.", unsent.join(", ")));
    let server = method.server.as_ref().map(|_| {
        "It goes to the server that its arguments name, unless the client is prepared for one."
            .to_owned()
    });
    let drain = "A server that is stopping still runs it.";
    let drain = method.running.during_drain.then(|| drain.to_owned());
    let no_cancel = "Once it runs, it runs to its end, whether somebody waits or not.";
    let no_cancel = method.running.no_cancel.then(|| no_cancel.to_owned());
    newer
        .chain(values)
        .chain(answer)
        .chain(unsent)
        .chain(server)
        .chain(drain)
        .chain(no_cancel)
}

/// The line of a setter in the list on its method.
fn listed(method: &Method, arg: &Arg, newer: &Newer, names: &Names) -> String {
    let setter = arg.ident.unraw();
    let Newer { since, lossy, .. } = newer;
    let name = match arg.ident == setter {
        true => format!("[`{setter}`]({}::{setter})", names.setters(method)),
        // A keyword is nothing that docs could link to.
        false => format!("`{setter}`"),
    };
    let lossy = lossy.then_some(", left out for servers that are older");
    format!("- {name}: {since}{}", lossy.unwrap_or_default())
}

/// The docs of what a method with setters returns.
pub(super) fn returned(method: &Method, names: &Names) -> TokenStream {
    let client = &names.client;
    let name = method.ident.unraw();
    let link = match method.ident == name {
        true => format!("[`{client}::{name}`]"),
        false => format!("`{client}::{name}`"),
    };
    docs(&format!(
        "What {link} returns: sends the message, with the newer arguments that are set on it."
    ))
}

/// The docs of a setter: the argument's own, and when it came.
pub(super) fn setter(arg: &Arg, newer: &Newer, names: &Names) -> TokenStream {
    let own = arg
        .docs
        .clone()
        .unwrap_or_else(|| format!("Sets `{}`.", arg.ident.unraw()));
    let Newer { since, lossy, .. } = newer;
    let lossy = lossy.then_some(" · left out for servers that are older");
    let mut text = format!(
        "{own}\n\n*`{}` {since}{}*",
        names.title,
        lossy.unwrap_or_default()
    );
    if !arg.values.is_empty() {
        let came =
            |(since, value): &(Version, Pat)| format!("{} came with {since}.", patterns(value));
        let came: Vec<String> = arg.values.iter().map(came).collect();
        text.push_str("\n\n");
        text.push_str(&came.join("\n"));
    }
    docs(&text)
}

/// `` `Mode::Fast` or `Mode::Slow` ``
fn patterns(pattern: &Pat) -> String {
    let cases = cases(pattern).into_iter().map(|case| format!("`{case}`"));
    cases.collect::<Vec<_>>().join(" or ")
}

/// The text of each case of a pattern.
pub(super) fn cases(pattern: &Pat) -> Vec<String> {
    match pattern {
        Pat::Or(any) => any.cases.iter().flat_map(cases).collect(),
        Pat::Paren(inner) => cases(&inner.pat),
        // Written as a type is.
        other => vec![types::text(&Type::Verbatim(other.to_token_stream())).replace('|', " | ")],
    }
}
