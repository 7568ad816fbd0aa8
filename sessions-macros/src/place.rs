//! Where a token stands in the user's source. The one file that asks the compiler, so that the rest runs in unit tests.

use std::path::PathBuf;

use proc_macro2::{Span, TokenStream};

/// A place in the user's source, as the compiler would print it; lines and columns count from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// The place where `span` begins. Outside a compiler, an empty one.
pub(crate) fn of(span: Span) -> Place {
    if !proc_macro::is_available() {
        return Place::default();
    }
    // No `Option::unwrap`: this gives the compiler's own span, and panics outside a compiler alone.
    let start = span.unwrap().start();
    Place { file: start.file(), line: count(start.line()), column: count(start.column()) }
}

/// Where `tokens` begin; where there are none, the macro call.
pub(crate) fn first(tokens: &TokenStream) -> Span {
    tokens.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}

/// The file on disk that holds `span`, where the compiler knows it.
pub(crate) fn source_file(span: Span) -> Option<PathBuf> {
    if !proc_macro::is_available() {
        return None;
    }
    // As in `of`.
    span.unwrap().local_file()
}

/// A count of the compiler's as `u32`; no source file comes near the limit.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
