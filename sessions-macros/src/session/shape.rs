//! How a parameter's type takes a session: by the last word of its path, as the compiler has resolved nothing yet.

use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Path, PathArguments, PathSegment, Type};

/// How a parameter takes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `Session`
    Required,
    /// `Option<Session>`
    Optional,
    /// `Session<policies::Admin>`, alone or inside another type
    Typed,
    /// a bare `Session` inside a type that gets no policy, such as `&Session`
    Misplaced,
    /// no session
    Other,
}

impl Shape {
    /// Whether the attribute writes the policy into the type.
    pub(crate) fn is_bindable(self) -> bool {
        matches!(self, Self::Required | Self::Optional)
    }

    /// Whether the parameter takes a session as a handler can.
    pub(crate) fn is_sound(self) -> bool {
        !matches!(self, Self::Misplaced | Self::Other)
    }
}

/// The shape of a parameter of type `ty`.
pub(crate) fn shape(ty: &Type) -> Shape {
    let mut ty = ty.clone();
    if let Some(path) = plain_path(&mut ty) {
        if is_bare_session(path) {
            return Shape::Required;
        }
        if optional_session(path).is_some() {
            return Shape::Optional;
        }
    }
    let mut search = Search::default();
    search.visit_type_mut(&mut ty);
    match search {
        Search { bare: true, .. } => Shape::Misplaced,
        Search { typed: true, .. } => Shape::Typed,
        Search { .. } => Shape::Other,
    }
}

/// The path of the `Session` in `Session` or `Option<Session>`, for the policy to be written into.
pub(crate) fn session_path(ty: &mut Type) -> Option<&mut Path> {
    let path = plain_path(ty)?;
    if is_bare_session(path) { Some(path) } else { optional_session(path) }
}

/// The path of a type that is nothing but a path, below the invisible groups that macros leave.
fn plain_path(ty: &mut Type) -> Option<&mut Path> {
    match ty {
        Type::Path(path) if path.qself.is_none() => Some(&mut path.path),
        Type::Group(group) => plain_path(&mut group.elem),
        Type::Paren(paren) => plain_path(&mut paren.elem),
        _ => None,
    }
}

/// Whether a path ends in `Session`, or in the handshake of a socket, without arguments.
fn is_bare_session(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| is_session(last) && last.arguments.is_none())
}

/// Whether it is a type that takes a policy and a guard.
fn is_session(segment: &PathSegment) -> bool {
    segment.ident == "Session" || segment.ident == "WebSocketTransport"
}

/// The path inside of `Option<Session>`.
fn optional_session(path: &mut Path) -> Option<&mut Path> {
    let last = path.segments.last_mut().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &mut last.arguments else { return None };
    let Some(GenericArgument::Type(inner)) = arguments.args.first_mut() else { return None };
    plain_path(inner).filter(|path| is_bare_session(path))
}

/// The sessions anywhere in a type.
#[derive(Default)]
struct Search {
    bare: bool,
    typed: bool,
}

impl VisitMut for Search {
    fn visit_path_mut(&mut self, path: &mut Path) {
        if is_bare_session(path) {
            self.bare = true;
        } else if path.segments.last().is_some_and(is_session) {
            self.typed = true;
        }
        visit_mut::visit_path_mut(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn sessions_are_known_by_their_last_word() {
        assert_eq!(shape(&parse_quote!(Session)), Shape::Required);
        assert_eq!(shape(&parse_quote!(sessions::Session)), Shape::Required);
        assert_eq!(shape(&parse_quote!(Option<Session>)), Shape::Optional);
        assert_eq!(shape(&parse_quote!(::std::option::Option<sessions::Session>)), Shape::Optional);
        assert_eq!(shape(&parse_quote!(Session<policies::Admin>)), Shape::Typed);
        assert_eq!(shape(&parse_quote!(Option<Session<policies::Admin>>)), Shape::Typed);
        assert_eq!(shape(&parse_quote!(Json<Login>)), Shape::Other);
        assert_eq!(shape(&parse_quote!(SessionWatch)), Shape::Other);
        assert_eq!(shape(&parse_quote!(sessions::WebSocketTransport)), Shape::Required);
        assert_eq!(shape(&parse_quote!(WebSocketTransport<policies::Admin>)), Shape::Typed);
    }

    #[test]
    fn a_session_where_no_policy_can_go_is_noticed() {
        assert_eq!(shape(&parse_quote!(&Session)), Shape::Misplaced);
        assert_eq!(shape(&parse_quote!((Session, Session))), Shape::Misplaced);
        assert_eq!(shape(&parse_quote!(Result<Session, Refusal>)), Shape::Misplaced);
    }
}
