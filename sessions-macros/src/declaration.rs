//! A declared policy as a constant in generated code. One form for `policies!` and `#[session_policy]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::crate_path::CratePath;
use crate::place;
use crate::settings::{Setting, Value};

/// An expression for the declaration of the policy `name`, in a constant's place.
pub(crate) fn constant(krate: &CratePath, name: &str, span: Span, settings: &[Setting]) -> TokenStream {
    let entries = settings.iter().map(|setting| {
        let (key, value, place) = (
            &setting.key,
            literal(krate, &setting.value),
            location(krate, place::first(&setting.value_tokens)),
        );
        quote!(#krate::__private::Entry::new(#key, #value, #place))
    });
    let place = location(krate, span);
    quote! {{
        const ENTRIES: &[#krate::__private::Entry] = &[#(#entries),*];
        #krate::__private::Declaration::new(#name, #place, ENTRIES)
    }}
}

fn literal(krate: &CratePath, value: &Value) -> TokenStream {
    match value {
        Value::Text(text) => quote!(#krate::__private::Literal::text(#text)),
        Value::Integer(number) => quote!(#krate::__private::Literal::Integer(#number)),
        Value::Bool(bool) => quote!(#krate::__private::Literal::Bool(#bool)),
        Value::List(texts) => quote!(#krate::__private::Literal::List(&[#(#texts),*])),
        Value::Tables(tables) => {
            let tables = tables.iter().map(|table| {
                let pairs = table.iter().map(|(key, text)| quote!((#key, #text)));
                quote!(&[#(#pairs),*])
            });
            quote!(#krate::__private::Literal::Tables(&[#(#tables),*]))
        }
    }
}

fn location(krate: &CratePath, span: Span) -> TokenStream {
    let place::Place { file, line, column } = place::of(span);
    quote!(#krate::__private::Location::new(#file, #line, #column))
}
