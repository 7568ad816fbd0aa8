//! The date of `Expires`: the IMF-fixdate of RFC 9110 5.6.7, which is the only form that RFC 6265bis 4.1.1 permits.

const DAY: u64 = 86_400;
/// The last second of the year 9999: the form has four digits for the year.
const LAST: u64 = 253_402_300_799;
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The epoch: a date that is past for every client.
pub(super) const PAST: &str = "Thu, 01 Jan 1970 00:00:00 GMT";

/// Formats seconds since the Unix epoch. Years after 9999 become its end.
pub(super) fn imf_fixdate(seconds: u64) -> String {
    let seconds = seconds.min(LAST);
    let (days, time) = (seconds / DAY, seconds % DAY);
    let (year, month, day) = civil(days);
    let weekday = WEEKDAYS[((days + 4) % 7) as usize];
    let month = MONTHS[month];
    let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Year, month from zero, and day from one, of a day since the epoch, in the Gregorian calendar.
fn civil(mut days: u64) -> (u64, usize, u64) {
    // Years begin on 1 March here, so that the leap day comes last. Eras are 400 years, which all have as many days.
    days += 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    (year, usize::try_from(month).unwrap_or_default(), day)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn by_chrono(seconds: u64) -> String {
        let instant = DateTime::<Utc>::from_timestamp(i64::try_from(seconds).unwrap(), 0).unwrap();
        instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    #[test]
    fn known_dates_are_written_as_the_standard_writes_them() {
        for (seconds, text) in [
            (0, PAST),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (LAST, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (LAST + 1, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(imf_fixdate(seconds), text);
        }
    }

    #[test]
    fn every_day_of_five_centuries_agrees_with_the_calendar() {
        for day in 0..200_000 {
            let seconds = day * DAY + day * 7_919 % DAY;
            assert_eq!(imf_fixdate(seconds), by_chrono(seconds));
        }
    }
}
