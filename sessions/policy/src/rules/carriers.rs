//! Rules about what a composite is made of.

use super::{Finding, Rule};
use crate::resolve::{ADAPTER, ORDER, Resolved};
use crate::suggest::nearest;
use crate::value::shown;

/// What a composite may be made of.
const CARRIERS: &[&str] = &["cookie", "header", "bearer", "custom"];

pub(super) const RULES: &[Rule] = &[
    Rule { name: "order_missing", keys: &[ADAPTER, ORDER], check: missing },
    Rule { name: "order_item", keys: &[ADAPTER, ORDER], check: item },
    Rule { name: "order_without_composite", keys: &[ADAPTER, ORDER], check: without_composite },
];

/// The order of a composite.
fn order(policy: &Resolved) -> Option<&[String]> {
    policy.is(ADAPTER, "composite").then(|| policy.list(ORDER).unwrap_or_default())
}

fn missing(policy: &Resolved) -> Vec<Finding> {
    let help = "write two or more, such as `order = [\"cookie\", \"bearer\"]`: what is not named is not read";
    match order(policy) {
        Some([]) => vec![Finding::at(ADAPTER, "(composite) has no `order` beside it", help)],
        Some([one]) => {
            let reason = format!("(\"{}\") names one carrier, which is no composite", shown(one));
            vec![Finding::at(ORDER, reason, help)]
        }
        _ => Vec::new(),
    }
}

fn item(policy: &Resolved) -> Vec<Finding> {
    let order = order(policy).unwrap_or_default();
    let mut findings = Vec::new();
    for (place, carrier) in order.iter().enumerate() {
        let found = if !CARRIERS.contains(&carrier.as_str()) {
            let help = match nearest(carrier, CARRIERS) {
                Some(near) => format!("did you mean `\"{near}\"`?"),
                None => "write `\"cookie\"`, `\"header\"`, `\"bearer\"` or `\"custom\"`".to_owned(),
            };
            Finding::at(ORDER, format!("(\"{}\") is nothing that carries an id", shown(carrier)), help)
        } else if order.iter().take(place).any(|before| before == carrier) {
            Finding::at(ORDER, format!("(\"{carrier}\") stands there twice"), "drop one of them")
        } else {
            continue;
        };
        findings.push(found.at_item(place));
    }
    findings
}

fn without_composite(policy: &Resolved) -> Vec<Finding> {
    if !policy.is_stated(ORDER) || policy.is(ADAPTER, "composite") {
        return Vec::new();
    }
    let reason = format!("has no effect with {}", policy.cite(ADAPTER));
    vec![Finding::at(ORDER, reason, "drop the key, or write `adapter = \"composite\"`")]
}
