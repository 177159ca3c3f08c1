//! Messages on their way out, and what becomes of them.

use amq_protocol::protocol::{AMQPClass, BasicProperties, basic};
use amq_protocol::types::FieldTable;
use anyhow::{Context as _, Result};

use super::of_basic;
use crate::peer::{Heard, Peer};

impl Peer {
    /// Takes one and notes its size and whether each of its bytes is what was sent.
    pub(crate) async fn get_large(&mut self, queue: &str) -> Result<()> {
        let get = of_basic(basic::AMQPMethod::Get(basic::Get { queue: queue.into(), no_ack: true }));
        self.send(self.on, get).await?;
        let on = self.on;
        let heard = self.aside(|heard| heard.channel == on).await?;
        let (_, body) = heard.content.context("nothing is there")?;
        let whole = body.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251);
        self.notes.say(&format!("{} bytes, whole: {whole}", body.len()));
        Ok(())
    }

    pub(crate) async fn qos(&mut self, prefetch_count: u16, global: bool) -> Result<()> {
        self.say(of_basic(basic::AMQPMethod::Qos(basic::Qos { prefetch_count, global }))).await?;
        Ok(())
    }

    pub(crate) async fn consume(&mut self, consume: basic::Consume) -> Result<()> {
        self.say(of_basic(basic::AMQPMethod::Consume(consume))).await?;
        Ok(())
    }

    pub(crate) async fn cancel(&mut self, tag: &str) -> Result<()> {
        let cancel = basic::Cancel { consumer_tag: tag.into(), nowait: false };
        self.say(of_basic(basic::AMQPMethod::Cancel(cancel))).await?;
        Ok(())
    }

    /// So many consumers that the broker cancels.
    pub(crate) async fn cancelled(&mut self, count: usize) -> Result<()> {
        let is_one = |heard: &Heard| matches!(heard.method, AMQPClass::Basic(basic::AMQPMethod::Cancel(_)));
        self.asides(count, is_one, Heard::line).await?;
        Ok(())
    }

    /// So many deliveries; gives their tags.
    pub(crate) async fn deliveries(&mut self, count: usize) -> Result<Vec<u64>> {
        let is_one = |heard: &Heard| matches!(heard.method, AMQPClass::Basic(basic::AMQPMethod::Deliver(_)));
        let of = |heard: &Heard| match &heard.method {
            AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver)) => deliver.consumer_tag.to_string(),
            _ => String::new(),
        };
        let tags = self.asides(count, is_one, of).await?.into_iter().map(|heard| match heard.method {
            AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver)) => deliver.delivery_tag,
            _ => 0,
        });
        Ok(tags.collect())
    }

    /// Takes one copy; gives its tag.
    pub(crate) async fn get(&mut self, queue: &str) -> Result<u64> {
        self.get_as(queue, false).await
    }

    /// Takes one copy, perhaps for good.
    pub(crate) async fn get_as(&mut self, queue: &str, no_ack: bool) -> Result<u64> {
        let get = basic::Get { queue: queue.into(), no_ack };
        let heard = self.say(of_basic(basic::AMQPMethod::Get(get))).await?;
        Ok(match heard.map(|heard| heard.method) {
            Some(AMQPClass::Basic(basic::AMQPMethod::GetOk(got))) => got.delivery_tag,
            _ => 0,
        })
    }

    /// Takes one copy for good and gives its properties, without a note.
    pub(crate) async fn take_properties(&mut self, queue: &str) -> Result<BasicProperties> {
        let get = of_basic(basic::AMQPMethod::Get(basic::Get { queue: queue.into(), no_ack: true }));
        self.send(self.on, get).await?;
        let on = self.on;
        let heard = self.aside(|heard| heard.channel == on).await?;
        Ok(heard.content.context("nothing is there")?.0)
    }

    /// The same, its headers.
    pub(crate) async fn take_headers(&mut self, queue: &str) -> Result<FieldTable> {
        self.take_properties(queue).await?.headers().clone().context("no headers")
    }

    /// Takes copies for good until there is none.
    pub(crate) async fn drain(&mut self, queue: &str) -> Result<()> {
        while self.get_as(queue, true).await? > 0 {}
        Ok(())
    }

    pub(crate) async fn ack(&mut self, delivery_tag: u64, multiple: bool) -> Result<()> {
        self.send(self.on, of_basic(basic::AMQPMethod::Ack(basic::Ack { delivery_tag, multiple }))).await
    }

    pub(crate) async fn nack(&mut self, delivery_tag: u64, multiple: bool, requeue: bool) -> Result<()> {
        let nack = basic::Nack { delivery_tag, multiple, requeue };
        self.send(self.on, of_basic(basic::AMQPMethod::Nack(nack))).await
    }

    pub(crate) async fn reject(&mut self, delivery_tag: u64, requeue: bool) -> Result<()> {
        self.send(self.on, of_basic(basic::AMQPMethod::Reject(basic::Reject { delivery_tag, requeue }))).await
    }

    pub(crate) async fn recover(&mut self, requeue: bool) -> Result<()> {
        self.say(of_basic(basic::AMQPMethod::Recover(basic::Recover { requeue }))).await?;
        Ok(())
    }
}
