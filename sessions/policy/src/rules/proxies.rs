//! The rules about proxies that are believed, and about the client's address.

use super::{Finding, Rule};
use crate::policy::{Network, ParseNetworkError};
use crate::problem::Weight;
use crate::resolve::Resolved;
use crate::value::shown;

const PROXIES: &str = "trusted_proxies";
const HEADER: &str = "forwarded_header";
const ADDRESS: &str = "client_address";

pub(super) const RULES: &[Rule] = &[
    Rule { name: "proxy_network", keys: &[PROXIES], check: no_networks },
    Rule { name: "proxy_any", keys: &[PROXIES], check: anyone },
    Rule { name: "forwarded_by_no_one", keys: &[HEADER, PROXIES], check: forwarded_by_no_one },
    Rule { name: "address_without_sessions", keys: &["scope", ADDRESS], check: address_without_sessions },
];

fn no_networks(policy: &Resolved) -> Vec<Finding> {
    let refused = networks(policy).filter_map(|(item, text, network)| Some((item, text, network.err()?)));
    let findings = refused.map(|(item, text, reason)| {
        let help = "write an address, or a network by its first address as `10.0.0.0/8`";
        Finding::at(PROXIES, format!("(\"{}\") {reason}", shown(text)), help)
            .weighing(Weight::Refused)
            .at_item(item)
    });
    findings.collect()
}

fn anyone(policy: &Resolved) -> Vec<Finding> {
    let any = networks(policy).filter(|(.., network)| network.is_ok_and(|network| network.is_everything()));
    let findings = any.map(|(item, text, _)| {
        let help = "list the proxies alone: whoever reaches this service can claim any address";
        Finding::at(PROXIES, format!("(\"{}\") believes everyone", shown(text)), help).at_item(item)
    });
    findings.collect()
}

fn networks(policy: &Resolved) -> impl Iterator<Item = (usize, &str, Result<Network, ParseNetworkError>)> {
    let written = policy.list(PROXIES).unwrap_or_default().iter().enumerate();
    written.map(|(item, text)| (item, text.as_str(), text.parse()))
}

fn forwarded_by_no_one(policy: &Resolved) -> Vec<Finding> {
    let is_read = policy.list(PROXIES).is_some_and(|proxies| !proxies.is_empty());
    if is_read || !policy.is_stated(HEADER) {
        return Vec::new();
    }
    let help = "list the `trusted_proxies` that write it, or drop it: a client can write it too";
    vec![Finding::at(HEADER, "has no effect without `trusted_proxies`", help).weighing(Weight::Warned)]
}

fn address_without_sessions(policy: &Resolved) -> Vec<Finding> {
    if !policy.is("scope", "request") || !policy.truth(ADDRESS) {
        return Vec::new();
    }
    let reason = format!("has no effect with {}", policy.cite("scope"));
    vec![Finding::at(ADDRESS, reason, "drop it: nothing is stored").weighing(Weight::Warned)]
}
