//! What the cases expect of each protocol: in what terms it says what a call came to.

use anyhow::{Result, bail};
use hopscope_record::Kind;
use hopscope_scenario::protocol::Protocol;

/// A protocol's own terms.
pub(crate) struct Terms {
    /// The status of a good reply.
    pub(crate) good: u16,
    /// The status of a reply that says "not now".
    pub(crate) refused: u16,
    /// The status of a reply that says that it went wrong.
    pub(crate) failed: u16,
    /// Whether a reply that is not good has a body too.
    pub(crate) bodies_of_errors: bool,
    /// The connections that two calls need of which the second is made while the first still waits for its reply, or after
    /// it was given up.
    pub(crate) connections_of_two: usize,
}

impl Terms {
    /// The status that an attempt is closed with by a reply.
    pub(crate) fn status(&self, closing: Kind) -> u64 {
        u64::from(match closing {
            Kind::REFUSED => self.refused,
            Kind::FAILED => self.failed,
            _ => self.good,
        })
    }

    /// How many of these bytes a reply that is not good has.
    pub(crate) fn of_error(&self, bytes: u64) -> u64 {
        if self.bodies_of_errors { bytes } else { 0 }
    }
}

/// The terms of a protocol of calls.
pub(crate) fn terms(protocol: Protocol) -> Result<&'static Terms> {
    Ok(match protocol {
        Protocol::Http1 => {
            &Terms { good: 200, refused: 503, failed: 500, bodies_of_errors: true, connections_of_two: 2 }
        }
        Protocol::InProcess => {
            &Terms { good: 200, refused: 503, failed: 500, bodies_of_errors: true, connections_of_two: 0 }
        }
        // OK, RESOURCE_EXHAUSTED, INTERNAL; one connection carries every call.
        Protocol::Grpc => &Terms { good: 0, refused: 8, failed: 13, bodies_of_errors: false, connections_of_two: 1 },
        // The field of the result that is set; an exception has only its reason.
        Protocol::Thrift => &Terms { good: 0, refused: 1, failed: 2, bodies_of_errors: false, connections_of_two: 2 },
        Protocol::Amqp | Protocol::Kafka => bail!("it carries no calls"),
    })
}
