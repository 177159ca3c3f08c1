use hopscope_record::Kind;

use super::*;

fn events(times: impl IntoIterator<Item = i64>) -> Vec<Event> {
    times.into_iter().map(|time| Event::new(time, Kind::SENT)).collect()
}

#[test]
fn what_fits_is_one_frame_up_to_the_cut() {
    let all = events(0..MAX_EVENTS as i64);
    assert_eq!(split(&all, 1 << 20), (all.as_slice(), 1 << 20, [].as_slice()));
}

#[test]
fn events_of_one_instant_are_not_torn_apart() {
    let most = MAX_EVENTS as i64;
    let all = events((0..most - 1).chain([most, most, most, most + 5]));
    let (part, cut, rest) = split(&all, most + 9);
    assert_eq!((part.len(), cut, rest.len()), (MAX_EVENTS - 1, most - 1, 4));
    assert_eq!(split(rest, most + 9).1, most + 9);
}

#[test]
fn an_instant_with_more_events_than_a_frame_holds_still_gets_frames() {
    let all = events(std::iter::repeat_n(7, MAX_EVENTS + 1));
    let (part, cut, rest) = split(&all, 9);
    assert_eq!((part.len(), cut, rest.len()), (MAX_EVENTS, 7, 1));
}
