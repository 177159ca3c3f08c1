use proptest::prelude::*;

use super::*;

const DIMENSIONS: [Dimension; 4] = [Dimension::Time, Dimension::Rate, Dimension::Size, Dimension::Share];

#[test]
fn reads_tolerantly_and_prints_one_way() {
    let cases = [
        (Dimension::Time, "40ms", "40 ms"),
        (Dimension::Time, " 40  ms ", "40 ms"),
        (Dimension::Time, "0.5us", "500 ns"),
        (Dimension::Time, "1.5 μs", "1.5 µs"),
        (Dimension::Time, "1500 ms", "1.5 s"),
        (Dimension::Time, "90 s", "90 s"),
        (Dimension::Time, "120 s", "2 min"),
        (Dimension::Time, "60 min", "1 h"),
        (Dimension::Time, "0.00 ms", "0 s"),
        (Dimension::Rate, "20 /s", "20/s"),
        (Dimension::Rate, "0.50/s", "0.5/s"),
        (Dimension::Size, "512B", "512 B"),
        (Dimension::Size, "1024 B", "1 KiB"),
        (Dimension::Size, "1.5 KiB", "1536 B"),
        (Dimension::Size, "0 B", "0 B"),
        (Dimension::Share, "5%", "5 %"),
        (Dimension::Share, " 150.0  % ", "150 %"),
        (Dimension::Share, "0.010 %", "0.01 %"),
        (Dimension::Share, "57.7 %", "57.7 %"),
        (Dimension::Share, "0%", "0 %"),
    ];
    for (dimension, text, printed) in cases {
        let base = dimension.parse(text).unwrap();
        assert_eq!(dimension.print(base), printed, "{text}");
    }
}

#[test]
fn says_what_is_wrong() {
    let cases = [
        (Dimension::Time, "", QuantityError::NotANumber),
        (Dimension::Time, "fast", QuantityError::NotANumber),
        (Dimension::Time, ".5 s", QuantityError::NotANumber),
        (Dimension::Time, "1. s", QuantityError::NotANumber),
        (Dimension::Time, "1.2.3 s", QuantityError::NotANumber),
        (Dimension::Time, "-1.2 s", QuantityError::Negative),
        (Dimension::Time, "40", QuantityError::MissingUnit),
        (Dimension::Time, "40 days", QuantityError::UnknownUnit),
        (Dimension::Time, "20/s", QuantityError::UnknownUnit),
        (Dimension::Rate, "20 s", QuantityError::UnknownUnit),
        (Dimension::Time, "0.5 ns", QuantityError::TooFine),
        (Dimension::Rate, "0.0000001/s", QuantityError::TooFine),
        (Dimension::Share, "0.05", QuantityError::MissingUnit),
        (Dimension::Share, "5 percent", QuantityError::UnknownUnit),
        (Dimension::Share, "0.00001 %", QuantityError::TooFine),
        (Dimension::Time, "99999999999999999999 s", QuantityError::TooLarge),
        (Dimension::Time, "9999999999999 h", QuantityError::TooLarge),
    ];
    for (dimension, text, error) in cases {
        assert_eq!(dimension.parse(text), Err(error), "{text}");
    }
}

#[test]
fn every_unit_is_among_the_allowed_ones_named() {
    for dimension in DIMENSIONS {
        for (unit, _) in dimension.units() {
            let named = dimension.allowed().contains(unit) || matches!(*unit, "us" | "μs");
            assert!(named, "{unit}");
            assert!(dimension.parse(&format!("1 {unit}")).is_ok());
        }
    }
}

proptest! {
    #[test]
    fn printing_then_reading_is_identity(base: u64) {
        for dimension in DIMENSIONS {
            prop_assert_eq!(dimension.parse(&dimension.print(base)), Ok(base));
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC*", digits in "[0-9.]{0,60}(ms|/s|KiB| h|%)?") {
        for dimension in DIMENSIONS {
            let _ = dimension.parse(&text);
            let _ = dimension.parse(&digits);
        }
    }
}

#[test]
fn a_share_is_a_ratio() {
    assert!((Share(577_000).ratio() - 0.577).abs() < 1e-12);
}
