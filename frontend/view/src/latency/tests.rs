use super::*;

const MS: i64 = 1_000_000;

fn lengths(took: impl IntoIterator<Item = i64>) -> Vec<Length> {
    took.into_iter().zip(0..).map(|(took, n)| Length { began: n * MS, took: took * MS }).collect()
}

#[test]
fn percentiles_are_by_rank() {
    let course = Course::of(lengths((1..=100).rev()).into_iter(), (0, 99 * MS), 1, 10);
    assert_eq!(course.all, Ranks { count: 100, p50: 50 * MS, p90: 90 * MS, p99: 99 * MS });
    assert_eq!((course.least, course.most), (MS, 100 * MS));
    assert_eq!(course.stretches, [course.all]);
    let one = Course::of(lengths([7]).into_iter(), (0, MS), 2, 4);
    assert_eq!(one.all, Ranks { count: 1, p50: 7 * MS, p90: 7 * MS, p99: 7 * MS });
    assert_eq!(one.bars, [0, 0, 1, 0], "what is all alike stands in the middle");
}

#[test]
fn every_trace_is_in_the_stretch_in_which_it_was_wanted_and_in_one_bar() {
    let course = Course::of(lengths([1, 10, 100, 1_000]).into_iter(), (0, 3 * MS), 4, 3);
    assert_eq!(course.stretches.iter().map(|part| part.count).collect::<Vec<_>>(), [1, 1, 1, 1]);
    assert_eq!(course.stretches[2].p50, 100 * MS);
    assert_eq!(course.bars, [1, 1, 2], "equal factors are equal widths, and the longest is in the last bar");
    assert!((course.position(10 * MS) - 1.0 / 3.0).abs() < 1e-9);
    assert!(course.position(5_000 * MS) <= 1.0 && course.position(0) >= 0.0);
}

#[test]
fn what_lies_outside_of_the_extent_counts_in_the_distribution_alone() {
    let early = Length { began: -MS, took: MS };
    let course = Course::of([early, Length { began: 0, took: 2 * MS }].into_iter(), (0, 10 * MS), 2, 2);
    assert_eq!(course.all.count, 2);
    assert_eq!(course.stretches.iter().map(|part| part.count).sum::<usize>(), 1);
}

#[test]
fn nothing_has_no_percentiles() {
    let course = Course::of(std::iter::empty(), (0, 0), 3, 3);
    assert_eq!((course.all.count, course.bars.iter().sum::<usize>(), course.stretches.len()), (0, 0, 3));
}
