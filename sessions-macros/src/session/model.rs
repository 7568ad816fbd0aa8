//! What `#[session]` works on: its arguments, the handler, and what binds the one to the other.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Ident, LitStr, Path, Signature, Visibility};

use crate::crate_path::CratePath;

/// The arguments of the attribute on a function.
#[derive(Default)]
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

/// A function as the attribute found it. The body isn't read.
pub(crate) struct Handler {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    /// `default`, where it stands before a method.
    pub(crate) defaultness: Option<syn::Token![default]>,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

/// A parameter that gets its policy from an attribute.
pub(crate) struct Binding {
    /// Its place among the parameters.
    pub(crate) parameter: usize,
    pub(crate) policy: PolicyName,
    /// Whether the handler's requirements hold for it.
    pub(crate) guarded: bool,
}

/// A handler, checked, and its bindings.
pub(crate) struct BoundHandler {
    pub(crate) crate_path: CratePath,
    pub(crate) handler: Handler,
    pub(crate) bindings: Vec<Binding>,
    /// Empty where no parameter is guarded.
    pub(crate) requirements: Vec<Requirement>,
}
