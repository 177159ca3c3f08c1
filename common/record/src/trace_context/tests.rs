use super::*;
use crate::id::SourceId;
use proptest::prelude::*;

const KEY: RunKey = RunKey(0x0011_2233_4455_6677);

fn sent() -> Identity {
    Identity { trace: TraceId::new(SourceId(1), 5), message: MessageId::new(SourceId(2), 9, 3), link: LinkIndex(42) }
}

fn parent_of(identity: &Identity, key: RunKey) -> Option<TraceParent> {
    TraceParent::parse(&identity.traceparent(key))
}

#[test]
fn headers_are_printed_as_documented() {
    assert_eq!(&sent().traceparent(KEY), b"00-00112233445566770001000000000005-0002000000000903-01");
    assert_eq!(sent().tracestate().as_bytes(), b"hs=0001000000000005.0002000000000903.42");
}

#[test]
fn traceparents_that_the_standard_forbids_are_ignored() {
    let good = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert!(TraceParent::parse(good).is_some());
    for bad in [
        "",
        "00",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
    ] {
        assert_eq!(TraceParent::parse(bad.as_bytes()), None, "{bad}");
    }
    let newer = b"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more";
    assert_eq!(TraceParent::parse(newer), TraceParent::parse(good));
}

#[test]
fn our_member_is_found_among_others() {
    let ours = String::from_utf8(sent().tracestate().as_bytes().to_vec()).unwrap();
    for list in [format!("{ours},a=b"), format!("a=b , {ours}"), format!("a=b,,\t{ours},hs=x")] {
        assert_eq!(parse_tracestate(list.as_bytes()), Some(sent()), "{list}");
    }
    for none in [
        "",
        "hs=",
        "ahs=0001000000000005.0002000000000903.42",
        "hs=0001000000000005.0002000000000903.",
        "hs=0001000000000005.0002000000000903.65535",
        "hs=0001000000000005.0002000000000903.99999",
        "hs=0001000000000005.0002000000000903.000042",
        "hs=0001000000000005.0002000000000903.-1",
        "hs=0000000000000000.0002000000000903.42",
        "hs=0001000000000005.0000000000000000.42",
        "hs=0001000000000005-0002000000000903.42",
    ] {
        assert_eq!(parse_tracestate(none.as_bytes()), None, "{none}");
    }
}

#[test]
fn a_message_over_a_link_that_ends_here_is_itself() {
    let arrival = arriving(KEY, parent_of(&sent(), KEY), Some(sent()), |link| link == LinkIndex(42));
    assert_eq!(arrival, Arrival::Itself(sent()));
}

#[test]
fn headers_copied_on_make_a_child_of_the_copied_message() {
    let arrival = arriving(KEY, parent_of(&sent(), KEY), Some(sent()), |_| false);
    assert_eq!(arrival, Arrival::Child { trace: sent().trace, parent: sent().message });
}

#[test]
fn a_program_with_a_span_of_its_own_still_joins() {
    let own = TraceParent { high: KEY.0, low: sent().trace.0, span: 0xabc };
    // It hands tracestate on: our message is the parent.
    let arrival = arriving(KEY, Some(own), Some(sent()), |_| false);
    assert_eq!(arrival, Arrival::Child { trace: sent().trace, parent: sent().message });
    // It drops tracestate: its span is the parent.
    let arrival = arriving(KEY, Some(own), None, |_| true);
    assert_eq!(arrival, Arrival::Child { trace: sent().trace, parent: MessageId(0xabc) });
}

#[test]
fn what_is_not_of_this_run_is_a_root() {
    let other = RunKey(KEY.0 + 1);
    assert_eq!(arriving(KEY, None, None, |_| true), Arrival::Root);
    assert_eq!(arriving(KEY, None, Some(sent()), |_| true), Arrival::Root);
    assert_eq!(arriving(KEY, parent_of(&sent(), other), Some(sent()), |_| true), Arrival::Root);
}

#[test]
fn a_member_of_another_trace_is_passed_over() {
    let stale = Identity { trace: TraceId(1), ..sent() };
    let arrival = arriving(KEY, parent_of(&sent(), KEY), Some(stale), |_| true);
    assert_eq!(arrival, Arrival::Child { trace: sent().trace, parent: sent().message });
}

proptest! {
    #[test]
    fn an_identity_comes_back(key: u64, trace in 1..u64::MAX, message in 1..u64::MAX, link in 0..u16::MAX) {
        let identity = Identity { trace: TraceId(trace), message: MessageId(message), link: LinkIndex(link) };
        let parent = TraceParent::parse(&identity.traceparent(RunKey(key)));
        prop_assert_eq!(parent, Some(TraceParent { high: key, low: trace, span: message }));
        prop_assert_eq!(parse_tracestate(identity.tracestate().as_bytes()), Some(identity));
        let arrival = arriving(RunKey(key), parent, Some(identity), |_| true);
        prop_assert_eq!(arrival, Arrival::Itself(identity));
    }

    #[test]
    fn any_header_is_read_or_ignored(value: Vec<u8>) {
        let _ = TraceParent::parse(&value);
        let _ = parse_tracestate(&value);
    }

    #[test]
    fn headers_almost_right_are_read_or_ignored(at in 0..60_usize, byte: u8, cut in 0..60_usize) {
        let mut parent = sent().traceparent(KEY).to_vec();
        let mut state = sent().tracestate().as_bytes().to_vec();
        for value in [&mut parent, &mut state] {
            let len = value.len();
            value[at % len] = byte;
            value.truncate(cut);
        }
        let _ = TraceParent::parse(&parent);
        let _ = parse_tracestate(&state);
    }
}
