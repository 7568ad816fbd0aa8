//! The rules about origins that are trusted, and the form in which they are compared.

use super::cookie::is_host;
use super::{Finding, Rule};
use crate::problem::Weight;
use crate::resolve::Resolved;
use crate::value::shown;

const TRUSTED: &str = "trusted_origins";
const SOCKET: &str = "socket.origins";

pub(super) const RULES: &[Rule] = &[
    Rule { name: "trusted_origin", keys: &[TRUSTED], check: |policy| no_origins(policy, TRUSTED) },
    Rule { name: "trusted_origin_in_clear", keys: &[TRUSTED], check: |policy| in_clear(policy, TRUSTED) },
    Rule { name: "socket_origin", keys: &[SOCKET], check: |policy| no_origins(policy, SOCKET) },
    Rule { name: "socket_origin_in_clear", keys: &[SOCKET], check: |policy| in_clear(policy, SOCKET) },
];

/// Texts that are no origins.
fn no_origins(policy: &Resolved, key: &'static str) -> Vec<Finding> {
    let origins = policy.list(key).unwrap_or_default();
    let origins = origins.iter().enumerate();
    let refused = origins.filter_map(|(item, origin)| Some((item, origin, normal_origin(origin).err()?)));
    let findings = refused.map(|(item, origin, reason)| {
        let help = "write each as `https://host` or `https://host:port`: origins are compared as a whole";
        Finding::at(key, format!("(\"{}\") {reason}", shown(origin)), help)
            .weighing(Weight::Refused)
            .at_item(item)
    });
    findings.collect()
}

/// Origins without TLS, but for loopback's, which browsers trust.
fn in_clear(policy: &Resolved, key: &'static str) -> Vec<Finding> {
    let origins = policy.list(key).unwrap_or_default().iter().enumerate();
    let in_clear =
        origins.filter(|(_, origin)| normal_origin(origin).is_ok_and(|normal| is_in_clear(&normal)));
    let findings = in_clear.map(|(item, origin)| {
        let help = "write its `https://` form: whoever is on the way can speak for an `http://` one";
        Finding::at(key, format!("(\"{}\") is in clear", shown(origin)), help).at_item(item)
    });
    findings.collect()
}

fn is_in_clear(normal: &str) -> bool {
    let Some(authority) = normal.strip_prefix("http://") else { return false };
    let host = authority.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let host = host.unwrap_or_else(|| authority.split(':').next().unwrap_or(authority));
    let is_loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    !is_loopback && host != "localhost" && !host.ends_with(".localhost")
}

/// The origin as browsers send it (RFC 6454 6.2): lower case, without its scheme's default port.
pub(crate) fn normal_origin(origin: &str) -> Result<String, &'static str> {
    if origin.eq_ignore_ascii_case("null") {
        return Err("is no origin: any page can send `null`");
    }
    if origin.contains('*') {
        return Err("has a wildcard");
    }
    let Some((scheme, authority)) = origin.split_once("://") else { return Err("has no scheme") };
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return Err("is not of the scheme `https` or `http`"),
    };
    if authority.contains('@') {
        return Err("has a user name");
    }
    if authority.contains(['/', '?', '#']) {
        return Err("has a path");
    }
    let (host, port) = split_port(authority)?;
    let host = host.to_ascii_lowercase();
    let bracketed = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let is_address = bracketed.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    if !is_address && !is_host(&host) {
        return Err("has no valid host");
    }
    Ok(match port.filter(|port| *port != default_port) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    let after_address = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority[after_address..].find(':') else { return Ok((authority, None)) };
    let (host, port) = authority.split_at(after_address + colon);
    let digits = &port[1..];
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return Err("has no valid port");
    }
    match digits.parse() {
        Ok(0) | Err(_) => Err("has no valid port"),
        Ok(port) => Ok((host, Some(port))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_form() {
        for (written, normal) in [
            ("https://Example.COM", "https://example.com"),
            ("https://example.com:443", "https://example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://a.b:80", "http://a.b"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(normal_origin(written).as_deref(), Ok(normal));
        }
    }

    #[test]
    fn what_is_no_origin() {
        for origin in [
            "null",
            "*",
            "https://*.example.com",
            "example.com",
            "https://example.com/",
            "https://a.b/path",
            "https://a.b?x",
            "https://u@a.b",
            "ftp://a.b",
            "https://",
            "https://a.b:",
            "https://a.b:0",
            "https://a.b:99999",
            "https://a b",
            "https://[::1",
            "https://[x]",
            "https://é.com",
            "https://a:1:2",
            "https://a.b:+80",
        ] {
            assert!(normal_origin(origin).is_err(), "{origin}");
        }
    }
}
