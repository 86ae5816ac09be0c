//! The API as data: what dispatch, metrics, introspection and the command line read.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Path, VisRestricted, Visibility, parse_quote};

use super::{Names, docs};
use crate::model::{Api, Arg, Kind, Method, Version};
use crate::{attrs, types};

pub(super) fn expand(api: &Api, names: &Names) -> TokenStream {
    let Api { name, topic, .. } = api;
    let private = &names.private;
    let Version { major, minor } = api.version;
    let namespace = api
        .namespace
        .as_ref()
        .map(|namespace| quote!(.with_namespace(#namespace)));
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
    let info = quote! {
        #private::ApiInfo::new(#name, #private::Version::new(#major, #minor))
            .with_topic(#topic)
            #namespace
            #text
            .with_methods(&[#(#methods,)*])
    };
    // Numbered by the compiler, after it has looked at each `cfg`, as the two tables are.
    let index = quote! {
        #[allow(dead_code, non_camel_case_types, clippy::enum_variant_names)]
        pub(super) enum Index {
            #(#variants,)*
        }
    };
    module(names, &info, &index)
}

/// The module that holds the data.
pub(crate) fn module(names: &Names, info: &TokenStream, index: &TokenStream) -> TokenStream {
    let Names {
        title,
        module,
        private,
        vis,
        ..
    } = names;
    let about = docs(&format!("What `{title}` is, as data."));
    let api = docs(&format!("Name, version and methods of `{title}`."));
    let inner = inner_vis(vis);
    quote! {
        #about
        #vis mod #module {
            #api
            #[allow(dead_code)]
            #inner static API: #private::ApiInfo = #info;

            #index
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
    };
    let Version { major, minor } = method.since.version;
    let args = method.args.iter().map(|Arg { wire_name, ty, .. }| {
        let ty = types::text(ty);
        quote!(#private::ArgInfo::new(#wire_name, #ty))
    });
    let args = (!method.args.is_empty()).then(|| quote!(.with_args(&[#(#args),*])));
    let timeout = method.timeout.as_ref().map(|timeout| {
        let (unit, amount) = match timeout.millis {
            millis if millis.is_multiple_of(1_000) => ("secs", millis / 1_000),
            millis => ("millis", millis),
        };
        let from = format_ident!("from_{unit}");
        quote!(.with_timeout(::core::time::Duration::#from(#amount)))
    });
    let text = attrs::docs(&method.attrs).map(|docs| quote!(.with_docs(#docs)));
    quote! {
        #private::MethodInfo::new(#name, #private::MethodKind::#kind, #private::Version::new(#major, #minor))
            #args
            #timeout
            #text
    }
}

/// The trait's visibility as it is said from inside the module, which is one level deeper.
fn inner_vis(vis: &Visibility) -> Visibility {
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
