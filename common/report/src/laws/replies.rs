//! Replies through queues: each that closes a publish was received before.
//!
//! The reply that a client takes is a delivery of another publish; what both have in common is the trace, and the link
//! whose replies they are. So they are counted against each other, and forgotten when the counts are equal.

use hopscope_record::kind::{Admission, Attempt};
use hopscope_record::{Event, Kind, KindInfo, LinkIndex, MessageId, TraceId};
use hopscope_scenario::text;

use super::attempt::is_reply;
use super::links::Links;
use super::tally::{Book, args};
use super::{Breach, Law};
use crate::numbered::Numbered;

/// Replies whose counts differ so far: by the trace, those to publishes over each link.
#[derive(Default)]
pub(super) struct Replies(Numbered<Vec<(LinkIndex, Pairs)>>);

/// The replies of one trace to publishes over one link.
#[derive(Default)]
struct Pairs {
    received: u64,
    closing: u64,
    /// Times of the first and of the last one received.
    received_at: Option<(i64, i64)>,
    /// Of the first and of the last one that closed a publish.
    closing_at: Option<(i64, i64)>,
    /// The publish that was closed last.
    message: Option<MessageId>,
}

impl Replies {
    /// Takes an event, if it is a reply received or closes a publish with one.
    pub(super) fn take(&mut self, event: &Event, info: &KindInfo, links: &Links, book: &mut Book) {
        let Some(link) = links.get(event.link) else { return };
        let received = event.kind == Kind::RECEIVED && event.a == Admission::Taken as u64;
        let closing = link.awaits_reply && info.attempt == Attempt::Closes && is_reply(event, info);
        let of = match (received, closing) {
            (true, _) if !link.replies_of.is_none() => link.replies_of,
            (_, true) => event.link,
            _ => return,
        };
        let links = self.0.get_or_insert_with(event.trace.0, Vec::new);
        let row = links.iter().position(|(link, _)| *link == of).unwrap_or_else(|| {
            links.push((of, Pairs::default()));
            links.len() - 1
        });
        let (_, pairs) = &mut links[row];
        if closing {
            pairs.closing += 1;
            pairs.closing_at = widened(pairs.closing_at, event.time);
            pairs.message = Some(event.message);
        } else {
            pairs.received += 1;
            pairs.received_at = widened(pairs.received_at, event.time);
        }
        if pairs.received == pairs.closing {
            pairs.judge(event.trace, true, book);
            links.remove(row);
            if links.is_empty() {
                self.0.remove(event.trace.0);
            }
        }
    }

    /// Judges what is not even; `complete`: nothing more can come.
    pub(super) fn judge(&self, complete: bool, book: &mut Book) {
        for (trace, links) in self.0.iter() {
            links.iter().for_each(|(_, pairs)| pairs.judge(TraceId(trace), complete, book));
        }
    }
}

impl Pairs {
    fn judge(&self, trace: TraceId, complete: bool, book: &mut Book) {
        let missing = self.closing.saturating_sub(self.received);
        // However they pair: the first of one is not before the first of the other, nor the last before the last.
        let early = match (self.received_at, self.closing_at) {
            (Some(received), Some(closing)) if self.received == self.closing => {
                closing.0 < received.0 || closing.1 < received.1
            }
            _ => false,
        };
        if !early && (missing == 0 || !complete) {
            book.held(Law::Steps, self.closing - missing);
            return book.undecided(Law::Steps, missing);
        }
        let wrong = missing.max(1);
        book.held(Law::Steps, self.closing - wrong);
        book.broken_by(Law::Steps, wrong, || Breach {
            trace,
            message: self.message.unwrap_or(MessageId::NONE),
            times: self.closing_at.into_iter().map(|(_, last)| last).collect(),
            text: text!("law.breach.reply-not-received"),
            args: args([]),
        });
    }
}

fn widened(range: Option<(i64, i64)>, time: i64) -> Option<(i64, i64)> {
    Some(range.map_or((time, time), |(first, last)| (first.min(time), last.max(time))))
}
