//! The `#[rpc_api]` attribute of `rpc-core`, which re-exports it: a trait becomes a typed client and a dispatcher; and
//! `#[derive(RemoteError)]`, which gives an error the form in which it travels.
//!
//! The way of a trait through this crate: it is read into a model (`parse`), the model is judged (`check`), and
//! written out as code (`expand`). Errors are collected on the way (`ctxt`) and reported together, beside a
//! `fallback` that keeps them from causing others.

mod attrs;
mod check;
mod ctxt;
mod expand;
mod fallback;
mod model;
mod parse;
mod remote_error;
#[cfg(test)]
mod tests;
mod types;

use proc_macro2::TokenStream;

use ctxt::Ctxt;
use expand::Names;

/// Makes the client and the server side of the trait that it stands on.
///
/// ```text
/// /// Runs the guests of one compute node.
/// #[rpc_api(version = "2.5", topic = "compute")]
/// pub trait Compute {
///     /// Reboots a guest.
///     async fn reboot(&self, ctx: &Context, id: Uuid, kind: RebootKind) -> Result<(), ComputeError>;
///
///     /// Takes a snapshot and returns the image's id.
///     #[rpc(since = "2.1", timeout = "10m")]
///     async fn snapshot(
///         &self,
///         ctx: &Context,
///         id: Uuid,
///         /// Shuts the guest down first.
///         #[rpc(since = "2.3")] clean_shutdown: Option<bool>,
///     ) -> Result<Uuid, ComputeError>;
///
///     /// Writes into the guest's log.
///     #[rpc(cast, since = "2.1")]
///     async fn note(&self, ctx: &Context, id: Uuid, text: &str);
///
///     /// Forgets cached images, on every node.
///     #[rpc(cast, fanout, since = "2.4", timeout = "10s")]
///     async fn drop_caches(&self, ctx: &Context);
///
///     /// Lists the guests, one by one.
///     #[rpc(multicall, since = "2.5")]
///     fn guests(&self, ctx: &Context) -> impl Stream<Item = Result<Guest, ComputeError>> + Send;
/// }
/// ```
///
/// The trait stays as it is written, and is implemented with `async fn`s. Beside it, as visible as it is, there are
///
/// - `ComputeClient`, with a method for each of the trait's: same name, same arguments. It returns a future (a stream for
///   a multicall or gather) that owns all it needs: the arguments are encoded at once. `ComputeClient::new` takes a transport,
///   `ComputeClient::local` an implementation; `prepare` gives a client with other options, `rpc` what every client has;
///   `pin` gives one on which nothing newer than a version compiles, `at_least` the same if the version cap allows it.
///   An argument that is newer than its method is set on the future: `client.snapshot(&ctx, id).clean_shutdown(true)`.
/// - `ComputeDispatcher`, the endpoint to give to a server: made from an implementation, or from an `Arc` of one.
/// - `ComputeSnapshotCall`, the future of a call that has newer arguments; of other kinds, such as `ComputeNoteCast`,
///   `ComputeDropCachesFanout` and, a stream, `ComputeGuestsMulticall`.
/// - `compute_api`, a module with `API`, which tells of the API what is written here, docs included; and with traits that
///   stand for its versions, for code that is generic over pinned clients.
///
/// # The API
///
/// | key | |
/// |---|---|
/// | `version = "2.5"` | Major and minor. Must be there |
/// | `also = "1.9"` | The last version of an older major that is still spoken: the servers answer its clients, the client can talk to its servers |
/// | `aliases(bobcat = "2.5")` | Names of releases, which stand for a version wherever one is configured |
/// | `topic = "compute"` | Where its servers listen; the trait's name in snake case if left out |
/// | `namespace = "admin"` | Tells APIs on the same topic apart |
/// | `legacy_namespaces("base", none)` | Where it was before, and is served too; `none` is having no namespace. Clients use its own |
/// | `crate = "facade::rpc"` | Where `rpc_core` is found, if not as `::rpc_core`: a path that starts with a crate's name or with `crate` |
///
/// # Methods
///
/// The first argument after `&self` is the context, a reference; it does not travel as an argument. What is said about a
/// method stands in `#[rpc(..)]`:
///
/// | word | |
/// |---|---|
/// | `call` | One reply. The kind of a method that has no other |
/// | `cast` | No reply, so the method returns nothing |
/// | `cast, fanout` | The same, on every server |
/// | `multicall` | A stream of replies: not `async`, and returns `impl Stream<Item = T> + Send` |
/// | `gather` | One reply from every server: written as a call is. The client's method returns a stream of their answers |
/// | `since = "2.1"` | The version that the method came with; the first that the API speaks if left out |
/// | `until = "2.0"` | The version from which on there is no such method. Only with `also`, for clients and servers of the older major |
/// | `timeout = "10m"` | How long it may take, in `ms`, `s`, `m` or `h`; the client's default if left out |
/// | `monitor = "60s"` | Of a call: how long a client waits without a heartbeat of the server, within the timeout; it waits without heartbeats if left out |
/// | `during_drain` | A server that is stopping still takes it in |
/// | `no_cancel` | Of a call: once it runs, it runs to its end, although its caller is gone |
/// | `blocking` | It may block its thread: it runs on the runtime's threads for that |
/// | `name = "wire_name"` | Its name on the wire; its own, without `r#`, if left out |
/// | `removed(force: bool = false, until = "2.4")` | An argument that is gone: messages below `until` hold it, from `since` on if that is given too. After the `=` stands what servers get that still expect it |
/// | `returned(type = Old, until = "2.4")` | The type of the answer below `until`, of the `T` if it is a `Result<T, E>`. With `one_way`, the client cannot read it, and needs a server of that version |
/// | `routing(host: &str)` | Parameters of the client's method that are not sent |
/// | `server = host` | Which server a message goes to, unless the client is prepared for one: a `&str` or a `String`, or an `Option` of one |
///
/// `removed` and `returned` can be there several times. The values of `removed` and `server` are expressions, in which the
/// parameters of the client's method can be used: borrowed where they are passed by value.
///
/// A method that is added to an API in use needs its `since`: the client then does not ask a server that is too old for
/// it. Without, such a server is asked, and answers `NoSuchMethod` at run time.
///
/// Only the answer of a call or gather can have older types. Where the item of a multicall changes, it is a new method. Of what was
/// `removed`, old servers get the value that is written; new ones ignore what old clients send for it.
///
/// A method returns a `Result<T, E>`, or a plain value of the standard library, such as `u64`, `Option<T>` or `Vec<T>`, if
/// it cannot fail itself. Your own type goes into a `Result`: `Result<Own, Never>`, if there is no error.
///
/// An `E` has no versions. A variant that it gets later is `DecodeReply` for old clients, unless it is a
/// [`RemoteError`](derive@RemoteError) with a variant for unknown classes from the start.
///
/// `new`, `local`, `prepare`, `pin`, `at_least`, `rpc` and `clone` are methods of every client, so no method can have these
/// names; with `name` it can have them on the wire.
///
/// Docs, `cfg`, `deprecated`, `must_use` and lint levels of a method hold for the client's method too, also behind a
/// `cfg_attr`. Supertraits and default bodies are fine; generics, associated items and `where` clauses are not.
///
/// # Arguments
///
/// Any type that serde can write and read, under any name: that is its name on the wire. Arguments may be borrowed. `&str`
/// and `&[u8]` are handed to the method as they lie in the request, uncopied, and so is what is inside an `Option<&str>`; of
/// another `&T` or `&[T]` the server decodes a value of its own and lends it. Only `&str` and
/// `&[u8]` can be borrowed inside an `Option`, or inside any other type: there, `Own` is written without a `&`. A type with
/// a lifetime shows it: `Cow<'_, str>`.
///
/// `Option<Option<T>>` is refused: on the wire, `None` and `Some(None)` are the same. An enum can name all three cases.
///
/// What is said about an argument stands in an `#[rpc(..)]` before it:
///
/// | word | |
/// |---|---|
/// | `since = "2.3"` | The version that it came with, if it is newer than its method. Older messages mean its default, which an `Option` has: `None` |
/// | `default` | That default is the one of its type |
/// | `default = 5` | That default is what this expression gives: any that does without the parameters. It is evaluated once |
/// | `lossy` | A server that is too old for it does not get it, whatever its value. Without this word, a value that is not the default needs a server of that version |
/// | `positional` | It is a parameter of the client's method, that no caller can forget. Otherwise it is set on what the method returns, if it is newer than the first version of the API's own major |
/// | `name = "wire_name"` | Its name on the wire |
/// | `was(name = "old", until = "2.3")` | Its name below `until` |
/// | `was(type = Old, until = "2.3")` | Its type below `until`. There may be several of both |
/// | `values(None = "2.2", Mode::Fast = "2.3")` | Values that came later than the argument: a server that is too old for one does not get it. Any pattern without variables will do: `Mode::Other(_)`, `3..=9`, `A \| B` |
///
/// Docs before a newer argument are those of its setter.
///
/// Between an older type and the one that is written, the standard conversions lead. The old type or the new one must be
/// your own, so that you can write them: wrap a number, say, in a newtype. Where both are an `Option` or a `Vec` (or slice), what is inside is converted. What a conversion that fails becomes:
///
/// | | made by | if it fails |
/// |---|---|---|
/// | the client makes the old argument | `Old: TryFrom<&T>` | `VersionCap`, with the reason |
/// | the server reads the old argument | `T: TryFrom<Old>` | `DecodeArguments` |
/// | the server makes the old answer | `Old: TryFrom<&T>` | `Remote` |
/// | the client reads the old answer | `T: TryFrom<Old>` | `DecodeReply` |
///
/// An answer is owned: it holds no references.
#[proc_macro_attribute]
pub fn rpc_api(
    attr: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand_api(attr.into(), &item.into()).into()
}

/// Gives an error the form in which it travels: the name of its variant, its message, and its data beside.
///
/// ```text
/// #[derive(Debug, thiserror::Error, RemoteError)]
/// pub enum ComputeError {
///     #[error("there is no guest {id}")]
///     NoSuchGuest { id: u64 },
///     #[error("the host is full")]
///     #[rpc(class = "NoValidHost")]
///     Full,
///     /// What newer servers know, and this side does not.
///     #[error("{message}")]
///     #[rpc(other)]
///     Other { class: String, message: String },
/// }
/// ```
///
/// It writes serde's `Serialize` and `Deserialize`. The error needs a `Display`, which makes the message; what implements it is
/// of no interest. An enum's variants and a struct may hold named fields, unnamed ones or none; all are owned, and there are no
/// generics. On the wire, `NoSuchGuest` is
///
/// ```text
/// {"class": "NoSuchGuest", "message": "there is no guest 7", "data": {"id": 7}}
/// ```
///
/// | word | |
/// |---|---|
/// | `class = "NoValidHost"` | On a variant, or a struct: its name on the wire; its own if left out |
/// | `other` | On a variant `{ class: String, message: String }`: it takes what has a class that this side does not know, and is sent on under that class and message, without the data |
/// | `crate = "facade::rpc"` | On the enum or struct: where `rpc_core` is found, if not as `::rpc_core` |
///
/// Without `other`, an unknown class is an error when it is decoded (`DecodeReply` for a call) that names it. Fields are
/// written and read as serde does, so `#[serde(default)]`, `#[serde(rename = "..")]`, `#[serde(with = "..")]` work on them. A
/// field that a variant gets later needs `#[serde(default)]`; one that is not known is ignored.
#[proc_macro_derive(RemoteError, attributes(rpc, serde))]
pub fn remote_error(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    remote_error::expand(input.into()).into()
}

/// The attribute on tokens that work outside of a compiler too.
fn expand_api(attr: TokenStream, tokens: &TokenStream) -> TokenStream {
    let item = match parse::item(tokens.clone()) {
        Ok(item) => item,
        // Whatever it is, it is still there for those who use it.
        Err(error) => {
            let error = error.to_compile_error();
            return quote::quote!(#error #tokens);
        }
    };
    let ctxt = Ctxt::new();
    let header = parse::header(attr, &ctxt);
    let api = parse::api(&header, &item, &ctxt);
    check::api(&api, &ctxt);

    let names = Names::new(&item, &header.krate);
    match ctxt.check() {
        Ok(()) => expand::expand(&api, &item, &names),
        Err(errors) => {
            let errors = errors.to_compile_error();
            let fallback = fallback::expand(&api, &item, &names);
            quote::quote!(#errors #fallback)
        }
    }
}
