//! Sizes: a whole number with a unit of bytes.

use figment::value::Value;

use super::show::{example, shown, size_text};
use super::{Misfit, Setting, bare_number, text, wrong};
use crate::keys::Kind;

pub(super) fn size(value: &Value, min: u64, max: u64) -> Result<Setting, Misfit> {
    let kind = Kind::Size { min, max };
    if let Some(number) = bare_number(value) {
        let fits = |size: &String| parse_size(size).is_some_and(|bytes| (min..=max).contains(&bytes));
        let near = ["B", "KiB", "MiB"].iter().map(|unit| format!("{number}{unit}")).find(fits);
        let near = near.map(|size| format!("`\"{size}\"` or ")).unwrap_or_default();
        let unit = format!("write {near}{}: a size needs a unit", example(kind));
        return Err(Misfit::new("bare_number", format!("({number}) is a bare number")).help(unit));
    }
    let written = text(value, kind)?;
    let Some(bytes) = parse_size(written) else {
        return Err(Misfit { suggestion: respelt(written), ..wrong(value, kind) });
    };
    if !(min..=max).contains(&bytes) {
        let reason = format!("({}) is not between {} and {}", shown(written), size_text(min), size_text(max));
        return Err(Misfit::new("out_of_range", reason).help(format!("write {}", example(kind))));
    }
    Ok(Setting::Size(bytes))
}

/// The units and their bytes. Those of the gigabyte are too much for any key, and are known for being told so.
pub(crate) const UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// The size whose unit was written in other letters, such as `64kib`.
fn respelt(text: &str) -> Option<String> {
    let (digits, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let (unit, _) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    let size = format!("{digits}{unit}");
    parse_size(&size).map(|_| size)
}

fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (digits, unit) = text.split_at(unit);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    digits.trim().replace('_', "").parse::<u64>().ok()?.checked_mul(*factor)
}
