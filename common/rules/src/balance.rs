//! Whose turn it is: the replica of a call, the link of a client's request.

/// The choice of the `n`-th decision (from 0) among `choices` in turn; `None` where there is nothing to choose.
///
/// The counter is the caller's, one per link and calling place, so that no two places share one.
#[must_use]
pub fn turn(n: u64, choices: usize) -> Option<usize> {
    let choices = u64::try_from(choices).ok()?;
    usize::try_from(n.checked_rem(choices)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn goes_round() {
        let picks: Vec<_> = (0..5).map(|n| turn(n, 3)).collect();
        assert_eq!(picks, [Some(0), Some(1), Some(2), Some(0), Some(1)]);
        assert_eq!(turn(7, 0), None);
    }

    proptest! {
        #[test]
        fn any_whole_rounds_are_even(start in 0..u64::MAX / 2, choices in 1..100_usize, rounds in 1..5_usize) {
            let mut taken = vec![0; choices];
            for n in 0..choices * rounds {
                taken[turn(start + n as u64, choices).unwrap()] += 1;
            }
            prop_assert!(taken.iter().all(|count| *count == rounds));
        }
    }
}
