//! The Grafana dashboard asks for metrics and labels that there are.

use std::fs;

use sessions::observe::metric::{self, Kind, Metric};

/// The names that Prometheus has for a metric.
pub(super) fn told_as(metric: &Metric) -> Vec<String> {
    let name = metric.name.replace('.', "_");
    let name = if metric.unit.is_some() { format!("{name}_seconds") } else { name };
    match metric.kind {
        Kind::Counter => vec![format!("{name}_total")],
        Kind::Histogram => {
            ["", "_bucket", "_sum", "_count"].iter().map(|part| format!("{name}{part}")).collect()
        }
        _ => vec![name],
    }
}

/// Every query of the dashboard, also those of its variables.
fn queries(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    serde_json::Value::String(text) if ["expr", "query", "definition"].contains(&&**name) => {
                        if text != "prometheus" {
                            found.push(text.clone());
                        }
                    }
                    value => queries(value, found),
                }
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

/// The words of a query that can be names.
fn words(query: &str) -> impl Iterator<Item = &str> {
    query.split(|byte: char| !byte.is_ascii_alphanumeric() && byte != '_').filter(|word| !word.is_empty())
}

#[test]
fn its_queries_ask_for_metrics_that_there_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/grafana.json");
    let dashboard: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    assert!(found.len() > 10, "{found:?}");
    let mut asked = Vec::new();
    for query in &found {
        let names: Vec<_> = words(query).filter(|word| word.starts_with("sessions_")).collect();
        assert!(!names.is_empty(), "{query}");
        for name in names {
            let known = metric::ALL.iter().find(|metric| told_as(metric).contains(&name.to_owned()));
            asked.push(known.expect(query).name);
            // The labels in `by (…)` and `{…}` of the query are those of its metric.
            let mut rest = query.as_str();
            while let Some((_, after)) = rest.split_once("by (") {
                let (labels, after) = after.split_once(')').unwrap();
                let is_label = |label: &str| label == "le" || known.unwrap().labels.contains(&label);
                assert!(labels.split(", ").all(is_label), "{query}");
                rest = after;
            }
        }
    }
    for metric in metric::ALL {
        assert!(asked.contains(&metric.name), "the dashboard leaves out `{}`", metric.name);
    }
}
