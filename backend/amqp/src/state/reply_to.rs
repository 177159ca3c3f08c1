//! Direct reply-to: a consumer of the pseudo-queue `amq.rabbitmq.reply-to` gets replies straight, through no queue.
//!
//! A publish whose `reply_to` names the pseudo-queue leaves with an address of that consumer in its place; what is
//! published to that address through the default exchange goes to the consumer, or nowhere once it is gone.

use amq_protocol::protocol::{AMQPClass, BasicProperties, basic};
use amq_protocol::types::ShortString;

use super::deliver::write_delivery;
use super::{Item, State};
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};
use crate::wire;

/// The pseudo-queue; an address is it, a dot and a token.
pub(super) const PSEUDO_QUEUE: &str = "amq.rabbitmq.reply-to";

impl<O: Observer> State<O> {
    /// The address that takes the pseudo-queue's place in a publish, where it asks for a reply there.
    pub(super) fn reply_to_token(
        &mut self,
        id: ConnectionId,
        number: u16,
        properties: &BasicProperties,
    ) -> Result<Option<ShortString>, Fault> {
        if properties.reply_to().as_ref().is_none_or(|address| address.as_str() != PSEUDO_QUEUE) {
            return Ok(None);
        }
        let Some((_, token)) = self.channel(id, number)?.reply_to else {
            return Err(Fault::precondition_failed("fast reply consumer does not exist"));
        };
        Ok(Some(wire::short(&format!("{PSEUDO_QUEUE}.{token:016x}"))))
    }

    /// Adds the consumer; one per channel, without acknowledgement.
    pub(super) fn consume_replies(
        &mut self,
        id: ConnectionId,
        number: u16,
        tag: ShortString,
        consume: &basic::Consume,
    ) -> Result<(), Fault> {
        if !consume.no_ack {
            return Err(Fault::precondition_failed("reply consumer cannot acknowledge"));
        }
        if self.channel(id, number)?.reply_to.is_some() {
            return Err(Fault::precondition_failed("reply consumer already set"));
        }
        let token = self.mint_token(id);
        self.channel(id, number)?.reply_to = Some((tag.clone(), token));
        self.reply_to.insert(token, (id, number));
        if !consume.nowait {
            let method = basic::AMQPMethod::ConsumeOk(basic::ConsumeOk { consumer_tag: tag });
            self.send(id, number, &AMQPClass::Basic(method));
        }
        Ok(())
    }

    /// Takes the consumer out, where this is its tag.
    pub(super) fn cancel_replies(&mut self, id: ConnectionId, number: u16, tag: &ShortString) -> bool {
        let Ok(channel) = self.channel(id, number) else { return false };
        let Some((_, token)) = channel.reply_to.take_if(|(own, _)| own == tag) else { return false };
        self.reply_to.remove(&token).is_some()
    }

    /// Whether this is the pseudo-queue, or an address that still has its consumer.
    pub(super) fn is_reply_address(&self, name: &ShortString) -> bool {
        let name = name.as_str();
        name == PSEUDO_QUEUE || token(name).is_some_and(|token| self.reply_to.contains_key(&token))
    }

    /// Hands a reply to the consumers of these tokens; `false` where none of them waits for it.
    pub(super) fn reply(&mut self, tokens: &[u64], message: &Item<O>) -> bool {
        let mut replied = false;
        for token in tokens {
            replied |= self.reply_to_one(*token, message);
        }
        replied
    }

    fn reply_to_one(&mut self, token: u64, message: &Item<O>) -> bool {
        let Some((id, number)) = self.reply_to.get(&token) else { return false };
        let Some(connection) = self.connections.get_mut(id) else { return false };
        let Some(channel) = connection.channels.get_mut(number) else { return false };
        let Some((tag, _)) = channel.reply_to.clone() else { return false };
        // No queue holds it back: a client that does not read loses it.
        if connection.outbox.is_full() {
            return false;
        }
        let delivery_tag = channel.next_delivery_tag();
        write_delivery(connection, *number, &tag, delivery_tag, false, message);
        true
    }

    /// A token that nobody could guess from another: counted, then mixed with when the broker began.
    fn mint_token(&mut self, id: ConnectionId) -> u64 {
        loop {
            let counted = self.mint().rotate_left(32) ^ id.get();
            let mixed = std::hash::BuildHasher::hash_one(self.queues.hasher(), counted);
            if !self.reply_to.contains_key(&mixed) {
                return mixed;
            }
        }
    }
}

/// The token of such an address; `None` for any other text.
pub(super) fn token(address: &str) -> Option<u64> {
    let digits = address.strip_prefix(PSEUDO_QUEUE)?.strip_prefix('.')?;
    u64::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 16)
}
