//! From a [`Module`] to tokens: `pub mod policies`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::model::{Listed, Marker, Module};
use crate::crate_path::CratePath;
use crate::declaration;

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
    let apart = apart(krate, listed);
    quote! {
        #(#warnings)*

        #[doc = #title]
        ///
        /// A handler names one with `#[session(policy = "…")]`; [`Registry::load`] starts them.
        #[allow(dead_code, unused_imports, unreachable_pub)]
        pub mod policies {
            #(#markers)*
            #(#aliases)*

            /// What this build knows of its policies.
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            pub enum Declared {}

            /// The registry of these policies: one engine a policy, and their stores.
            pub type Registry = #krate::Registry<Declared>;

            #declared
            #apart
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
    let summary = format!("The struct `{ident}`, which is a policy of its own.");
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
    (listed.len() > 1)
        .then(|| quote!(const _: () = #krate::__private::refuse_shared_namespaces(&[#(#states),*]);))
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
