//! What a transport carries: a session's token as an opaque value that can be sent and not shown.

use std::{borrow::Cow, fmt};

use http::HeaderValue;
use subtle::ConstantTimeEq as _;

use crate::token::Token;

/// A session's credential, read from a request or to be written to a response.
///
/// It can't be printed, compared or serialised, and its `Debug` shows nothing. Memory that held it is zeroised, but
/// for the copy that travels in the response.
pub struct Credential<'a>(Cow<'a, Token>);

impl Credential<'static> {
    /// Reads the one canonical text form. `None` for everything else, before any store is asked.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Token::parse(text).map(|token| Self(Cow::Owned(token)))
    }
}

impl<'a> Credential<'a> {
    /// The token as a credential.
    pub(crate) fn of(token: &'a Token) -> Self {
        Self(Cow::Borrowed(token))
    }

    /// The token that was read.
    pub(crate) fn into_token(self) -> Token {
        self.0.into_owned()
    }

    /// Whether both are the same, in a time that doesn't tell how much of them is.
    pub(crate) fn is_same(&self, other: &Credential<'_>) -> bool {
        self.0.text().as_bytes().ct_eq(other.0.text().as_bytes()).into()
    }

    /// Shows the text to `write`, which puts it where it travels. The text is ASCII of base64url and dots, needs no
    /// escape anywhere, and is zeroised afterwards: keep no copy of it.
    pub fn expose<R>(&self, write: impl FnOnce(&str) -> R) -> R {
        write(&self.0.text())
    }

    /// The text as a field value, marked as sensitive: no index of HPACK or QPACK keeps it, and no `Debug` shows it.
    pub fn to_header_value(&self) -> HeaderValue {
        self.expose(|text| sensitive(text.as_bytes().to_vec()))
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// A sensitive field value (RFC 7541 7.1.3, RFC 9204 7.1) of bytes that are known to be visible ASCII.
pub(super) fn sensitive(bytes: Vec<u8>) -> HeaderValue {
    let mut value = HeaderValue::try_from(bytes)
        .expect("a token is ASCII, and a policy's cookie attributes passed its rules: visible ASCII");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};

    use super::*;
    use crate::entropy::OsEntropy;

    #[test]
    fn what_was_written_is_read_again() {
        let token = Token::mint(&OsEntropy, None).unwrap();
        let value = Credential::of(&token).to_header_value();
        let read = Credential::parse(value.as_bytes()).unwrap();
        assert_eq!(*read.into_token().text(), *token.text());
    }

    #[test]
    fn nothing_shows_it() {
        let token = Token::mint(&OsEntropy, None).unwrap();
        let credential = Credential::of(&token);
        assert_eq!(format!("{credential:?}"), "Credential(…)");
        assert!(credential.to_header_value().is_sensitive());
        assert_eq!(format!("{:?}", credential.to_header_value()), "Sensitive");
    }

    /// Two implementations fit a type that has the trait, so that the call is ambiguous and doesn't compile.
    macro_rules! assert_lacks {
        ($type:ty: $($bound:path),+) => {$({
            trait Lacks<Marker> { fn it() {} }
            impl<T: ?Sized> Lacks<()> for T {}
            struct Has;
            impl<T: ?Sized + $bound> Lacks<Has> for T {}
            <$type as Lacks<_>>::it();
        })+};
    }

    #[test]
    fn it_has_none_of_the_traits_that_leak() {
        fn debug<T: Debug>() {}
        debug::<Credential<'static>>();
        assert_lacks!(Credential<'static>: Display, Copy, Clone, PartialEq, serde::Serialize);
    }
}
