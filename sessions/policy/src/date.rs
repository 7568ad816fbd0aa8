//! A day of the calendar, to compare a suppression's last day with today. No clock: the caller knows what day it is.

use std::fmt;
use std::str::FromStr;

/// A day, as `2027-01-31` writes it.
///
/// ```
/// use sessions_policy::Date;
///
/// let day: Date = "2027-01-31".parse().map_err(|_| "no date")?;
/// assert!(day < Date::from_unix_days(20_850));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i64,
    month: u32,
    day: u32,
}

impl Date {
    /// The day that is this many days after 1970-01-01.
    pub const fn from_unix_days(days: i64) -> Self {
        // Years that begin in March, in eras of 400 years: the leap day is the last of its year.
        const ERA: i64 = 146_097;
        let shifted = days.saturating_add(719_468);
        let (era, day_of_era) = (shifted.div_euclid(ERA), shifted.rem_euclid(ERA));
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / (ERA - 1)) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_based = (5 * day_of_year + 2) / 153;
        let day = small(day_of_year - (153 * march_based + 2) / 5 + 1);
        let month = small(if march_based < 10 { march_based + 3 } else { march_based - 9 });
        let year = year_of_era + era * 400 + (if month <= 2 { 1 } else { 0 });
        Self { year, month, day }
    }

    /// The day of an instant, in UTC. An instant before 1970 counts as its first day.
    pub fn of(instant: std::time::SystemTime) -> Self {
        let since = instant.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self::from_unix_days(i64::try_from(since.as_secs() / 86_400).unwrap_or(i64::MAX))
    }

    const fn days_in(year: i64, month: u32) -> u32 {
        match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a day or a month is between 1 and 31"
)]
const fn small(number: i64) -> u32 {
    number as u32
}

impl FromStr for Date {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] else { return Err(InvalidDate) };
        let number = |digits: &str, width: usize| {
            let plain = digits.len() == width && digits.bytes().all(|digit| digit.is_ascii_digit());
            plain.then(|| digits.parse::<u32>().ok()).flatten().ok_or(InvalidDate)
        };
        let (year, month, day) = (i64::from(number(year, 4)?), number(month, 2)?, number(day, 2)?);
        let exists = (1..=12).contains(&month) && (1..=Self::days_in(year, month)).contains(&day);
        if exists { Ok(Self { year, month, day }) } else { Err(InvalidDate) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A text that is no day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDate;

impl fmt::Display for InvalidDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date is a day such as `2027-01-31`")
    }
}

impl std::error::Error for InvalidDate {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_since_1970_are_days_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_454, "2026-01-01"),
            (-1, "1969-12-31"),
        ] {
            assert_eq!(Date::from_unix_days(days).to_string(), text);
        }
    }

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        assert!("2028-02-29".parse::<Date>().is_ok());
        for text in [
            "2027-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-1-31",
            "27-01-31",
            "2027-01-32",
            "soon",
            "",
            "+027-01-01",
        ] {
            assert_eq!(text.parse::<Date>(), Err(InvalidDate), "{text}");
        }
    }
}
