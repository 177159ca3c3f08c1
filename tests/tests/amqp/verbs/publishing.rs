//! Messages on their way in, and what the broker says of them.

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame};
use amq_protocol::protocol::{AMQPClass, BasicProperties, basic, channel, confirm};
use anyhow::Result;

use super::{message, of_basic};
use crate::peer::{Heard, Peer};

impl Peer {
    /// Publishes without a word back.
    pub(crate) async fn publish(&mut self, exchange: &str, key: &str, body: &str) -> Result<()> {
        self.publish_as(message(exchange, key), BasicProperties::default(), body).await
    }

    pub(crate) async fn publish_as(
        &mut self,
        publish: basic::Publish,
        properties: BasicProperties,
        body: &str,
    ) -> Result<()> {
        self.send_content(self.on, of_basic(basic::AMQPMethod::Publish(publish)), properties, body.as_bytes()).await
    }

    /// Puts messages into a queue, one after the other, and waits until it has taken them.
    pub(crate) async fn fill(&mut self, queue: &str, bodies: &[&str]) -> Result<()> {
        self.fill_as(queue, &bodies.iter().map(|body| (*body, BasicProperties::default())).collect::<Vec<_>>()).await
    }

    /// The same with properties. On a channel of its own, so that no number of the other is used up.
    pub(crate) async fn fill_as(&mut self, queue: &str, messages: &[(&str, BasicProperties)]) -> Result<()> {
        const FILLING: u16 = 91;
        self.channel(FILLING).await?;
        let select = confirm::AMQPMethod::Select(confirm::Select { nowait: true });
        self.send(FILLING, AMQPClass::Confirm(select)).await?;
        for (body, properties) in messages {
            let publish = of_basic(basic::AMQPMethod::Publish(message("", queue)));
            self.send_content(FILLING, publish, properties.clone(), body.as_bytes()).await?;
        }
        let mut confirmed = 0;
        while confirmed < messages.len() as u64 {
            let heard = self.aside(|heard| heard.channel == FILLING && is_confirm(heard)).await?;
            confirmed = match heard.method {
                AMQPClass::Basic(basic::AMQPMethod::Ack(ack)) if ack.multiple => ack.delivery_tag,
                _ => confirmed + 1,
            };
        }
        let close = channel::Close { reply_code: 200, reply_text: "done".into(), class_id: 0, method_id: 0 };
        self.send(FILLING, AMQPClass::Channel(channel::AMQPMethod::Close(close))).await?;
        self.aside(|heard| heard.channel == FILLING).await?;
        Ok(())
    }

    /// Publishes a message of so many bytes, in frames of at most 100,000.
    pub(crate) async fn publish_large(&mut self, queue: &str, size: usize) -> Result<()> {
        let body: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
        self.send(self.on, of_basic(basic::AMQPMethod::Publish(message("", queue)))).await?;
        let header = AMQPContentHeader { class_id: 60, body_size: size as u64, properties: BasicProperties::default() };
        self.frame(&AMQPFrame::Header(self.on, header)).await?;
        for part in body.chunks(100_000) {
            self.frame(&AMQPFrame::Body(self.on, part.to_vec())).await?;
        }
        Ok(())
    }

    pub(crate) async fn confirm_select(&mut self) -> Result<()> {
        self.say(AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: false }))).await?;
        Ok(())
    }

    /// Waits until all up to this number are confirmed, and notes which of them were accepted.
    pub(crate) async fn confirmed(&mut self, last: u64) -> Result<()> {
        self.confirmed_from(1, last).await
    }

    /// The same from this number on.
    pub(crate) async fn confirmed_from(&mut self, first: u64, last: u64) -> Result<()> {
        let mut known = std::collections::BTreeMap::new();
        while (known.len() as u64) < last + 1 - first {
            let heard = self.aside(is_confirm).await?;
            let (tag, multiple, accepted) = match heard.method {
                AMQPClass::Basic(basic::AMQPMethod::Ack(ack)) => (ack.delivery_tag, ack.multiple, true),
                AMQPClass::Basic(basic::AMQPMethod::Nack(nack)) => (nack.delivery_tag, nack.multiple, false),
                _ => continue,
            };
            for tag in if multiple { first..=tag } else { tag..=tag } {
                known.entry(tag).or_insert(accepted);
            }
        }
        let words: Vec<_> = known.iter().map(|(tag, accepted)| format!("{tag} {accepted}")).collect();
        self.notes.say(&format!("confirmed: {}", words.join(", ")));
        Ok(())
    }

    /// So many that came back.
    pub(crate) async fn returned(&mut self, count: usize) -> Result<()> {
        let is_one = |heard: &Heard| matches!(heard.method, AMQPClass::Basic(basic::AMQPMethod::Return(_)));
        self.asides(count, is_one, |_| String::new()).await?;
        Ok(())
    }
}

fn is_confirm(heard: &Heard) -> bool {
    matches!(heard.method, AMQPClass::Basic(basic::AMQPMethod::Ack(_) | basic::AMQPMethod::Nack(_)))
}
