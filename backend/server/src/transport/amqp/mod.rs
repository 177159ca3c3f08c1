//! AMQP 0-9-1, by lapin: a connection per end of a link, the default exchange, publisher confirms.
//!
//! `Published` is stamped before lapin has the message, so before its first byte; a confirm, a delivery and a reply after
//! their last byte is read, when lapin hands them out. The consumer's tag is `hs.<source>`: with the delivery tag it makes
//! the delivery's id, at the queue and here, and the message's headers stay as they are. A connection calls itself by the run
//! and the link that it serves: what comes over another one is no message of ours, whatever headers it was handed.

mod consumer;
mod properties;
mod publisher;
mod session;

use std::sync::Arc;

use hopscope_record::{LinkIndex, PlaceIndex, RunKey, SourceId};
use hopscope_scenario::protocol::Protocol;

pub(crate) use properties::claimed;

use super::messaging::{Consumer, Inbound, Messaging, Outbound};
use super::{BoxFuture, Caller, Intake, TransportError};
use crate::record::Recorder;

/// AMQP 0-9-1.
#[derive(Clone, Copy, Debug)]
pub struct Amqp;

impl Messaging for Amqp {
    fn protocol(&self) -> Protocol {
        Protocol::Amqp
    }

    fn publisher(
        &self,
        outbound: Outbound,
        recorder: Recorder,
    ) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>> {
        Box::pin(async move {
            let publisher = publisher::open(outbound, recorder).await?;
            Ok(publisher as Arc<dyn Caller>)
        })
    }

    fn consumer(
        &self,
        inbound: Inbound,
        intake: Intake,
    ) -> BoxFuture<'static, Result<Box<dyn Consumer>, TransportError>> {
        Box::pin(async move {
            let consumer = consumer::open(inbound, intake).await?;
            Ok(Box::new(consumer) as Box<dyn Consumer>)
        })
    }
}

const TAG: &str = "hs.";

/// The tag of a consumer whose deliveries have this source.
fn consumer_tag(source: SourceId) -> String {
    format!("{TAG}{}", source.0)
}

/// The source that a consumer's tag names, if it is one of ours.
pub(crate) fn source_of(tag: &str) -> Option<SourceId> {
    tag.strip_prefix(TAG)?.parse().ok().map(SourceId)
}

const NAME: &str = "hopscope ";

/// What a connection calls itself that serves a link at a place.
fn connection_name(run_key: RunKey, place: PlaceIndex, link: LinkIndex) -> String {
    format!("{NAME}{:016x} {} {}", run_key.0, place.0, link.0)
}

/// The link that a connection serves, by what it calls itself, if it is one of this run's.
pub(crate) fn served_by(name: &str, run_key: RunKey) -> Option<LinkIndex> {
    let (of, rest) = name.strip_prefix(NAME)?.split_once(' ')?;
    let (_, link) = rest.split_once(' ')?;
    let link = link.parse().ok().map(LinkIndex);
    link.filter(|_| u64::from_str_radix(of, 16) == Ok(run_key.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_link_of_its_run() {
        let name = connection_name(RunKey(9), PlaceIndex(3), LinkIndex(7));
        assert_eq!(served_by(&name, RunKey(9)), Some(LinkIndex(7)));
        assert_eq!(served_by(&name, RunKey(8)), None);
        for foreign in ["", "hopscope", "hopscope 9", "hopscope 9 3", "hopscope 9 3 x", "pika"] {
            assert_eq!(served_by(foreign, RunKey(9)), None);
        }
    }

    #[test]
    fn a_tag_names_its_source() {
        assert_eq!(source_of(&consumer_tag(SourceId(7))), Some(SourceId(7)));
        for foreign in ["", "hs.", "hs.x", "ctag1.7", "hs.70000"] {
            assert_eq!(source_of(foreign), None);
        }
    }
}
