//! The bearer transport: `Authorization: Bearer` (RFC 6750), for clients that are programs. Nothing is sent by itself,
//! so no cross-site rule applies, and nothing has to be removed from a client.

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use sessions_policy::TransportPolicy;

use super::{Credential, Lifetime, Presented, Transport, header::field_name};
use crate::{fault::Fault, web::RequestHead};

/// Carries the credential in `Authorization: Bearer` of the request, and in a header of the response, `X-Session-ID` by
/// default: RFC 6750 has no field for that.
///
/// The scheme is read in any case, and between it and the credential stand spaces and nothing else (RFC 9110 11.4). Another
/// scheme is none of this transport's business. A second line is refused, whatever it says: a client that sends
/// two has made a mistake, and none of them can be preferred. A form's `access_token` and the query are never read
/// (RFC 6750 2.2, 2.3).
#[derive(Clone, Debug)]
pub struct BearerTransport {
    answered_in: HeaderName,
}

impl BearerTransport {
    /// The bearer transport that the policy describes.
    pub fn new(policy: &TransportPolicy) -> Self {
        Self { answered_in: field_name(policy.header_name()) }
    }
}

impl Transport for BearerTransport {
    fn read(&self, head: RequestHead<'_>) -> Presented {
        let mut lines = head.headers.get_all(AUTHORIZATION).iter();
        let line = match (lines.next(), lines.next()) {
            (None, _) => return Presented::Nothing,
            (Some(_), Some(_)) => return Presented::Contradictory,
            (Some(line), None) => line.as_bytes(),
        };
        let Some(value) = after_scheme(line) else { return Presented::Nothing };
        // The parser looks at the length first, so that a long value costs nothing.
        Credential::parse(value).map_or(Presented::Malformed, Presented::Credential)
    }

    /// The client keeps the credential for as long as it likes: the server alone judges its life.
    fn issue(&self, headers: &mut HeaderMap, credential: &Credential<'_>, _life: Lifetime) {
        headers.insert(self.answered_in.clone(), credential.to_header_value());
    }

    fn remove(&self, headers: &mut HeaderMap) {
        headers.remove(&self.answered_in);
    }

    fn vary(&self) -> HeaderName {
        AUTHORIZATION
    }

    fn is_ambient(&self) -> bool {
        false
    }

    /// The challenges of RFC 6750 3; a login that is too old is RFC 9470's.
    fn challenge(&self, fault: Fault, presented: bool) -> Option<HeaderValue> {
        let challenge = match fault {
            // A request without any credential is told no error (RFC 6750 3.1).
            Fault::Required if !presented => "Bearer",
            Fault::Required | Fault::Gone => "Bearer error=\"invalid_token\"",
            Fault::NotFresh => "Bearer error=\"insufficient_user_authentication\"",
            Fault::Forbidden => "Bearer error=\"insufficient_scope\"",
            Fault::Contradictory => "Bearer error=\"invalid_request\"",
            _ => return None,
        };
        Some(HeaderValue::from_static(challenge))
    }
}

/// What follows the scheme; `None` for another scheme, or none.
fn after_scheme(line: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer";
    let (scheme, rest) = line.split_at_checked(SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    match rest {
        [b' ', ..] => {
            let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
            rest.get(spaces..)
        }
        // Nothing, or a tab: the scheme all the same. `Bearers` is another.
        [] | [b'\t', ..] => Some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::{entropy::OsEntropy, token::Token};

    fn transport() -> BearerTransport {
        BearerTransport { answered_in: field_name("X-Session-ID") }
    }

    fn mint() -> Token {
        Token::mint(&OsEntropy, None).unwrap()
    }

    fn read(lines: &[&str]) -> Presented {
        let mut request = Request::new(());
        for line in lines {
            request.headers_mut().append(AUTHORIZATION, HeaderValue::from_str(line).unwrap());
        }
        transport().read(RequestHead::from(&request))
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        let token = mint();
        for scheme in ["Bearer ", "bearer ", "BEARER ", "bEARER ", "Bearer   "] {
            let Presented::Credential(read) = read(&[&format!("{scheme}{}", &**token.text())]) else {
                panic!("{scheme:?} was refused")
            };
            assert_eq!(*read.into_token().text(), *token.text());
        }
    }

    #[test]
    fn everything_around_the_credential_makes_it_malformed() {
        let text = mint().text().to_string();
        for value in [
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            format!("Bearer\t{text}"),
            format!("Bearer \t{text}"),
            format!("Bearer {text} "),
            format!("Bearer {text},{text}"),
            format!("Bearer {text}, Bearer {text}"),
            format!("Bearer \"{text}\""),
            format!("Bearer token=\"{text}\""),
            format!("Bearer {text}="),
            format!("Bearer Bearer {text}"),
            format!("Bearer {}", &text[1..]),
            format!("Bearer {}", text.repeat(1_500)),
        ] {
            assert!(matches!(read(&[&value]), Presented::Malformed), "{value}");
        }
    }

    #[test]
    fn another_scheme_is_none_of_its_business() {
        let text = mint().text().to_string();
        for value in ["", "Basic dTpw", "Bearers x", "Beare", &text, &format!("BearerX {text}"), "é"] {
            assert!(matches!(read(&[value]), Presented::Nothing), "{value}");
        }
    }

    #[test]
    fn a_second_line_is_refused_whatever_it_says() {
        let one = format!("Bearer {}", &**mint().text());
        let two = format!("Bearer {}", &**mint().text());
        for second in [one.as_str(), &two, "Basic dTpw", "", "Bearer"] {
            for pair in [[&*one, second], [second, &*one]] {
                assert!(matches!(read(&pair), Presented::Contradictory), "{second}");
            }
        }
    }

    #[test]
    fn the_answer_stands_in_the_header_and_hides() {
        let token = mint();
        let mut headers = HeaderMap::new();
        transport().issue(&mut headers, &Credential::of(&token), Lifetime::Browser);
        assert_eq!(headers["x-session-id"].as_bytes(), token.text().as_bytes());
        assert!(headers["x-session-id"].is_sensitive());
        transport().remove(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn a_challenge_tells_an_error_only_to_who_presented_something() {
        let told = |fault, presented| transport().challenge(fault, presented);
        assert_eq!(told(Fault::Required, false).unwrap(), "Bearer");
        assert_eq!(told(Fault::Required, true).unwrap(), "Bearer error=\"invalid_token\"");
        assert_eq!(told(Fault::Forbidden, true).unwrap(), "Bearer error=\"insufficient_scope\"");
        assert_eq!(told(Fault::Contradictory, true).unwrap(), "Bearer error=\"invalid_request\"");
        assert_eq!(told(Fault::StoreUnavailable, true), None);
    }
}
