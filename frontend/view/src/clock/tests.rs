use proptest::prelude::*;

use super::*;
use crate::buffer::Tempo;

const SECOND: i64 = 1_000_000_000;

/// Two calls of 40.2 ms, a second apart.
fn tempos() -> Tempos {
    let one = |at: i64| {
        [
            (at, Tempo::Flying),
            (at + 100_000, Tempo::Held),
            (at + 40 * MS + 100_000, Tempo::Flying),
            (at + 40 * MS + 200_000, Tempo::Idle),
        ]
    };
    Tempos::of(&[one(0), one(SECOND)].concat())
}

const LAST: i64 = SECOND + 40 * MS + 200_000;

fn warp(scale: Scale) -> Warp {
    Warp::new(scale, Some(40 * MS + 200_000), Some(100_000), Some(40 * MS), 1.0)
}

fn timeline(tempos: &Tempos, ended: bool) -> Timeline<'_> {
    Timeline { head: LAST, extent: Some((0, LAST)), ended, tempos }
}

/// Screen time in ms until the whole run was shown, in frames of 10 ms.
fn whole(warp: &Warp) -> i64 {
    let tempos = tempos();
    let mut time = 0;
    for frame in 0.. {
        if time >= LAST {
            return frame * 10;
        }
        time = warp.advance(time, 10 * MS, &tempos, (0, LAST));
    }
    0
}

#[test]
fn to_scale_the_median_passage_takes_a_second_and_a_half_and_idle_time_is_passed_over() {
    assert!((whole(&warp(Scale::ToScale)) - (1_500 + 250 + 1_500)).abs() <= 20);
}

#[test]
fn evened_both_ways_can_be_seen() {
    let each = 500 + 600 + 500;
    assert!((whole(&warp(Scale::Even)) - (each + 250 + each)).abs() <= 20);
    let fast = Warp::new(Scale::Even, None, Some(100_000), Some(40 * MS), 4.0);
    assert!((fast.factor() - 1_250.0).abs() < 1e-6 && (fast.held_factor() - 3.75).abs() < 1e-6);
}

#[test]
fn live_stays_at_the_head_and_never_runs_ahead_of_it() {
    let tempos = tempos();
    let (mut clock, warp) = (Clock::live(true), warp(Scale::Even));
    clock.tick(16 * MS, timeline(&tempos, false), &warp);
    assert_eq!(clock.time(), LAST - BEHIND);
    for _ in 0..20 {
        clock.tick(16 * MS, timeline(&tempos, false), &warp);
    }
    assert_eq!((clock.time(), clock.mode()), (LAST, Mode::Live));
}

#[test]
fn after_the_end_it_rewinds_and_plays_once() {
    let tempos = tempos();
    let (mut clock, warp) = (Clock::live(true), warp(Scale::Even));
    let mut modes = Vec::new();
    for _ in 0..1_000 {
        clock.tick(16 * MS, timeline(&tempos, true), &warp);
        if modes.last() != Some(&clock.mode()) {
            modes.push(clock.mode());
        }
        if clock.mode() == Mode::Replay && clock.time() == 0 {
            assert!(clock.is_playing());
        }
    }
    assert_eq!(modes, [Mode::Live, Mode::Replay]);
    assert_eq!((clock.time(), clock.is_playing()), (LAST, false));
    clock.play(timeline(&tempos, true));
    assert_eq!((clock.time(), clock.is_playing()), (0, true));
}

#[test]
fn without_motion_the_replay_waits() {
    let tempos = tempos();
    let (mut clock, warp) = (Clock::live(false), warp(Scale::Even));
    for _ in 0..400 {
        clock.tick(16 * MS, timeline(&tempos, true), &warp);
    }
    assert_eq!((clock.mode(), clock.time(), clock.is_playing()), (Mode::Replay, 0, false));
}

#[test]
fn a_pause_or_a_scrub_leaves_the_head_and_follow_goes_back() {
    let tempos = tempos();
    let (mut clock, warp) = (Clock::live(true), warp(Scale::Even));
    clock.tick(16 * MS, timeline(&tempos, false), &warp);
    clock.pause(timeline(&tempos, false));
    assert_eq!((clock.mode(), clock.is_playing()), (Mode::Replay, false));
    clock.seek(-5, timeline(&tempos, false));
    assert_eq!(clock.time(), 0);
    clock.follow(timeline(&tempos, true));
    assert_eq!(clock.mode(), Mode::Replay);
    clock.follow(timeline(&tempos, false));
    assert_eq!((clock.mode(), clock.time(), clock.is_playing()), (Mode::Live, LAST, true));
}

#[test]
fn steps_go_through_every_event_even_of_one_instant() {
    let times = [10, 20, 20, 30];
    let mut seen = Vec::new();
    let (mut current, mut time) = (None, 0);
    for _ in 0..6 {
        current = step(&times, current, time, true);
        time = current.map_or(time, |index| times[index]);
        seen.extend(current);
    }
    assert_eq!(seen, [0, 1, 2, 3, 3, 3]);
    assert_eq!(step(&times, Some(2), 20, false), Some(1));
    assert_eq!(step(&times, Some(0), 25, false), Some(2));
    assert_eq!(step(&times, None, 5, false), Some(3));
    assert_eq!(step(&times, None, 99, true), Some(0));
    assert_eq!(step(&[], None, 5, true), None);
}

proptest! {
    #[test]
    fn the_warp_is_monotone_and_arrives(
        cuts in prop::collection::btree_set(0_i64..SECOND, 1..30),
        frames in prop::collection::vec(1_i64..40 * MS, 1..50),
        even in any::<bool>(),
        speed in 0.1_f64..64.0,
    ) {
        let kinds = [Tempo::Flying, Tempo::Held, Tempo::Idle];
        let changes: Vec<_> = cuts.into_iter().zip(kinds.into_iter().cycle()).collect();
        let tempos = Tempos::of(&changes);
        let scale = if even { Scale::Even } else { Scale::ToScale };
        let warp = Warp::new(scale, Some(MS), Some(50_000), Some(900_000), speed);
        let (mut time, mut total) = (0, 0);
        for frame in frames {
            let next = warp.advance(time, frame, &tempos, (0, SECOND));
            prop_assert!(next > time || next == SECOND);
            (time, total) = (next, total + frame);
        }
        // In one step it comes as far as in many, up to a ns of rounding for each.
        let at_once = warp.advance(0, total, &tempos, (0, SECOND));
        prop_assert!((at_once - time).abs() <= 1_000_000, "{at_once} {time}");
        prop_assert_eq!(warp.advance(0, i64::MAX, &tempos, (0, SECOND)), SECOND);
    }
}
