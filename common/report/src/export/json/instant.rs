//! Wall-clock times as RFC 3339 writes them.

const NS_PER_S: i64 = 1_000_000_000;
const S_PER_DAY: i64 = 86_400;

/// A wall-clock time, given in ns since 1970-01-01 UTC, to the ns: `2026-11-23T14:39:01.123456789Z`.
///
/// Any `i64` is in a year of four digits (1677 to 2262). Days to dates: Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms", `civil_from_days`: years are counted from March, in eras of 400 years.
pub(crate) fn rfc3339(unix_ns: i64) -> String {
    let (seconds, ns) = (unix_ns.div_euclid(NS_PER_S), unix_ns.rem_euclid(NS_PER_S));
    let (days, second) = (seconds.div_euclid(S_PER_DAY), seconds.rem_euclid(S_PER_DAY));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ns:09}Z")
}

/// What [`rfc3339`] wrote, back; `None` for any other text.
///
/// Dates to days: as above, `days_from_civil`.
pub(crate) fn unix_ns(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i64>().ok()).flatten()
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let second = number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    // Years are counted from March, in eras of 400 years.
    let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    let seconds = i128::from(days * S_PER_DAY + second);
    let ns = i64::try_from(seconds * i128::from(NS_PER_S) + i128::from(number(20, 29)?)).ok()?;
    // A month 13, a second 60, other marks in between: none of them comes back.
    (rfc3339(ns) == text).then_some(ns)
}

/// Year, month and day of a day counted from 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    // From 0000-03-01, which begins an era of 146,097 days.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        for (ns, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
            (1_795_444_741_123_456_789, "2026-11-23T14:39:01.123456789Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ] {
            assert_eq!(rfc3339(ns), text);
            assert_eq!(unix_ns(text), Some(ns));
        }
    }

    #[test]
    fn other_instants_are_refused() {
        for text in [
            "",
            "now",
            "2026-11-23T14:39:01Z",
            "2026-11-23T14:39:01.123456789+00:00",
            "2026-13-23T14:39:01.123456789Z",
            "2026-02-30T14:39:01.123456789Z",
            "2026-11-23T24:39:01.123456789Z",
            "2026-11-23T14:39:60.123456789Z",
            "2026-11-23 14:39:01.123456789Z",
            "2262-04-11T23:47:16.854775808Z",
            "9999-12-31T23:59:59.999999999Z",
            "+026-11-23T14:39:01.123456789Z",
        ] {
            assert_eq!(unix_ns(text), None, "{text}");
        }
    }
}
