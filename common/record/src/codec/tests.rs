use super::*;
use crate::event::Event;
use crate::id::{LinkIndex, MessageId, PlaceIndex, SourceId, TraceId};
use crate::kind::Kind;
use proptest::prelude::*;

fn encode(events: &[Event]) -> Vec<u8> {
    let mut out = Vec::new();
    EventEncoder::new().encode(events, &mut out).unwrap();
    out
}

fn decode(bytes: &[u8]) -> Result<Vec<Event>, EventsError> {
    let mut events = vec![Event::new(9, Kind(9))];
    EventDecoder::new().decode(bytes, &mut events).map(|()| events)
}

/// A call, then the next one like it: what is predicted costs no byte.
fn golden_events() -> Vec<Event> {
    let call = |number, time, kind, place, a| Event {
        trace: TraceId::new(SourceId(1), number),
        message: MessageId::new(SourceId(1), number, 1),
        place: PlaceIndex(place),
        link: LinkIndex(0),
        a,
        ..Event::new(time, kind)
    };
    vec![
        Event { a: 2, ..Event::new(-5, Kind::PHASE_BEGAN) },
        call(1, 1_000, Kind::INTENDED, 0, 900),
        call(1, 1_100, Kind::SENT, 0, 0),
        call(1, 2_000, Kind::COMPLETED, 0, 200),
        call(2, 2_010, Kind::INTENDED, 0, 1_900),
        call(2, 2_100, Kind::SENT, 0, 0),
        call(2, 3_000, Kind::COMPLETED, 0, 200),
    ]
}

#[test]
fn the_bytes_of_a_batch_are_fixed() {
    let bytes = encode(&golden_events());
    #[rustfmt::skip]
    let golden: &[u8] = &[
        // count, then lengths of times, sites and values
        7, 19, 19, 21,
        // times: -5, then steps
        0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
        0xed, 7, 100, 0x84, 7, 10, 90, 0x84, 7,
        // sites: four new ones (kind, link + 1, place + 1), then rows
        0, 68, 0, 0, 0, 1, 1, 1, 0, 3, 1, 1, 0, 8, 1, 1, 2, 3, 4,
        // controls: the second call differs in the schedule's time only
        0x11, 0x21, 1, 0x11, 0x20, 0, 0,
        // values: a new origin, a = 2
        0, 0, 0, 0, 0, 0, 4,
        // a new origin, a = time - 100
        0, 1, 1, 1, 0, 0, 0xc7, 1,
        // origin 2; origin 2, a = 200; a = time - 110
        2, 2, 0x90, 3, 0xdb, 1,
    ];
    assert_eq!(bytes, golden, "{bytes:02x?}");
    assert_eq!(decode(golden), Ok(golden_events()));
}

#[test]
fn no_events_are_a_batch() {
    assert_eq!(encode(&[]), [0, 0, 0, 0]);
    assert_eq!(decode(&[0, 0, 0, 0]), Ok(Vec::new()));
}

#[test]
fn a_batch_cut_short_anywhere_or_too_long_is_an_error() {
    let mut bytes = encode(&golden_events());
    for len in 0..bytes.len() {
        assert!(decode(&bytes[..len]).is_err(), "cut at {len}");
    }
    bytes.push(0);
    assert_eq!(decode(&bytes), Err(EventsError::TrailingBytes));
}

#[test]
fn a_count_beyond_the_limit_is_refused_whatever_follows() {
    let mut bytes = Vec::new();
    crate::bytes::put_varint(&mut bytes, MAX_EVENTS as u64 + 1);
    bytes.extend([0; 8]);
    assert_eq!(decode(&bytes), Err(EventsError::TooMany(65_537)));
}

#[test]
fn events_out_of_order_are_refused_and_write_nothing() {
    let events = [Event::new(2, Kind::SENT), Event::new(1, Kind::SENT)];
    let mut out = vec![7];
    assert_eq!(EventEncoder::new().encode(&events, &mut out), Err(EncodeError::NotSorted(1)));
    assert_eq!(out, [7]);
}

#[test]
fn rows_that_were_not_given_and_controls_without_a_meaning_are_refused() {
    // One event, time 0, naming site 1 of none.
    assert_eq!(decode(&[1, 1, 1, 0, 0, 1, 0]), Err(EventsError::UnknownRow(0)));
    // A new site, yet no origin has been named there.
    assert_eq!(decode(&[1, 1, 4, 0, 0, 0, 1, 0, 0, 0]), Err(EventsError::UnknownRow(0)));
    for bits in [0x81, 0x31] {
        let bytes = [1, 1, 4, 6, 0, 0, 1, 0, 0, bits, 0, 0, 0, 0, 0, 0];
        assert_eq!(decode(&bytes), Err(EventsError::BadControl(0)));
    }
}

#[test]
fn a_time_out_of_range_is_refused() {
    let mut bytes = vec![2, 11, 5, 6, 0];
    bytes.extend([0xff; 9]);
    bytes.push(1); // -1 more than the time before
    bytes.extend([0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(decode(&bytes), Err(EventsError::BadTime(1)));
}

fn any_event() -> impl Strategy<Value = Event> {
    // Few sites and sources, so that rows and contexts are met again; all the rest is anything.
    let number = prop_oneof![0..4_u64, any::<u64>()];
    let source = prop_oneof![0..3_u16, any::<u16>()];
    let attempt = prop_oneof![0..3_u8, any::<u8>()];
    let id = (source, number.clone(), attempt);
    let site = (
        prop_oneof![0..4_u16, any::<u16>()],
        prop_oneof![0..3_u16, Just(u16::MAX), any::<u16>()],
        prop_oneof![0..3_u32, Just(u32::MAX), any::<u32>()],
    );
    let time = prop_oneof![-1_000..1_000_i64, any::<i64>()];
    (time, site, (id.clone(), id.clone(), id), number.clone(), number).prop_map(|(time, site, (t, m, p), a, b)| Event {
        time,
        trace: TraceId::new(SourceId(t.0), t.1),
        message: MessageId::new(SourceId(m.0), m.1, m.2),
        parent: MessageId::new(SourceId(p.0), p.1, p.2),
        a,
        b,
        place: PlaceIndex(site.2),
        kind: Kind(site.0),
        link: LinkIndex(site.1),
    })
}

proptest! {
    #[test]
    fn any_events_come_back(mut events in prop::collection::vec(any_event(), 0..300)) {
        events.sort_by_key(|event| event.time);
        prop_assert_eq!(decode(&encode(&events)), Ok(events));
    }

    #[test]
    fn a_used_encoder_and_decoder_do_as_new_ones(
        mut first in prop::collection::vec(any_event(), 0..50),
        mut second in prop::collection::vec(any_event(), 0..50),
    ) {
        first.sort_by_key(|event| event.time);
        second.sort_by_key(|event| event.time);
        let (mut encoder, mut decoder) = (EventEncoder::new(), EventDecoder::new());
        let mut used = Vec::new();
        encoder.encode(&first, &mut used).unwrap();
        let mut events = Vec::new();
        decoder.decode(&used, &mut events).unwrap();
        used.clear();
        encoder.encode(&second, &mut used).unwrap();
        prop_assert_eq!(&used, &encode(&second));
        decoder.decode(&used, &mut events).unwrap();
        prop_assert_eq!(events, second);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut events = vec![Event::new(0, Kind(1))];
        if EventDecoder::new().decode(&bytes, &mut events).is_err() {
            prop_assert!(events.is_empty());
        }
    }

    #[test]
    fn a_batch_with_bytes_changed_is_decoded_or_refused(at in 0..60_usize, to: u8) {
        let mut bytes = encode(&golden_events());
        let len = bytes.len();
        bytes[at % len] = to;
        if let Ok(events) = decode(&bytes) {
            prop_assert!(events.windows(2).all(|pair| pair[0].time <= pair[1].time));
        }
    }
}

/// More sites and origins than the encoder's slots can keep apart.
#[test]
fn thousands_of_sites_and_origins_come_back() {
    let events: Vec<_> = (0..20_000_u32)
        .map(|n| Event {
            message: MessageId::new(SourceId((n % 5_000) as u16), u64::from(n), 1),
            place: PlaceIndex(n % 7_000),
            ..Event::new(i64::from(n), Kind::SENT)
        })
        .collect();
    assert!(decode(&encode(&events)) == Ok(events));
}
