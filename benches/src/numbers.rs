//! What is said of many measurements of one thing.

/// Median and quartiles.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Of no values all three are zero.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at =
            |share: usize| sorted.get(sorted.len().saturating_sub(1) * share / 4).copied().unwrap_or(0.0);
        Self { low: at(1), median: at(2), high: at(3) }
    }

    /// Of values that belong together pair by pair, as those of one round do.
    pub(crate) fn of_pairs(left: &[f64], right: &[f64], combine: impl Fn(f64, f64) -> f64) -> Self {
        let pairs: Vec<f64> = left.iter().zip(right).map(|(&left, &right)| combine(left, right)).collect();
        Self::of(&pairs)
    }
}

/// A count as a float: exact for all that is counted here.
#[allow(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_the_sorted_values() {
        let spread = Spread::of(&[5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(spread, Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(Spread::of(&[]), Spread::default());
        let ratios = Spread::of_pairs(&[4.0, 9.0], &[2.0, 3.0], |left, right| left / right);
        assert_eq!(ratios, Spread { low: 2.0, median: 2.0, high: 2.0 });
    }
}
