use super::*;

#[test]
fn lengths_have_their_natural_unit_and_three_digits() {
    let shown = [0, 412, 8_410, 84_100, 841_000, 8_410_000, 1_500_000_000, 61_000_000_000, -12_340].map(duration);
    let wanted = ["0 ns", "412 ns", "8.41 µs", "84.1 µs", "841 µs", "8.41 ms", "1.50 s", "61.0 s", "−12.3 µs"];
    assert_eq!(shown, wanted);
    // Rounding may carry into the next unit.
    assert_eq!(duration(999_999), "1.00 ms");
    assert_eq!(duration(9_996_000), "10.0 ms");
    let edges = [999_499, 999_500, 999_600_000, u64::MAX].map(length);
    assert_eq!(edges, ["999 µs", "1.00 ms", "1.00 s", "18446744074 s"]);
}

#[test]
fn times_stamps_and_rates() {
    assert_eq!(clock(2_417_093_512), "2.417 093 s");
    assert_eq!(clock(-1_500), "−0.000 001 s");
    assert_eq!(stamp(-2_417_093_512), "−2,417,093,512 ns");
    let rates = [19.94, 19.96, 999.94, 999.96, 1_499.6].map(rate);
    assert_eq!(rates, ["19.9/s", "20.0/s", "999.9/s", "1,000/s", "1,500/s"]);
}

#[test]
fn factors_have_two_digits() {
    let shown = [1.0, 3.12, 9.96, 57.4, 3_674.0, 3_049_999.0].map(factor);
    assert_eq!(shown, ["1.0", "3.1", "10", "57", "3,700", "3,000,000"]);
}

#[test]
fn digits_are_grouped_from_the_right() {
    assert_eq!(["1", "123", "1234", "-123456"].map(grouped), ["1", "123", "1,234", "-123,456"]);
}
