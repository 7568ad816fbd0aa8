//! What `#[session]` works on: its arguments, the handler, and what binds the one to the other.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Ident, LitStr, Path, Signature, Visibility};

use crate::crate_path::CratePath;

/// The arguments of the attribute on a handler, or on an item that holds handlers.
#[derive(Clone, Default)]
pub(crate) struct Arguments {
    pub(crate) crate_path: CratePath,
    pub(crate) policy: Named,
    pub(crate) requirements: Vec<Requirement>,
}

/// Which policy an attribute names.
#[derive(Clone, Default)]
pub(crate) enum Named {
    /// None.
    #[default]
    Nothing,
    /// Something that can't be a policy, which was told.
    Wrong,
    Policy(PolicyName),
}

/// How a policy is named in the attribute.
#[derive(Clone)]
pub(crate) enum PolicyName {
    /// `"api_token"`: the name as in the policy file.
    Text(LitStr),
    /// `ApiToken` or `api_token`: a type of the module `policies`.
    Word(Ident),
    /// `shop::policies::ApiToken`: any other type, looked up as written.
    Path(Path),
}

impl ToTokens for PolicyName {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Text(text) => text.to_tokens(tokens),
            Self::Word(word) => word.to_tokens(tokens),
            Self::Path(path) => path.to_tokens(tokens),
        }
    }
}

/// One thing that a handler asks of its session.
#[derive(Clone)]
pub(crate) struct Requirement {
    pub(crate) asks: Asks,
    pub(crate) span: Span,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    Authenticated,
    Kind(String),
    Role(String),
    Fresh,
    FreshWithin(Duration),
}

impl Asks {
    /// Whether both ask the same of a session, so that one of them is too many.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let is_fresh = |asks: &Self| matches!(asks, Self::Fresh | Self::FreshWithin(_));
        self == other || (is_fresh(self) && is_fresh(other))
    }

    /// What is asked, for a message.
    pub(crate) fn noun(&self) -> String {
        match self {
            Self::Authenticated => "`authenticated`".to_owned(),
            Self::Kind(kind) => format!("the kind `{kind}`"),
            Self::Role(role) => format!("the role `{role}`"),
            Self::Fresh | Self::FreshWithin(_) => "a fresh login".to_owned(),
        }
    }
}

/// An item as the attribute found it.
pub(crate) enum Item {
    Handler(Box<Handler>),
    Container(Container),
    /// What neither is a handler nor holds one.
    Other(TokenStream),
}

/// An `impl`, a `trait` or a `mod`, whose handlers share the arguments of its attribute.
pub(crate) struct Container {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    /// What stands before the braces, such as `impl Office`.
    pub(crate) head: TokenStream,
    /// Whether items can stand between the braces.
    pub(crate) is_module: bool,
    /// The braces.
    pub(crate) span: Span,
    pub(crate) items: Vec<Item>,
}

/// A function. The body isn't read.
pub(crate) struct Handler {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    /// `default`, where it stands before a method.
    pub(crate) defaultness: Option<syn::Token![default]>,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

impl Handler {
    /// The function as it stands.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let Self { attrs, vis, defaultness, sig, body } = self;
        let mut tokens: TokenStream = attrs.iter().map(ToTokens::to_token_stream).collect();
        vis.to_tokens(&mut tokens);
        defaultness.to_tokens(&mut tokens);
        sig.to_tokens(&mut tokens);
        tokens.extend(body);
        tokens
    }
}

/// A parameter that gets its policy from an attribute.
pub(crate) struct Binding {
    /// Its place among the parameters.
    pub(crate) parameter: usize,
    pub(crate) policy: PolicyName,
    /// Whether the handler's requirements hold for it.
    pub(crate) guarded: bool,
}

/// An item, checked.
pub(crate) enum Bound {
    Handler(Box<BoundHandler>),
    Container(BoundContainer),
    /// What stays as it is.
    Other(TokenStream),
}

/// A container, checked.
pub(crate) struct BoundContainer {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) head: TokenStream,
    pub(crate) is_module: bool,
    pub(crate) span: Span,
    pub(crate) items: Vec<Bound>,
    /// The attribute as its items wrote it, whose imports would go unused without it.
    pub(crate) taken: Vec<Path>,
}

/// A handler, checked, and its bindings.
pub(crate) struct BoundHandler {
    pub(crate) crate_path: CratePath,
    pub(crate) handler: Handler,
    pub(crate) bindings: Vec<Binding>,
    /// Empty where no parameter is guarded.
    pub(crate) requirements: Vec<Requirement>,
}
