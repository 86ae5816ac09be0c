//! The versions as types: traits that say which part of the API a pinned client may use.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Visibility;

use super::{Names, docs};
use crate::model::{Api, Version};

/// The versions that mean something to a pin.
#[derive(Debug)]
pub(super) struct Markers {
    /// The first and the last version of each major, the older major first.
    majors: Vec<(Version, Version)>,
    /// At which something came.
    since: BTreeSet<Version>,
    /// At which something went.
    until: BTreeSet<Version>,
}

impl Markers {
    pub(super) fn new(api: &Api) -> Self {
        let major = |last: Version| (Version { minor: 0, ..last }, last);
        let majors: Vec<_> = api
            .also
            .into_iter()
            .chain([api.version])
            .map(major)
            .collect();
        let oldest = majors[0].0;
        let since = api.methods.iter().flat_map(|method| {
            let newer = method.args.iter().filter_map(|arg| arg.newer.as_ref());
            let setters = newer.filter(|newer| newer.setter).map(|newer| newer.since);
            setters.chain([method.since.version])
        });
        Self {
            // All that a client can be pinned to has what the oldest version has.
            since: since.filter(|since| *since > oldest).collect(),
            until: api
                .methods
                .iter()
                .filter_map(|method| method.until)
                .collect(),
            majors,
        }
    }

    /// `where V: compute_api::Since2_4`, if what came and went at these versions asks for it. The compiler shows the bound
    /// at the user's tokens that are given.
    pub(super) fn clause(
        &self,
        since: Version,
        until: Option<Version>,
        at: Span,
        names: &Names,
    ) -> Option<TokenStream> {
        let pin = &names.pin;
        let since = self.since.contains(&since).then(|| marker("Since", since));
        let until = until.map(|until| marker("Until", until));
        let mut bounds: Vec<Ident> = since.into_iter().chain(until).collect();
        let mut module = names.module.clone();
        for ident in bounds.iter_mut().chain([&mut module]) {
            ident.set_span(at);
        }
        (!bounds.is_empty()).then(|| quote!(where #pin: #(#module::#bounds)+*))
    }

    /// The newest version below this one.
    pub(super) fn before(&self, until: Version) -> Version {
        self.versions()
            .take_while(|version| *version < until)
            .last()
            .unwrap_or(self.majors[0].0)
    }

    fn versions(&self) -> impl Iterator<Item = Version> {
        self.majors.iter().flat_map(|(first, last)| {
            let major = first.major;
            (first.minor..=last.minor).map(move |minor| Version { major, minor })
        })
    }

    /// The traits, for the module of the API.
    pub(super) fn expand(&self, names: &Names, vis: &Visibility) -> TokenStream {
        let known = self.known(names, vis);
        let since = self
            .since
            .iter()
            .scan(None, |older: &mut Option<Ident>, version| {
                let name = marker("Since", *version);
                let chain = older.replace(name.clone());
                Some(self.since(*version, &name, chain.as_ref(), names, vis))
            });
        // What is older than this is older than all that went later.
        let until = self
            .until
            .iter()
            .rev()
            .scan(None, |newer: &mut Option<Ident>, version| {
                let name = marker("Until", *version);
                let chain = newer.replace(name.clone());
                Some(self.until(*version, &name, chain.as_ref(), names, vis))
            });
        quote!(#known #(#since)* #(#until)*)
    }

    fn known(&self, names: &Names, vis: &Visibility) -> TokenStream {
        let Names { title, private, .. } = names;
        let about = docs(&format!(
            "What a client can be pinned to: the versions of `{title}`."
        ));
        let majors = self.majors.iter().map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first} to {last}"),
        });
        let label = format!(
            "`{title}` has {}",
            majors.collect::<Vec<_>>().join(", and ")
        );
        let message = format!("`{title}` has no version `{{Self}}`");
        let name = format_ident!("Known");
        let impls = implement(&name, self.versions(), private);
        quote! {
            #about
            #[diagnostic::on_unimplemented(message = #message, label = #label)]
            #vis trait #name {}
            #(#impls)*
        }
    }

    fn since(
        &self,
        version: Version,
        name: &Ident,
        older: Option<&Ident>,
        names: &Names,
        vis: &Visibility,
    ) -> TokenStream {
        let Names { title, private, .. } = names;
        let Version { major, minor } = version;
        let about = docs(&format!(
            "What came with version {version} of `{title}` can be used: the client is pinned to that or a newer one, or not at all."
        ));
        let message = format!(
            "this part of `{title}` came with version {version}, but the client is `{{Self}}`"
        );
        let label = format!("needs `{title}` {version} or newer");
        let pin = format!(
            "call `.pin::<{major}, {minor}>()` on the client that is not pinned, or leave the pin out: then it is checked at run time"
        );
        let at_least = format!(
            "`.at_least::<{major}, {minor}>()` of that client asks at run time, once its cap is known (`negotiate`, `version_cap`)"
        );
        let chain = older.map(|older| quote!(: #older));
        let impls = implement(
            name,
            self.versions().filter(|pinned| *pinned >= version),
            private,
        );
        quote! {
            #about
            #[diagnostic::on_unimplemented(message = #message, label = #label, note = #pin, note = #at_least)]
            #vis trait #name #chain {}
            #[diagnostic::do_not_recommend]
            impl #name for #private::Dynamic {}
            #(#impls)*
        }
    }

    fn until(
        &self,
        version: Version,
        name: &Ident,
        newer: Option<&Ident>,
        names: &Names,
        vis: &Visibility,
    ) -> TokenStream {
        let Names { title, private, .. } = names;
        let last = self.before(version);
        let Version { major, minor } = last;
        let about = docs(&format!(
            "What went with version {version} of `{title}` can be used: the client is pinned to an older one, or not at all."
        ));
        let message = format!(
            "this part of `{title}` went with version {version}, but the client is `{{Self}}`"
        );
        let label = format!("needs `{title}` {last} or older");
        let note = format!(
            "lower the pin with `.pin::<{major}, {minor}>()`, or leave it out: then it is checked at run time"
        );
        let chain = newer.map(|newer| quote!(: #newer));
        let impls = implement(
            name,
            self.versions().filter(|pinned| *pinned < version),
            private,
        );
        quote! {
            #about
            #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
            #vis trait #name #chain {}
            #[diagnostic::do_not_recommend]
            impl #name for #private::Dynamic {}
            #(#impls)*
        }
    }
}

/// `Known` of an API with mistakes: any version may be one of its own.
pub(crate) fn any(names: &Names) -> TokenStream {
    let private = &names.private;
    let vis = super::api::inner_vis(&names.vis);
    quote! {
        /// This API has mistakes.
        #vis trait Known {}
        impl<const MAJOR: ::core::primitive::u16, const MINOR: ::core::primitive::u16> Known
            for #private::Pinned<MAJOR, MINOR> {}
    }
}

/// The compiler must not list these where a bound is not met: they say nothing to the user.
fn implement(
    name: &Ident,
    pins: impl Iterator<Item = Version>,
    private: &TokenStream,
) -> impl Iterator<Item = TokenStream> {
    pins.map(move |Version { major, minor }| {
        let (major, minor) = (
            Literal::u16_unsuffixed(major),
            Literal::u16_unsuffixed(minor),
        );
        quote! {
            #[diagnostic::do_not_recommend]
            impl #name for #private::Pinned<#major, #minor> {}
        }
    })
}

fn marker(word: &str, Version { major, minor }: Version) -> Ident {
    format_ident!("{word}{major}_{minor}")
}
