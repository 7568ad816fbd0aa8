//! From a [`Module`] to tokens: `pub mod policies`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;

use super::model::{Listed, Marker, Module, Respelt};
use crate::crate_path::CratePath;
use crate::{declaration, names};

/// The module, and what the build knows.
pub(crate) fn expand(module: &Module) -> TokenStream {
    let Module { crate_path: krate, file, listed, markers, warnings, .. } = module;
    let markers = markers.iter().map(|policy| marker(krate, policy));
    let aliases = listed.iter().map(|listed| alias(krate, listed));
    let title = match file {
        Some(file) => format!("The policies of `{}` and of this program, each as a type.", file.name),
        None => "The policies of this program, each as a type.".to_owned(),
    };
    let declared = declared(module);
    let found = found(module);
    let respelt = module.respelt.iter().map(|Respelt { listed, ident }| {
        quote! {
            #[doc(hidden)]
            pub type #ident = #listed;
        }
    });
    quote! {
        #(#warnings)*

        #[doc = #title]
        ///
        /// A handler names one with `#[session(policy = "…")]`; `policies::Registry::load` starts them. A struct with
        /// `#[session_policy]` is found here once the call of `policies!` lists it.
        #[allow(dead_code, unused_imports, unreachable_pub, rustdoc::private_intra_doc_links)]
        pub mod policies {
            #(#markers)*
            #(#aliases)*
            #(#respelt)*

            /// What this build knows of its policies.
            #[doc(hidden)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            pub enum Declared {}

            /// The registry of these policies: one engine a policy, and their stores.
            pub type Registry = #krate::Registry<Declared>;

            #declared
            #found
        }
    }
}

/// The type that stands for one policy. Its documentation is what hovering shows.
fn marker(krate: &CratePath, marker: &Marker) -> TokenStream {
    let Marker { name, ident, docs, summary, declared } = marker;
    let gap = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
    let declaration = declared.as_ref().map(|inline| {
        let declaration = declaration::constant(krate, name, inline.name.span(), &inline.settings);
        quote! {
            const DECLARATION: ::core::option::Option<#krate::__private::Declaration> =
                ::core::option::Option::Some(#declaration);
        }
    });
    quote! {
        #(#docs)*
        #gap
        #[doc = #summary]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        pub enum #ident {}

        impl #krate::Policy for #ident {
            const NAME: &'static str = #name;
            type Data = ();
            #declaration
        }

        impl #krate::Registered for #ident {
            type Declared = Declared;
        }
    }
}

/// A struct under its name in the module. An alias, as a private struct couldn't be exported again.
fn alias(krate: &CratePath, listed: &Listed) -> TokenStream {
    let Listed { path, ident } = listed;
    let path = from_inside(path);
    let target = path.to_string().replace(' ', "");
    let own = listed.own();
    let summary = format!(
        "The struct [`{own}`](struct@{target}), which is a policy of its own: its settings stand there."
    );
    quote! {
        #[doc = #summary]
        pub type #ident = #path;

        impl #krate::Registered for #ident {
            type Declared = Declared;
        }
    }
}

/// A path as it reads one module further in.
fn from_inside(path: &syn::Path) -> TokenStream {
    let first = path.segments.first().map(|first| first.ident.to_string());
    match first.as_deref() {
        Some("crate") => quote!(#path),
        _ if path.leading_colon.is_some() => quote!(#path),
        Some("self") => {
            let rest = path.segments.iter().skip(1);
            quote!(super::#(#rest)::*)
        }
        _ => quote!(super::#path),
    }
}

/// Lets the compiler refuse two structs whose fields would be one another's: their names only it knows.
fn apart(krate: &CratePath, listed: &[Listed]) -> Option<TokenStream> {
    let states = listed.iter().map(|Listed { ident, .. }| {
        let text = format!(
            "`{ident}` keeps its fields under a namespace that another struct of its policy has: give it one of its own, \
             `#[session_policy(…, namespace = \"…\")]`"
        );
        quote!((<#ident as #krate::Policy>::NAME, <#ident as #krate::Policy>::NAMESPACE, #text))
    });
    (listed.len() > 1).then(|| quote!(#krate::__private::refuse_shared_namespaces(&[#(#states),*]);))
}

/// Lets the compiler refuse a struct that a handler wouldn't find by its policy's name, or whose policy is declared twice.
fn found(module: &Module) -> Option<TokenStream> {
    let Module { crate_path: krate, listed, markers, names, .. } = module;
    let inline: Vec<TokenStream> = markers
        .iter()
        .filter(|marker| marker.declared.is_some())
        .map(|marker| {
            let name = &marker.name;
            quote!(#krate::__private::inline(#name))
        })
        .collect();
    let structs = listed.iter().map(|listed| {
        let (ident, own) = (&listed.ident, listed.own().to_string());
        let found_as = names::of_type(&ident.unraw().to_string());
        let is_taken = names.contains(&found_as);
        quote! {{
            const DECLARATION: &::core::option::Option<#krate::__private::Declaration> =
                &<#ident as #krate::Policy>::DECLARATION;
            #krate::__private::listed(<#ident as #krate::Policy>::NAME, DECLARATION, #own, #found_as, #is_taken)
        }}
    });
    let checks = listed.iter().enumerate().map(|(position, listed)| {
        let index = inline.len() + position;
        let span = listed.own().span();
        let krate = krate.at(span);
        quote_spanned!(span=> #krate::__private::refuse_name(ALL, #index);)
    });
    let apart = apart(krate, listed);
    (!listed.is_empty()).then(|| {
        quote! {
            const _: () = {
                const ALL: &[#krate::__private::Named] = &[#(#inline,)* #(#structs),*];
                #(#checks)*
                #apart
            };
        }
    })
}

/// What the build knows: the embedded file, the names, and the declarations in Rust.
fn declared(module: &Module) -> TokenStream {
    let Module { crate_path: krate, file, listed, markers, names, .. } = module;
    let none = || quote!(::core::option::Option::None);
    let file = file.as_ref().map_or_else(none, |file| {
        let (name, path) = (&file.name, &file.path);
        quote! {
            ::core::option::Option::Some(#krate::__private::EmbeddedFile {
                name: #name,
                text: ::core::include_str!(#path),
            })
        }
    });
    let structs: Vec<&Ident> = listed.iter().map(|listed| &listed.ident).collect();
    let inline = markers.iter().filter(|marker| marker.declared.is_some()).map(|marker| &marker.ident);
    let declared: Vec<&Ident> = inline.chain(structs.iter().copied()).collect();
    let count = declared.len();
    quote! {
        impl #krate::Declared for Declared {
            const FILE: ::core::option::Option<#krate::__private::EmbeddedFile> = #file;
            const NAMES: &'static [&'static str] = &[#(#names,)* #(<#structs as #krate::Policy>::NAME,)*];

            fn declarations() -> ::std::vec::Vec<#krate::__private::Declaration> {
                let declarations: [::core::option::Option<#krate::__private::Declaration>; #count] =
                    [#(<#declared as #krate::Policy>::DECLARATION,)*];
                ::core::iter::Iterator::collect(::core::iter::Iterator::flatten(
                    ::core::iter::IntoIterator::into_iter(declarations),
                ))
            }
        }
    }
}
