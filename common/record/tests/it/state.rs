//! The fold on whole runs, prefix by prefix.

use crate::lawful::queued::{self, Queued};
use crate::lawful::{self, Shape};
use hopscope_record::kind::{ControlAction, LATE, LinkCount, Phase, PlaceCount};
use hopscope_record::state::{LinkDisturbed, LinkState, PlaceDisturbed, PlaceState, State};
use hopscope_record::{Event, Kind, LinkIndex, PlaceIndex};
use proptest::prelude::*;

const PLACES: usize = 3;
const LINKS: usize = 2;

fn closed(link: &LinkState) -> u64 {
    [LinkCount::Completed, LinkCount::Failed, LinkCount::TimedOut, LinkCount::Refused, LinkCount::Cancelled]
        .into_iter()
        .map(|count| link.count(count))
        .sum()
}

fn consistent(link: &LinkState) -> bool {
    let sent = link.count(LinkCount::Sent);
    link.open >= 0 && sent == closed(link) + link.open as u64
}

fn in_levels(place: &PlaceState) -> bool {
    let [received, started, finished] =
        [PlaceCount::Received, PlaceCount::Started, PlaceCount::Finished].map(|count| place.count(count) as i64);
    let turned_away = received - started - place.waiting;
    place.waiting >= 0
        && turned_away >= 0
        && place.busy == started - finished
        && (0..=place.max_busy).contains(&place.busy)
}

fn sums(state: &State) -> bool {
    let open: i64 = state.links().iter().map(|link| link.open).sum();
    let busy: i64 = state.places().iter().map(|place| place.busy).sum();
    let waiting: i64 = state.places().iter().map(|place| place.waiting).sum();
    let sent: u64 = state.links().iter().map(|link| link.count(LinkCount::Sent)).sum();
    (open, busy, waiting) == (state.all_links.open, state.all_places.busy, state.all_places.waiting)
        && sent == state.all_links.count(LinkCount::Sent)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_prefix_of_a_run_is_consistent(
        seed: u64, sources in 1..5_u16, workers in 1..5_usize, unusual in 0..40_u64, period in 10_000..400_000_u64,
    ) {
        let shape = Shape { messages: 150, period, work: 100_000, sources, workers, unusual, seed };
        let mut state = State::new(PLACES, LINKS);
        for event in lawful::run(shape) {
            state.apply(&event);
            prop_assert!(state.links().iter().all(consistent), "{event:?} {state:?}");
            prop_assert!(state.places().iter().all(in_levels), "{event:?} {state:?}");
            prop_assert!(sums(&state));
            prop_assert!(state.places().iter().all(|place| place.busy <= workers as i64));
            let root = &state.links()[0];
            let begun = root.count(LinkCount::Sent) + root.count(LinkCount::NotSent);
            prop_assert!(begun <= root.count(LinkCount::Intended));
        }
        let root = &state.links()[0];
        prop_assert_eq!(root.count(LinkCount::Intended), 150);
        prop_assert_eq!(root.count(LinkCount::Sent) + root.count(LinkCount::NotSent), 150);
        prop_assert!(state.links().iter().all(|link| link.open == 0));
        prop_assert!(state.places().iter().all(|place| place.busy == 0 && place.waiting == 0));
        prop_assert_eq!(state.phase, Some(Phase::Measured));
    }

    #[test]
    fn every_prefix_of_a_run_through_queues_is_consistent(
        seed: u64, consumers in 1..4_u32, prefetch in 1..5_usize, acks_after_work: bool, replies: bool, unusual in 0..25_u64,
    ) {
        let (period, work) = (150_000, 150_000);
        let shape = Queued { messages: 60, period, work, consumers, prefetch, acks_after_work, replies, unusual, seed };
        let mut state = State::new(consumers as usize + 4, 4);
        for event in queued::run(shape) {
            state.apply(&event);
            prop_assert!(state.places().iter().all(|place| place.ready >= 0 && place.unacked >= 0), "{event:?} {state:?}");
            prop_assert!(state.links().iter().all(|link| link.open >= 0), "{event:?} {state:?}");
            let (links, places) = (&state.all_links, &state.all_places);
            let [acked, nacked, requeued] =
                [LinkCount::Acked, LinkCount::Nacked, LinkCount::Requeued].map(|count| links.count(count) as i64);
            let [put, taken, gone] = [PlaceCount::Enqueued, PlaceCount::Delivered, PlaceCount::Discarded]
                .map(|count| places.count(count) as i64);
            prop_assert_eq!(places.ready, put + requeued - taken - gone);
            prop_assert_eq!(places.unacked, taken - acked - nacked - requeued);
        }
        prop_assert_eq!(state.unknown, 0);
    }

    #[test]
    fn any_events_are_folded(kinds in prop::collection::vec((0..80_u16, any::<u64>(), any::<u16>(), any::<u32>()), 0..200)) {
        let mut state = State::new(PLACES, LINKS);
        for (kind, a, link, place) in &kinds {
            let (link, place) = (LinkIndex(*link), PlaceIndex(*place));
            state.apply(&Event { a: *a, link, place, ..Event::new(0, Kind(*kind)) });
        }
        prop_assert_eq!(state.events, kinds.len() as u64);
    }
}

#[test]
fn a_late_reply_closes_nothing_a_second_time() {
    let mut state = State::new(1, 1);
    let event = |kind, a| Event { a, link: LinkIndex(0), place: PlaceIndex(0), ..Event::new(0, kind) };
    for event in [event(Kind::SENT, 0), event(Kind::TIMED_OUT, 10), event(Kind::COMPLETED, 200 | LATE)] {
        state.apply(&event);
    }
    let link = state.links()[0];
    assert_eq!((link.open, link.late, link.count(LinkCount::Completed), link.count(LinkCount::TimedOut)), (0, 1, 0, 1));
}

#[test]
fn a_retried_message_is_counted_by_attempts() {
    let mut state = State::new(1, 1);
    let event = |kind, a| Event { a, link: LinkIndex(0), place: PlaceIndex(0), ..Event::new(0, kind) };
    let (sent, retried) = (event(Kind::SENT, 0), Event { b: 2, ..event(Kind::RETRIED, 5) });
    for event in [sent, event(Kind::TIMED_OUT, 10), retried, sent, event(Kind::FAILED, 500 | LATE)] {
        state.apply(&event);
    }
    let link = state.links()[0];
    let counts = [LinkCount::Sent, LinkCount::TimedOut, LinkCount::Retried, LinkCount::Failed];
    assert_eq!((counts.map(|count| link.count(count)), link.open, link.late), ([2, 1, 1, 0], 1, 1));
}

#[test]
fn a_request_that_was_turned_away_waits_for_nothing() {
    let mut state = State::new(1, 1);
    let event = |a| Event { a, link: LinkIndex(0), place: PlaceIndex(0), ..Event::new(0, Kind::RECEIVED) };
    state.apply(&event(1));
    assert_eq!(state.places()[0].waiting, 0);
    state.apply(&event(0));
    assert_eq!((state.places()[0].waiting, state.places()[0].count(PlaceCount::Received)), (1, 2));
}

#[test]
fn an_unknown_kind_is_counted_as_such_and_nowhere_else() {
    let mut state = State::new(1, 1);
    state.apply(&Event::new(3, Kind(999)));
    let mut expected = State::new(1, 1);
    (expected.events, expected.unknown, expected.time) = (1, 1, Some(3));
    assert_eq!(state, expected);
}

/// Control events of place 0 and link 0, one after the other, and what is so after each.
#[test]
fn what_was_done_to_a_place_or_a_link_is_so_until_it_is_undone() {
    let mut state = State::new(1, 1);
    let event = |action: ControlAction, b| Event { a: action as u64, b, ..Event::new(0, Kind::CONTROL) };
    let mut at_place = |action, b| {
        state.apply(&Event { place: PlaceIndex(0), ..event(action, b) });
        state.places()[0].disturbed
    };
    let none = PlaceDisturbed::default();
    assert_eq!(at_place(ControlAction::Pause, 0), PlaceDisturbed { paused: 1, ..none });
    assert_eq!(at_place(ControlAction::Crash, 0), PlaceDisturbed { crashed: 1, ..none });
    assert!(at_place(ControlAction::Start, 0).is_none());
    assert_eq!(at_place(ControlAction::BrokerKilled, 0), PlaceDisturbed { crashed: 1, ..none });
    assert!(at_place(ControlAction::BrokerStarted, 0).is_none());
    assert_eq!(at_place(ControlAction::Rate, 500_000), PlaceDisturbed { rate: 500_000, ..none });
    assert!(at_place(ControlAction::Rate, 0).is_none());
    let mut at_link = |action, b| {
        state.apply(&Event { link: LinkIndex(0), ..event(action, b) });
        state.links()[0].disturbed
    };
    let none = LinkDisturbed::default();
    assert_eq!(at_link(ControlAction::Delay, 50), LinkDisturbed { delay: 50, ..none });
    assert_eq!(at_link(ControlAction::Cut, 0), LinkDisturbed { cut: 1, delay: 50, ..none });
    assert!(at_link(ControlAction::Mend, 0).is_none());
    assert_eq!(at_link(ControlAction::Throttle, 1_000), LinkDisturbed { throttle: 1_000, ..none });
}

#[test]
fn nobody_waits_where_a_process_has_exited() {
    let mut state = State::new(2, 1);
    let event = |kind, place| Event { link: LinkIndex(0), place: PlaceIndex(place), ..Event::new(0, kind) };
    for (kind, place) in [(Kind::RECEIVED, 0), (Kind::RECEIVED, 1), (Kind::STARTED, 0), (Kind::RECEIVED, 0)] {
        state.apply(&event(kind, place));
    }
    state.apply(&event(Kind::PROCESS_EXITED, 0));
    let levels = |place: &PlaceState| (place.waiting, place.busy);
    assert_eq!((levels(&state.places()[0]), levels(&state.places()[1])), ((0, 0), (1, 0)));
    assert_eq!(levels(&state.all_places), (1, 0));
}
