//! The API as data: what dispatch, metrics, introspection and the command line read.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Path, VisRestricted, Visibility, parse_quote};

use super::markers::Markers;
use super::{Names, about, at, dispatcher, docs, moved, version};
use crate::model::{
    Api, Arg, DefaultValue, Form, Kind, Method, Newer, Removed, Returned, Running, Timeout, Version,
};
use crate::{attrs, types};

pub(super) fn expand(api: &Api, markers: &Markers, names: &Names) -> TokenStream {
    let Names {
        module, private, ..
    } = names;
    let Api { name, topic, .. } = api;
    let newest = version(api.version, private);
    let also = api.also.map(|also| version(also, private));
    let also = also.map(|also| quote!(.with_also(#also)));
    let aliases = api.aliases.iter().map(|(alias, meant)| {
        let meant = version(*meant, private);
        quote!((#alias, #meant))
    });
    let aliases = list("with_aliases", aliases);
    let namespace = api
        .namespace
        .as_ref()
        .map(|namespace| quote!(.with_namespace(#namespace)));
    let legacy = api
        .legacy_namespaces
        .iter()
        .map(|namespace| match namespace {
            Some(name) => quote!(::core::option::Option::Some(#name)),
            None => quote!(::core::option::Option::None),
        });
    let legacy = list("with_legacy_namespaces", legacy);
    let text = api.docs.as_ref().map(|docs| quote!(.with_docs(#docs)));
    let methods = api.methods.iter().map(|item| {
        let cfgs = attrs::cfgs(&item.attrs);
        let method = method(item, private);
        quote!(#(#cfgs)* #method)
    });
    let variants = api.methods.iter().map(|Method { ident, attrs, .. }| {
        let cfgs = attrs::cfgs(attrs);
        quote!(#(#cfgs)* #ident)
    });
    let markers = markers.expand(names, &inner_vis(&names.vis));
    // Numbered by the compiler, after it has looked at each `cfg`, as the two tables are.
    let content = quote! {
        pub(super) struct Info;

        #[allow(dead_code, non_camel_case_types, clippy::enum_variant_names)]
        pub(super) enum Index {
            #(#variants,)*
        }

        #markers
    };
    let data = self::module(names, &quote!(Info::API), &content);
    quote! {
        #data

        // Beside the module, not in it: here, the user's types and expressions mean what they mean to him.
        #[allow(deprecated, clippy::large_stack_arrays)]
        impl #module::Info {
            const API: #private::ApiInfo = #private::ApiInfo::new(#name, #newest)
                #also
                #aliases
                .with_topic(#topic)
                #namespace
                #legacy
                #text
                .with_methods(&[#(#methods,)*]);
        }
    }
}

/// The module that holds the data.
pub(crate) fn module(names: &Names, info: &TokenStream, content: &TokenStream) -> TokenStream {
    let Names {
        title,
        module,
        private,
        vis,
        ..
    } = names;
    let about = docs(&format!(
        "What `{title}` is, as data, and its versions, as what a client can be pinned to."
    ));
    let api = docs(&format!("Name, version and methods of `{title}`."));
    let inner = inner_vis(vis);
    quote! {
        #about
        #vis mod #module {
            #api
            #[allow(dead_code)]
            #inner static API: #private::ApiInfo = #info;

            #content
        }
    }
}

fn method(method: &Method, private: &TokenStream) -> TokenStream {
    let name = &method.wire_name.value;
    let kind = match method.kind {
        Kind::Call => quote!(Call),
        Kind::Cast => quote!(Cast),
        Kind::Fanout => quote!(Fanout),
        Kind::Multicall => quote!(Multicall),
        Kind::Gather => quote!(Gather),
    };
    let since = version(method.since.version, private);
    let until = method.until.map(|until| version(until, private));
    let until = until.map(|until| quote!(.with_until(#until)));
    let args = method.args.iter().map(|item| arg(item, private));
    let args = args.chain(method.removed.iter().map(|item| removed(item, private)));
    let args = list("with_args", args);
    let answer = types::text(&method.answer);
    let answers = method
        .returned
        .iter()
        .map(|Returned { until, ty, one_way }| {
            let (until, text) = (version(*until, private), types::text(ty));
            let one_way = one_way.then(|| quote!(.one_way()));
            quote!(#private::OldAnswer::new(#until, #text) #one_way)
        });
    let answers = list("with_answers", answers);
    let timeout = method.timeout.as_ref().map(duration);
    let timeout = timeout.map(|timeout| quote!(.with_timeout(#timeout)));
    let running = running(&method.running);
    let text = attrs::docs(&method.attrs).map(|docs| quote!(.with_docs(#docs)));
    quote! {
        #private::MethodInfo::new(#name, #private::MethodKind::#kind, #since)
            #until
            #args
            .with_answer(#answer)
            #answers
            #timeout
            #running
            #text
    }
}

/// What is said of how it runs.
fn running(running: &Running) -> TokenStream {
    let monitor = running.monitor.as_ref().map(duration);
    let monitor = monitor.map(|monitor| quote!(.with_monitor(#monitor)));
    let during_drain = running.during_drain.then(|| quote!(.with_during_drain()));
    let no_cancel = running.no_cancel.then(|| quote!(.with_no_cancel()));
    let blocking = running.blocking.then(|| quote!(.with_blocking()));
    quote!(#monitor #during_drain #no_cancel #blocking)
}

fn duration(duration: &Timeout) -> TokenStream {
    let (unit, amount) = match duration.millis {
        millis if millis.is_multiple_of(1_000) => ("secs", millis / 1_000),
        millis => ("millis", millis),
    };
    let from = format_ident!("from_{unit}");
    quote!(::core::time::Duration::#from(#amount))
}

fn arg(arg: &Arg, private: &TokenStream) -> TokenStream {
    let (name, ty) = (&arg.wire_name, types::text(&arg.ty));
    let newer = arg.newer.as_ref().map(|newer| {
        let Newer { since, lossy, .. } = newer;
        let since = version(*since, private);
        let default = default(arg, &newer.default, private);
        let lossy = lossy.then(|| quote!(.with_lossy()));
        quote!(.with_since(#since).with_default(#default) #lossy)
    });
    let names = arg
        .names
        .iter()
        .map(|(until, name)| dated(*until, name, private));
    let types = arg
        .types
        .iter()
        .map(|(until, ty)| dated(*until, &types::text(ty), private));
    let values = arg
        .values
        .iter()
        .map(|(since, pattern)| dated(*since, &about::cases(pattern).join(" | "), private));
    let histories = [
        list("with_names", names),
        list("with_types", types),
        list("with_values", values),
    ];
    quote!(#private::ArgInfo::new(#name, #ty) #newer #(#histories)*)
}

fn removed(removed: &Removed, private: &TokenStream) -> TokenStream {
    let (name, ty) = (&removed.wire_name, types::text(&removed.ty));
    let since = removed.since.map(|since| version(since, private));
    let since = since.map(|since| quote!(.with_since(#since)));
    let until = version(removed.until, private);
    quote!(#private::ArgInfo::new(#name, #ty) #since .with_until(#until))
}

/// `(Version::new(6, 0), "instance_type")`
fn dated(at: Version, text: &str, private: &TokenStream) -> TokenStream {
    let at = version(at, private);
    quote!((#at, #text))
}

/// `.with_args(&[..])`, if there is anything in the list.
fn list(with: &str, items: impl Iterator<Item = TokenStream>) -> Option<TokenStream> {
    let mut items = items.peekable();
    items.peek()?;
    let with = format_ident!("{with}");
    Some(quote!(.#with(&[#(#items),*])))
}

/// A function that gives an argument's default, encoded. It captures nothing, so that it can stand in a constant.
fn default(arg: &Arg, default: &DefaultValue, private: &TokenStream) -> TokenStream {
    let at = at(&arg.ty);
    let near = moved(private, at);
    let owned = dispatcher::owned(arg, &near);
    let value = match (default, &arg.form) {
        (DefaultValue::None, _) => return quote!(|| #private::none()),
        (DefaultValue::OfType, _) => {
            quote_spanned!(at=> <#owned as ::core::default::Default>::default())
        }
        // What is lent to the method can be written as it is lent, or as what owns it.
        (DefaultValue::Expr(expr), Form::Str | Form::Slice(_)) => {
            let at = super::at(expr);
            quote_spanned!(at=> <#owned as ::core::convert::From<_>>::from(#expr))
        }
        (DefaultValue::Expr(expr), _) => expr.to_token_stream(),
    };
    // Only where it is used, so that its name means something else in the user's expression.
    let bytes = quote! {{
        static DEFAULT: #private::DefaultBytes = #private::DefaultBytes::new();
        &DEFAULT
    }};
    match arg.form {
        Form::Bytes => quote_spanned!(at=> || #near::DefaultBytes::get_bytes(#bytes, || #value)),
        _ => quote_spanned!(at=> || #near::DefaultBytes::get::<#owned>(#bytes, || #value)),
    }
}

/// The trait's visibility as it is said from inside the module, which is one level deeper.
pub(super) fn inner_vis(vis: &Visibility) -> Visibility {
    let Visibility::Restricted(VisRestricted { path, .. }) = vis else {
        return match vis {
            Visibility::Inherited => parse_quote!(pub(super)),
            public => public.clone(),
        };
    };
    let deeper = |path: &Path| -> Visibility { parse_quote!(pub(in super::#path)) };
    match path.segments.first() {
        Some(first) if first.ident == "self" => parse_quote!(pub(super)),
        Some(first) if first.ident == "super" => deeper(path),
        _ => vis.clone(),
    }
}
