//! What a client says, on its channel. Each verb that has a reply notes it.

mod consuming;
mod declaring;
mod publishing;

use amq_protocol::protocol::{AMQPClass, basic, channel, exchange, queue, tx};
use amq_protocol::types::AMQPValue;
use anyhow::{Context as _, Result};
pub(crate) use hopscope_tests::tables::{table, text};

use crate::peer::{Heard, Peer};

/// A number of 32 bits.
pub(crate) const fn int(number: i32) -> AMQPValue {
    AMQPValue::LongInt(number)
}

/// A queue that is there until it is deleted.
pub(crate) fn queue(name: &str) -> queue::Declare {
    queue::Declare { queue: name.into(), ..queue::Declare::default() }
}

/// The same with arguments.
pub(crate) fn queue_with(name: &str, arguments: &[(&str, AMQPValue)]) -> queue::Declare {
    queue::Declare { arguments: table(arguments), ..queue(name) }
}

/// An exchange that is there until it is deleted.
pub(crate) fn exchange(name: &str, kind: &str) -> exchange::Declare {
    exchange::Declare { exchange: name.into(), kind: kind.into(), ..exchange::Declare::default() }
}

/// The same with arguments.
pub(crate) fn exchange_with(name: &str, kind: &str, arguments: &[(&str, AMQPValue)]) -> exchange::Declare {
    exchange::Declare { arguments: table(arguments), ..exchange(name, kind) }
}

/// A consumer that acknowledges.
pub(crate) fn consumer(queue: &str, tag: &str) -> basic::Consume {
    basic::Consume { queue: queue.into(), consumer_tag: tag.into(), ..basic::Consume::default() }
}

/// The same with arguments.
pub(crate) fn consumer_with(queue: &str, tag: &str, arguments: &[(&str, AMQPValue)]) -> basic::Consume {
    basic::Consume { arguments: table(arguments), ..consumer(queue, tag) }
}

/// A message that may get lost on its way.
pub(crate) fn message(exchange: &str, key: &str) -> basic::Publish {
    basic::Publish { exchange: exchange.into(), routing_key: key.into(), ..basic::Publish::default() }
}

fn of_basic(method: basic::AMQPMethod) -> AMQPClass {
    AMQPClass::Basic(method)
}

impl Peer {
    /// Asks on the channel that is spoken on.
    pub(crate) async fn say(&mut self, method: AMQPClass) -> Result<Option<Heard>> {
        self.ask(self.on, method).await
    }

    /// Opens another channel, or the same again, and speaks on it from now on.
    pub(crate) async fn turn_to(&mut self, channel: u16) -> Result<()> {
        self.on = channel;
        self.channel(channel).await
    }

    pub(crate) async fn close_channel(&mut self) -> Result<()> {
        let close = channel::Close { reply_code: 200, reply_text: "done".into(), class_id: 0, method_id: 0 };
        self.say(AMQPClass::Channel(channel::AMQPMethod::Close(close))).await?;
        Ok(())
    }

    /// Agrees to the end of a channel.
    async fn close_ok(&mut self, channel: u16) -> Result<()> {
        self.send(channel, AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {}))).await
    }

    pub(crate) async fn tx_select(&mut self) -> Result<()> {
        self.say(AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {}))).await?;
        Ok(())
    }

    pub(crate) async fn tx_commit(&mut self) -> Result<()> {
        self.say(AMQPClass::Tx(tx::AMQPMethod::Commit(tx::Commit {}))).await?;
        Ok(())
    }

    pub(crate) async fn tx_rollback(&mut self) -> Result<()> {
        self.say(AMQPClass::Tx(tx::AMQPMethod::Rollback(tx::Rollback {}))).await?;
        Ok(())
    }

    /// Waits for what the broker has to say to something that has no reply, such as the end of the channel.
    pub(crate) async fn answer(&mut self) -> Result<()> {
        self.reply().await.map(|_| ())
    }

    /// Asks for something that changes nothing, so that all before it has been worked off on this channel.
    pub(crate) async fn settle_down(&mut self) -> Result<()> {
        let flow = channel::AMQPMethod::Flow(channel::Flow { active: true });
        self.ask(self.on, AMQPClass::Channel(flow)).await?.context("no answer")?;
        Ok(())
    }
}
