use super::*;

const ENCODINGS: [Encoding; 2] = [Encoding::Binary, Encoding::Compact];

fn message(bytes: usize) -> Message {
    Message::new(vec![b'x'; bytes], "text/plain".to_owned(), None, "hs=1".to_owned())
}

fn asking(encoding: Encoding, mode: Mode, message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_asking(&mut bytes, encoding, mode, 7, message).unwrap();
    bytes
}

#[test]
fn what_is_asked_is_read_and_how_much_that_was() {
    for encoding in ENCODINGS {
        let mut bytes = asking(encoding, Mode::Call, &message(300));
        let whole = bytes.len();
        bytes.extend(asking(encoding, Mode::Oneway, &message(0)));
        let (first, took) = read_asked(&bytes, encoding).unwrap();
        assert_eq!((first.name.as_str(), first.sequence, took), ("call", 7, whole));
        assert!(matches!(first.wanted, Wanted::Reply(read) if read == message(300)));
        let (second, rest) = read_asked(&bytes[took..], encoding).unwrap();
        assert!(matches!(second.wanted, Wanted::Nothing(read) if read == message(0)));
        assert_eq!(took + rest, bytes.len());
    }
}

#[test]
fn what_is_cut_short_never_asks_for_more_than_is_missing() {
    for encoding in ENCODINGS {
        let bytes = asking(encoding, Mode::Call, &message(300));
        for end in 0..bytes.len() {
            let Err(Fault::Short(missing)) = read_asked(&bytes[..end], encoding) else { panic!("{encoding:?} {end}") };
            assert!((1..=bytes.len() - end).contains(&missing), "{encoding:?} {end} {missing}");
        }
    }
}

#[test]
fn what_comes_back_is_read() {
    for encoding in ENCODINGS {
        let read = |outcome: &Outcome| {
            let mut bytes = Vec::new();
            write_reply(&mut bytes, encoding, ("call", 9), outcome).unwrap();
            let ((sequence, outcome), took) = read_reply(&bytes, encoding).unwrap();
            assert_eq!((sequence, took), (9, bytes.len()));
            outcome
        };
        assert!(matches!(read(&Outcome::Returned(message(5))), Outcome::Returned(read) if read == message(5)));
        assert!(matches!(read(&Outcome::Thrown(REFUSED)), Outcome::Thrown(REFUSED)));
        assert!(matches!(read(&Outcome::Thrown(FAILED)), Outcome::Thrown(FAILED)));
        let unknown = Outcome::Exception(refusal(ApplicationErrorKind::UnknownMethod, "none"));
        let Outcome::Exception(error) = read(&unknown) else { panic!("{encoding:?}") };
        assert_eq!((error.kind, error.message.as_str()), (ApplicationErrorKind::UnknownMethod, "none"));
    }
}

#[test]
fn what_a_node_does_not_have_is_read_to_its_end_and_told() {
    let other = |name: &str, kind| {
        let mut bytes = Vec::new();
        write(&mut bytes, Encoding::Binary, |into| {
            into.write_message_begin(&TMessageIdentifier::new(name, kind, 1))?;
            into.write_struct_begin(&TStructIdentifier::new("Arguments"))?;
            into.write_field_begin(&TFieldIdentifier::new("other", TType::I64, 2))?;
            into.write_i64(1)?;
            end_struct(into)
        })
        .unwrap();
        let (asked, took) = read_asked(&bytes, Encoding::Binary).unwrap();
        assert_eq!(took, bytes.len());
        let Wanted::Unknown(reason) = asked.wanted else { panic!("{asked:?}") };
        reason.map(|reason| reason.kind)
    };
    assert_eq!(other("elsewhere", TMessageType::Call), Some(ApplicationErrorKind::UnknownMethod));
    assert_eq!(other("elsewhere", TMessageType::OneWay), None);
    assert_eq!(other(CALL, TMessageType::Call), Some(ApplicationErrorKind::ProtocolError));
    assert_eq!(other(CALL, TMessageType::Reply), Some(ApplicationErrorKind::InvalidMessageType));
}

#[test]
fn a_body_that_is_announced_as_too_large_is_not_waited_for() {
    let mut bytes = asking(Encoding::Binary, Mode::Call, &message(1));
    // The version, the method's name, the sequence number, two fields' heads: then the body's length.
    let at = 4 + (4 + CALL.len()) + 4 + 3 + 3;
    bytes[at..at + 4].copy_from_slice(&u32::try_from(BODY_LIMIT + 1).unwrap().to_be_bytes());
    assert!(matches!(read_asked(&bytes, Encoding::Binary), Err(Fault::TooLarge)));
}
