//! What is around a message: a call with its arguments, and a reply with its result.

use std::io::Read;

use hopscope_scenario::model::{Encoding, Mode};
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TCompactInputProtocol, TCompactOutputProtocol, TFieldIdentifier,
    TInputProtocol, TMessageIdentifier, TMessageType, TOutputProtocol, TSerializable, TStructIdentifier, TType,
};
use thrift::{ApplicationError, ApplicationErrorKind, Error, ProtocolErrorKind, TConfiguration};

use super::BODY_LIMIT;
use super::generated::{Failed, Message, Refused};
use super::header::Unreadable;

/// The method that waits for its reply, and the one that does not.
const CALL: &str = "call";
const SEND: &str = "send";
/// What no service has.
const QUESTION: &str = "hopscope_settled";

/// The fields of a call's result: a Thrift service returns 0, or throws one of the others.
pub(super) const SUCCESS: i16 = 0;
pub(super) const REFUSED: i16 = 1;
pub(super) const FAILED: i16 = 2;

/// Why nothing can be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// At least so many bytes are missing.
    Short(usize),
    /// Something in it is larger than it may be.
    TooLarge,
    /// The frame that it is in is no THeader that is known.
    Header(Unreadable),
    /// It is no message.
    Malformed(Error),
}

/// What a replica is asked.
#[derive(Debug)]
pub(super) struct Asked {
    /// The method that was called.
    pub(super) name: String,
    /// What the reply repeats.
    pub(super) sequence: i32,
    /// What is wanted.
    pub(super) wanted: Wanted,
}

/// What a caller wants.
#[derive(Debug)]
pub(super) enum Wanted {
    /// A reply to this.
    Reply(Message),
    /// That this is taken.
    Nothing(Message),
    /// What a node does not have: the reason, for who waits for a reply.
    Unknown(Option<ApplicationError>),
}

/// What a call came to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It returned.
    Returned(Message),
    /// It threw [`REFUSED`], [`FAILED`], or what the service's description does not have: the field's number.
    Thrown(i16),
    /// The receiver could not do it.
    Exception(ApplicationError),
}

/// Reads what a replica is asked, with the bytes that it took.
///
/// # Errors
/// When that cannot be read.
pub(super) fn read_asked(bytes: &[u8], encoding: Encoding) -> Result<(Asked, usize), Fault> {
    read(bytes, encoding, |from| {
        let TMessageIdentifier { name, message_type, sequence_number: sequence } = from.read_message_begin()?;
        let waits = message_type != TMessageType::OneWay;
        let wanted = match (name.as_str(), message_type) {
            (_, TMessageType::Reply | TMessageType::Exception) => {
                from.skip(TType::Struct)?;
                let reason = "a node is called, and answers nothing that it did not ask";
                Wanted::Unknown(Some(refusal(ApplicationErrorKind::InvalidMessageType, reason)))
            }
            (CALL, TMessageType::Call) => argument(from)?.map_or_else(|| no_argument(true), Wanted::Reply),
            // Old clients say of it that it is a call.
            (SEND, _) => argument(from)?.map_or_else(|| no_argument(false), Wanted::Nothing),
            _ => {
                from.skip(TType::Struct)?;
                let reason = format!("a node has the methods {CALL} and {SEND} (oneway)");
                Wanted::Unknown(waits.then(|| refusal(ApplicationErrorKind::UnknownMethod, &reason)))
            }
        };
        from.read_message_end()?;
        Ok(Asked { name, sequence, wanted })
    })
}

fn no_argument(waits: bool) -> Wanted {
    Wanted::Unknown(waits.then(|| refusal(ApplicationErrorKind::ProtocolError, "the argument 1, message, is missing")))
}

pub(super) fn refusal(kind: ApplicationErrorKind, reason: &str) -> ApplicationError {
    ApplicationError::new(kind, reason)
}

/// The argument of both methods, if it is there.
fn argument(from: &mut dyn TInputProtocol) -> thrift::Result<Option<Message>> {
    let mut message = None;
    each_field(from, |from, id| {
        let known = id == 1;
        if known {
            message = Some(Message::read_from_in_protocol(from)?);
        }
        Ok(known)
    })?;
    Ok(message)
}

/// Goes through the fields of a struct; those that `take` does not know are skipped, as are those that are no structs.
fn each_field(
    from: &mut dyn TInputProtocol,
    mut take: impl FnMut(&mut dyn TInputProtocol, i16) -> thrift::Result<bool>,
) -> thrift::Result<()> {
    from.read_struct_begin()?;
    loop {
        let TFieldIdentifier { field_type, id, .. } = from.read_field_begin()?;
        if field_type == TType::Stop {
            break;
        }
        let known = match (field_type, id) {
            (TType::Struct, Some(id)) => take(from, id)?,
            _ => false,
        };
        if !known {
            from.skip(field_type)?;
        }
        from.read_field_end()?;
    }
    from.read_struct_end()
}

/// Appends a call, or a message that nobody answers.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_asking(
    into: &mut Vec<u8>,
    encoding: Encoding,
    mode: Mode,
    sequence: i32,
    message: &Message,
) -> thrift::Result<()> {
    write(into, encoding, |into| {
        let (name, kind) = match mode {
            Mode::Call => (CALL, TMessageType::Call),
            Mode::Oneway => (SEND, TMessageType::OneWay),
        };
        into.write_message_begin(&TMessageIdentifier::new(name, kind, sequence))?;
        into.write_struct_begin(&TStructIdentifier::new("Arguments"))?;
        into.write_field_begin(&TFieldIdentifier::new("message", TType::Struct, 1))?;
        message.write_to_out_protocol(into)?;
        end_struct(into)
    })
}

/// Appends a call without arguments of a method that no service has: who answers it has taken what came before it.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_question(into: &mut Vec<u8>, encoding: Encoding, sequence: i32) -> thrift::Result<()> {
    write(into, encoding, |into| {
        into.write_message_begin(&TMessageIdentifier::new(QUESTION, TMessageType::Call, sequence))?;
        into.write_struct_begin(&TStructIdentifier::new("Arguments"))?;
        into.write_field_stop()?;
        into.write_struct_end()?;
        into.write_message_end()
    })
}

/// Appends the reply to a call.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_reply(
    into: &mut Vec<u8>,
    encoding: Encoding,
    (name, sequence): (&str, i32),
    outcome: &Outcome,
) -> thrift::Result<()> {
    write(into, encoding, |into| {
        let begin = |into: &mut dyn TOutputProtocol, kind| {
            into.write_message_begin(&TMessageIdentifier::new(name, kind, sequence))
        };
        let field = |into: &mut dyn TOutputProtocol, id| {
            begin(into, TMessageType::Reply)?;
            into.write_struct_begin(&TStructIdentifier::new("Result"))?;
            into.write_field_begin(&TFieldIdentifier::new("result", TType::Struct, id))
        };
        match outcome {
            Outcome::Exception(error) => {
                begin(into, TMessageType::Exception)?;
                Error::write_application_error_to_out_protocol(error, into)?;
                return into.write_message_end();
            }
            Outcome::Returned(message) => {
                field(into, SUCCESS)?;
                message.write_to_out_protocol(into)?;
            }
            Outcome::Thrown(REFUSED) => {
                field(into, REFUSED)?;
                Refused::new("The waiting room is full.".to_owned()).write_to_out_protocol(into)?;
            }
            Outcome::Thrown(_) => {
                field(into, FAILED)?;
                Failed::new("The work failed.".to_owned()).write_to_out_protocol(into)?;
            }
        }
        end_struct(into)
    })
}

/// Ends the one field of a struct, it, and the message that it is.
fn end_struct(into: &mut dyn TOutputProtocol) -> thrift::Result<()> {
    into.write_field_end()?;
    into.write_field_stop()?;
    into.write_struct_end()?;
    into.write_message_end()
}

/// Reads what a call came to and the sequence number that it repeats, with the bytes that it took.
///
/// # Errors
/// When that cannot be read.
pub(super) fn read_reply(bytes: &[u8], encoding: Encoding) -> Result<((i32, Outcome), usize), Fault> {
    read(bytes, encoding, |from| {
        let TMessageIdentifier { message_type, sequence_number, .. } = from.read_message_begin()?;
        let outcome = if message_type == TMessageType::Exception {
            Outcome::Exception(Error::read_application_error_from_in_protocol(from)?)
        } else {
            let mut outcome = None;
            each_field(from, |from, id| {
                if id == SUCCESS {
                    outcome = Some(Outcome::Returned(Message::read_from_in_protocol(from)?));
                } else {
                    outcome.get_or_insert(Outcome::Thrown(id));
                }
                Ok(id == SUCCESS)
            })?;
            let nothing = || refusal(ApplicationErrorKind::MissingResult, "the reply has no result");
            outcome.unwrap_or_else(|| Outcome::Exception(nothing()))
        };
        from.read_message_end()?;
        Ok((sequence_number, outcome))
    })
}

fn write(
    into: &mut Vec<u8>,
    encoding: Encoding,
    work: impl FnOnce(&mut dyn TOutputProtocol) -> thrift::Result<()>,
) -> thrift::Result<()> {
    match encoding {
        Encoding::Binary => work(&mut TBinaryOutputProtocol::new(into, true)),
        Encoding::Compact => work(&mut TCompactOutputProtocol::new(into)),
    }
}

fn read<T>(
    bytes: &[u8],
    encoding: Encoding,
    work: impl FnOnce(&mut dyn TInputProtocol) -> thrift::Result<T>,
) -> Result<(T, usize), Fault> {
    let limits = TConfiguration::builder().max_string_size(Some(BODY_LIMIT)).build().map_err(Fault::Malformed)?;
    let mut source = Source { rest: bytes, missing: 0 };
    let result = match encoding {
        Encoding::Binary => work(&mut TBinaryInputProtocol::with_config(&mut source, true, limits)),
        Encoding::Compact => work(&mut TCompactInputProtocol::with_config(&mut source, limits)),
    };
    match result {
        Ok(read) => Ok((read, bytes.len() - source.rest.len())),
        Err(_) if source.missing > 0 => Err(Fault::Short(source.missing)),
        Err(Error::Protocol(error)) if error.kind == ProtocolErrorKind::SizeLimit => Err(Fault::TooLarge),
        Err(error) => Err(Fault::Malformed(error)),
    }
}

/// Bytes that are there, and how many more were wanted: what comes in pieces is read anew when those are there, and no sooner.
struct Source<'a> {
    rest: &'a [u8],
    missing: usize,
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() && !into.is_empty() {
            self.missing = 1;
        }
        self.rest.read(into)
    }

    fn read_exact(&mut self, into: &mut [u8]) -> std::io::Result<()> {
        if self.rest.len() < into.len() {
            self.missing = into.len() - self.rest.len();
        }
        self.rest.read_exact(into)
    }
}

#[cfg(test)]
mod tests;
