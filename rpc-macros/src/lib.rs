//! The `#[rpc_api]` attribute of `rpc-core`, which re-exports it: a trait becomes a typed client and a dispatcher.
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
///   a multicall) that owns all it needs: the arguments are encoded at once. `ComputeClient::new` takes a transport,
///   `ComputeClient::local` an implementation; `prepare` gives a client with other options, `rpc` what every client has.
/// - `ComputeDispatcher`, the endpoint to give to a server: made from an implementation, or from an `Arc` of one.
/// - `compute_api`, a module with `API`, which tells of the API what is written here, docs included.
///
/// # The API
///
/// | key | |
/// |---|---|
/// | `version = "2.5"` | Major and minor. Must be there |
/// | `topic = "compute"` | Where its servers listen; the trait's name in snake case if left out |
/// | `namespace = "admin"` | Tells APIs on the same topic apart |
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
/// | `since = "2.1"` | The version that the method came with; the first of the major if left out |
/// | `timeout = "10m"` | How long it may take, in `ms`, `s`, `m` or `h`; the client's default if left out |
/// | `name = "wire_name"` | Its name on the wire; its own, without `r#`, if left out |
///
/// A method that is added to an API in use needs its `since`: the client then does not ask a server that is too old for
/// it. Without, such a server is asked, and answers `NoSuchMethod` at run time.
///
/// A method returns a `Result<T, E>`, or a plain value of the standard library, such as `u64`, `Option<T>` or `Vec<T>`, if
/// it cannot fail itself. Your own type goes into a `Result`: `Result<Own, Never>`, if there is no error.
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
/// An answer is owned: it holds no references.
#[proc_macro_attribute]
pub fn rpc_api(
    attr: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand_api(attr.into(), &item.into()).into()
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
