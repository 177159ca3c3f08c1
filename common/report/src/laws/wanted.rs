//! What became of the messages that schedules wanted.

use hopscope_record::kind::{Attempt as Effect, Count, LinkCount};
use hopscope_record::{Event, KindInfo, MessageId, TraceId};
use hopscope_scenario::text;

use super::tally::{Book, args};
use super::{Breach, Law};
use crate::numbered::Numbered;

/// One message: that it was wanted, and how that was settled, as far as known.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    trace: TraceId,
    message: MessageId,
    intended: Option<i64>,
    settled: Option<(&'static str, i64)>,
}

/// Takes an event, if it wants a message or settles one; forgets the message once both are known.
pub(super) fn take(wanted: &mut Numbered<Wanted>, event: &Event, info: &'static KindInfo, book: &mut Book) {
    let intends = info.counts == Count::Link(LinkCount::Intended);
    // A root's first attempt is what a schedule wanted; a call of a service has a parent.
    let is_sent = info.attempt == Effect::Opens && info.counts == Count::Link(LinkCount::Sent);
    let is_first = is_sent && event.parent.is_none() && event.message.attempt() == 1;
    let settles = is_first || info.counts == Count::Link(LinkCount::NotSent);
    if !intends && !settles {
        return;
    }
    let key = event.message.message();
    let fresh = || Wanted { trace: event.trace, message: event.message, intended: None, settled: None };
    let row = wanted.get_or_insert_with(key, fresh);
    let taken = if intends { row.intended.is_some() } else { row.settled.is_some() };
    if taken {
        book.broken(Law::Intended, || Breach {
            text: text!("law.breach.intended-twice"),
            args: args([("event", info.name.to_owned())]),
            ..row.breach(vec![event.time])
        });
        return;
    }
    if intends {
        row.intended = Some(event.time);
    } else {
        row.settled = Some((info.name, event.time));
    }
    if row.intended.is_some() && row.settled.is_some() {
        book.held(Law::Intended, 1);
        wanted.remove(key);
    }
}

impl Wanted {
    /// Judges what is still waited for; `complete`: nothing more can come.
    pub(super) fn judge(&self, complete: bool, book: &mut Book) {
        if !complete {
            return book.undecided(Law::Intended, 1);
        }
        book.broken(Law::Intended, || match (self.settled, self.intended) {
            (Some((event, time)), _) => Breach {
                text: text!("law.breach.unintended"),
                args: args([("event", event.to_owned())]),
                ..self.breach(vec![time])
            },
            (None, intended) => self.breach(intended.into_iter().collect()),
        });
    }

    fn breach(&self, times: Vec<i64>) -> Breach {
        Breach { trace: self.trace, message: self.message, times, text: text!("law.breach.unsettled"), args: args([]) }
    }
}
