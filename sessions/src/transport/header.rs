//! The header transport: a field of its own, for clients that are programs. Nothing is sent by itself, so no
//! cross-site rule applies, and nothing has to be removed from a client.

use http::{HeaderMap, HeaderName};
use sessions_policy::TransportPolicy;

use super::{Credential, Lifetime, Presented, Transport};
use crate::web::RequestHead;

/// Carries the credential in one header field of request and response, `X-Session-ID` by default.
///
/// A request has at most one such line, and its value is the credential alone: a list, a scheme or spaces around it
/// make it malformed (RFC 9110 5.5), and a second line makes it a duplicate, even of the same value.
#[derive(Clone, Debug)]
pub struct HeaderTransport {
    name: HeaderName,
}

impl HeaderTransport {
    /// The header transport that the policy describes.
    pub fn new(policy: &TransportPolicy) -> Self {
        Self { name: field_name(policy.header_name()) }
    }
}

impl Transport for HeaderTransport {
    fn read(&self, head: RequestHead<'_>) -> Presented {
        let mut lines = head.headers.get_all(&self.name).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Presented::Nothing,
            (Some(_), Some(_)) => Presented::Duplicate,
            // The parser looks at the length first, so that a long value costs nothing.
            (Some(line), None) => {
                Credential::parse(line.as_bytes()).map_or(Presented::Malformed, Presented::Credential)
            }
        }
    }

    /// The client keeps the credential for as long as it likes: the server alone judges its life.
    fn issue(&self, headers: &mut HeaderMap, credential: &Credential<'_>, _life: Lifetime) {
        headers.insert(self.name.clone(), credential.to_header_value());
    }

    fn remove(&self, headers: &mut HeaderMap) {
        headers.remove(&self.name);
    }

    fn vary(&self) -> HeaderName {
        self.name.clone()
    }

    fn is_ambient(&self) -> bool {
        false
    }
}

pub(super) fn field_name(name: &str) -> HeaderName {
    HeaderName::try_from(name).expect("a policy's header name passed its rules: a field name")
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Request};

    use super::*;
    use crate::{entropy::OsEntropy, token::Token};

    fn transport() -> HeaderTransport {
        HeaderTransport { name: field_name("X-Session-ID") }
    }

    fn mint() -> Token {
        Token::mint(&OsEntropy, None).unwrap()
    }

    fn read(fields: &[(&str, &[u8])]) -> Presented {
        let mut request = Request::new(());
        for (name, value) in fields {
            let name = HeaderName::try_from(*name).unwrap();
            request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
        }
        transport().read(RequestHead::from(&request))
    }

    #[test]
    fn one_line_with_the_credential_alone_is_read() {
        let token = mint();
        for name in ["x-session-id", "X-Session-ID"] {
            let Presented::Credential(read) = read(&[(name, token.text().as_bytes())]) else {
                panic!("a good line was refused")
            };
            assert_eq!(*read.into_token().text(), *token.text());
        }
    }

    #[test]
    fn no_other_channel_is_looked_at() {
        let text = mint().text().to_string();
        let cookie = format!("X-Session-ID={text}");
        let bearer = format!("Bearer {text}");
        for (name, value) in [("cookie", &cookie), ("authorization", &bearer), ("x-session", &text)] {
            assert!(matches!(read(&[(name, value.as_bytes())]), Presented::Nothing), "{name}");
        }
    }

    #[test]
    fn everything_around_the_credential_makes_it_malformed() {
        let text = mint().text().to_string();
        let bad = [
            String::new(),
            format!("{text},{text}"),
            format!("{text}, {text}"),
            format!("{text},"),
            format!(" {text}"),
            format!("{text} "),
            format!("\t{text}"),
            format!("\"{text}\""),
            format!("Bearer {text}"),
            format!("bearer  {text}"),
            format!("{text}="),
            text[1..].to_owned(),
            text.repeat(1_500),
        ];
        for value in bad {
            assert!(matches!(read(&[("x-session-id", value.as_bytes())]), Presented::Malformed), "{value}");
        }
    }

    #[test]
    fn every_byte_in_every_place_is_canonical_or_malformed() {
        let text = mint().text().as_bytes().to_vec();
        for place in 0..text.len() {
            for byte in (0..=255_u8).filter(|byte| HeaderValue::from_bytes(&[*byte]).is_ok()) {
                let mut value = text.clone();
                value[place] = byte;
                match read(&[("x-session-id", &value)]) {
                    Presented::Credential(read) => assert_eq!(read.into_token().text().as_bytes(), value),
                    Presented::Malformed => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_second_line_makes_a_duplicate_whatever_it_says() {
        let (one, two) = (mint().text(), mint().text());
        for second in [one.as_bytes(), two.as_bytes(), b"", b"x"] {
            for pair in [[one.as_bytes(), second], [second, one.as_bytes()]] {
                let fields = pair.map(|value| ("x-session-id", value));
                assert!(matches!(read(&fields), Presented::Duplicate));
            }
        }
    }

    #[test]
    fn a_response_carries_the_last_credential_and_hides_it() {
        let (first, last) = (mint(), mint());
        let mut headers = HeaderMap::new();
        headers.append("x-session-id", HeaderValue::from_static("the application's"));
        transport().issue(&mut headers, &Credential::of(&first), Lifetime::Browser);
        transport().issue(&mut headers, &Credential::of(&last), Lifetime::Browser);
        assert_eq!(headers.len(), 1);
        assert_eq!(headers["x-session-id"].as_bytes(), last.text().as_bytes());
        assert!(headers["x-session-id"].is_sensitive());
        assert!(!format!("{headers:?}").contains(&**last.text()));
    }

    #[test]
    fn removal_sends_nothing() {
        let mut headers = HeaderMap::new();
        transport().remove(&mut headers);
        assert!(headers.is_empty());
        transport().issue(&mut headers, &Credential::of(&mint()), Lifetime::Browser);
        transport().remove(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn a_program_sends_it_on_purpose() {
        assert!(!transport().is_ambient());
        assert_eq!(transport().vary(), "x-session-id");
        assert!(!transport().strip_foreign(&mut HeaderMap::new()));
    }
}
