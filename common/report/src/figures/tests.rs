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
fn limits_have_their_natural_unit() {
    let sizes = [0, 412, 1_000, 999_949, 999_950, 1_000_000, 999_950_000, 1_500_000_000, 50_000_000_000].map(size);
    assert_eq!(sizes, ["0 B", "412 B", "1.0 kB", "999.9 kB", "1.0 MB", "1.0 MB", "1.0 GB", "1.5 GB", "50.0 GB"]);
    assert_eq!([3_600, 43_200, 86_400, 1_209_600].map(age), ["1.0 h", "12.0 h", "1.0 d", "14.0 d"]);
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

#[test]
fn fixed_decimals_are_those_of_the_standard_library() {
    let apt = [
        0.0,
        0.05,
        0.15,
        0.25,
        0.5,
        1.5,
        2.5,
        0.999_5,
        9.995,
        99.95,
        999.95,
        1e-9,
        5e-324,
        0.1,
        123_456.789,
        1e15,
        1.8e19,
    ];
    let mut state = 7_u64;
    let random = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let scale = [1.0, 1e3, 1e6, 1e9][(state >> 8) as usize % 4];
        (state >> 11) as f64 / (1_u64 << 53) as f64 * scale
    });
    // Many halves of the last decimal are among the sums of powers of two.
    let halves = (0..4_096).map(|number| f64::from(number) / 64.0);
    for value in apt.into_iter().chain(random.take(20_000)).chain(halves) {
        let theirs = [format!("{value:.0}"), format!("{value:.1}"), format!("{value:.2}"), format!("{value:.4}")];
        assert_eq!([0, 1, 2, 4].map(|digits| fixed(value, digits).to_string()), theirs, "{value:?}");
    }
    assert_eq!([-12.34, -0.04].map(|value| fixed(value, 1).to_string()), ["-12.3", "0.0"]);
    assert_eq!([f64::NAN, f64::INFINITY].map(|value| fixed(value, 1).to_string()), ["NaN", "18446744073709551615.0"]);
}

#[test]
fn plain_decimals_say_something() {
    let shown = [0.0, 12.0, 120.5, -7.25, 1.0 / 3.0, 0.999_9, -0.000_1].map(|value| plain(value).to_string());
    assert_eq!(shown, ["0", "12", "120.5", "-7.25", "0.333", "1", "0"]);
}
