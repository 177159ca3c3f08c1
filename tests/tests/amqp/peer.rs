//! A client by hand: it sends what it is told and notes what it hears.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame, parse_frame};
use amq_protocol::protocol::{AMQPClass, BasicProperties, basic, channel, connection};
use amq_protocol::types::{AMQPValue, FieldTable, LongString};
use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::notes::Notes;

/// What a broker has not said by then it never says.
const SILENT: Duration = Duration::from_secs(10);

/// What every connection begins with.
pub(crate) const PROTOCOL: &[u8; 8] = b"AMQP\0\0\x09\x01";

/// Where a conversation is held.
#[derive(Clone)]
pub(crate) struct It {
    at: SocketAddr,
    pub(crate) notes: Notes,
}

impl It {
    pub(crate) fn new(at: SocketAddr, notes: Notes) -> Self {
        Self { at, notes }
    }

    /// A bare connection.
    pub(crate) async fn connect(&self, name: char) -> Result<Peer> {
        let stream = TcpStream::connect(self.at).await?;
        stream.set_nodelay(true)?;
        Ok(Peer {
            stream,
            buffer: Vec::new(),
            name,
            on: 1,
            notes: self.notes.clone(),
            aside: VecDeque::new(),
            contents: Vec::new(),
        })
    }

    /// An open connection with channel 1.
    pub(crate) async fn open(&self, name: char) -> Result<Peer> {
        let mut peer = self.connect(name).await?;
        peer.shake_hands(&FieldTable::default()).await?;
        peer.channel(1).await?;
        Ok(peer)
    }

    /// Deletes what was declared and has no owner that took it along.
    pub(crate) async fn clear_away(&self) -> Result<()> {
        let (queues, exchanges) = self.notes.declared();
        let aside = Self { at: self.at, notes: Notes::default() };
        // An exclusive queue whose owner is just going may still refuse.
        for queue in queues {
            aside.open('z').await?.delete_queue(&queue).await?;
        }
        for exchange in exchanges {
            aside.open('z').await?.delete_exchange(&exchange).await?;
        }
        Ok(())
    }
}

/// What came: a method, and the content that it announced.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) channel: u16,
    pub(crate) method: AMQPClass,
    pub(crate) content: Option<(BasicProperties, Vec<u8>)>,
}

impl Heard {
    /// Whether it comes by itself, at any time.
    fn is_aside(&self) -> bool {
        match &self.method {
            AMQPClass::Basic(method) => matches!(
                method,
                basic::AMQPMethod::Deliver(_)
                    | basic::AMQPMethod::Return(_)
                    | basic::AMQPMethod::Ack(_)
                    | basic::AMQPMethod::Nack(_)
                    | basic::AMQPMethod::Cancel(_)
            ),
            AMQPClass::Connection(method) => {
                matches!(method, connection::AMQPMethod::Blocked(_) | connection::AMQPMethod::Unblocked(_))
            }
            _ => false,
        }
    }

    /// As a line.
    pub(crate) fn line(&self) -> String {
        let method = format!("{:?}", self.method);
        let Some((properties, body)) = &self.content else { return method };
        format!("{method} [{}] {:?}", told(properties), String::from_utf8_lossy(body))
    }
}

/// The properties that a message has.
fn told(properties: &BasicProperties) -> String {
    let mut told = Vec::new();
    macro_rules! tell {
        ($($name:ident),*) => { $(if let Some(value) = properties.$name() {
            told.push(format!(concat!(stringify!($name), "={:?}"), value));
        })* };
    }
    tell!(
        content_type,
        content_encoding,
        headers,
        delivery_mode,
        priority,
        correlation_id,
        reply_to,
        expiration,
        message_id,
        timestamp,
        kind,
        user_id,
        app_id,
        cluster_id
    );
    told.join(" ")
}

/// One client.
pub(crate) struct Peer {
    stream: TcpStream,
    buffer: Vec<u8>,
    name: char,
    /// The channel that is spoken on.
    pub(crate) on: u16,
    pub(crate) notes: Notes,
    /// What came by itself and nobody has asked for yet.
    aside: VecDeque<Heard>,
    /// Contents that are not whole.
    contents: Vec<(Heard, u64)>,
}

impl Peer {
    /// Sends bytes as they are.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        // The broker may have closed the connection: then what it said is what counts.
        let _ = self.stream.write_all(bytes).await;
        Ok(())
    }

    pub(crate) async fn frame(&mut self, frame: &AMQPFrame) -> Result<()> {
        let context = gen_frame(frame)(WriteContext::from(Vec::new())).context("a frame that cannot be written")?;
        self.bytes(&context.write).await
    }

    pub(crate) async fn send(&mut self, channel: u16, method: AMQPClass) -> Result<()> {
        self.frame(&AMQPFrame::Method(channel, method)).await
    }

    /// Sends a method with a content.
    pub(crate) async fn send_content(
        &mut self,
        channel: u16,
        method: AMQPClass,
        properties: BasicProperties,
        body: &[u8],
    ) -> Result<()> {
        self.send(channel, method).await?;
        let header = AMQPContentHeader { class_id: 60, body_size: body.len() as u64, properties };
        self.frame(&AMQPFrame::Header(channel, header)).await?;
        if !body.is_empty() {
            self.frame(&AMQPFrame::Body(channel, body.to_vec())).await?;
        }
        Ok(())
    }

    /// The next frame; `None` where the broker has closed the socket.
    async fn read(&mut self) -> Result<Option<AMQPFrame>> {
        loop {
            if let Ok((rest, frame)) = parse_frame(self.buffer.as_slice()) {
                let length = self.buffer.len() - rest.len();
                self.buffer.drain(..length);
                return Ok(Some(frame));
            }
            let read = tokio::time::timeout(SILENT, self.stream.read_buf(&mut self.buffer)).await;
            match read.with_context(|| format!("{} waits for a broker that says nothing", self.name))? {
                Ok(0) | Err(_) => return Ok(None),
                Ok(_) => {}
            }
        }
    }

    /// The next method, with its content where it has one; `None` at the end.
    async fn hear(&mut self) -> Result<Option<Heard>> {
        loop {
            let Some(frame) = self.read().await? else { return Ok(None) };
            match frame {
                AMQPFrame::Method(channel, method) => {
                    let announces = matches!(
                        &method,
                        AMQPClass::Basic(
                            basic::AMQPMethod::Deliver(_) | basic::AMQPMethod::Return(_) | basic::AMQPMethod::GetOk(_)
                        )
                    );
                    let heard = Heard { channel, method, content: None };
                    if !announces {
                        return Ok(Some(heard));
                    }
                    self.contents.push((heard, 0));
                }
                AMQPFrame::Header(channel, header) => {
                    if let Some((heard, size)) = self.contents.iter_mut().find(|(heard, _)| heard.channel == channel) {
                        heard.content = Some((header.properties, Vec::new()));
                        *size = header.body_size;
                    }
                }
                AMQPFrame::Body(channel, part) => {
                    let found = self.contents.iter_mut().find(|(heard, _)| heard.channel == channel);
                    if let Some((_, body)) = found.and_then(|(heard, _)| heard.content.as_mut()) {
                        body.extend_from_slice(&part);
                    }
                }
                AMQPFrame::ProtocolHeader(version) => bail!("the broker wants to speak {version}"),
                AMQPFrame::Heartbeat | AMQPFrame::InvalidHeartbeat(_) => {}
            }
            let whole = |(heard, size): &(Heard, u64)| {
                heard.content.as_ref().is_some_and(|(_, body)| body.len() as u64 >= *size)
            };
            if let Some(at) = self.contents.iter().position(whole) {
                return Ok(Some(self.contents.remove(at).0));
            }
        }
    }

    /// The next method that does not come by itself; what does is put aside. A channel or connection that the broker closes
    /// is closed here too. Noted, the end of the socket included.
    pub(crate) async fn reply(&mut self) -> Result<Option<Heard>> {
        loop {
            let Some(heard) = self.hear().await? else {
                self.notes.say(&format!("{} the socket is closed", self.name));
                return Ok(None);
            };
            if heard.is_aside() {
                self.aside.push_back(heard);
                continue;
            }
            self.notes.say(&format!("{}{} {}", self.name, heard.channel, heard.line()));
            match &heard.method {
                AMQPClass::Channel(channel::AMQPMethod::Close(_)) => {
                    let method = channel::AMQPMethod::CloseOk(channel::CloseOk {});
                    self.send(heard.channel, AMQPClass::Channel(method)).await?;
                }
                AMQPClass::Connection(connection::AMQPMethod::Close(_)) => {
                    let method = connection::AMQPMethod::CloseOk(connection::CloseOk {});
                    self.send(0, AMQPClass::Connection(method)).await?;
                }
                _ => {}
            }
            return Ok(Some(heard));
        }
    }

    /// The next method without a note.
    pub(crate) async fn quietly(&mut self) -> Result<Option<Heard>> {
        self.hear().await
    }

    /// Notes what comes until the broker closes the socket, byte by byte.
    pub(crate) async fn rest(&mut self) -> Result<()> {
        while let Ok(1..) = tokio::time::timeout(SILENT, self.stream.read_buf(&mut self.buffer)).await? {}
        self.notes.say(&format!(
            "{} {:?}, then the socket is closed",
            self.name,
            self.buffer.escape_ascii().to_string()
        ));
        Ok(())
    }

    /// Sends a method and awaits its reply.
    pub(crate) async fn ask(&mut self, channel: u16, method: AMQPClass) -> Result<Option<Heard>> {
        self.send(channel, method).await?;
        self.reply().await
    }

    /// The next that comes by itself and is such; whatever else comes meanwhile is put aside.
    pub(crate) async fn aside(&mut self, wanted: impl Fn(&Heard) -> bool) -> Result<Heard> {
        if let Some(at) = self.aside.iter().position(&wanted)
            && let Some(heard) = self.aside.remove(at)
        {
            return Ok(heard);
        }
        loop {
            let heard = self.hear().await?.context("the broker has closed the socket")?;
            if wanted(&heard) {
                return Ok(heard);
            }
            ensure!(heard.is_aside(), "{}{} {}", self.name, heard.channel, heard.line());
            self.aside.push_back(heard);
        }
    }

    /// So many that come by themselves, those of one channel and kind in their order, noted.
    pub(crate) async fn asides(
        &mut self,
        count: usize,
        wanted: impl Fn(&Heard) -> bool + Copy,
        group: impl Fn(&Heard) -> String,
    ) -> Result<Vec<Heard>> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.aside(wanted).await?);
        }
        // Which of two consumers hears first is nobody's promise.
        all.sort_by_key(|heard| (heard.channel, group(heard)));
        for heard in &all {
            self.notes.say(&format!("{}{} {}", self.name, heard.channel, heard.line()));
        }
        Ok(all)
    }

    /// Notes how much came by itself that nobody asked for.
    pub(crate) fn left(&self) {
        self.notes.say(&format!("{} {} more", self.name, self.aside.len()));
    }

    /// Up to an open connection, as guest, noted only where it fails.
    pub(crate) async fn shake_hands(&mut self, capabilities: &FieldTable) -> Result<()> {
        self.bytes(PROTOCOL).await?;
        self.hear().await?.context("no start")?;
        let mut properties = FieldTable::default();
        properties.insert("capabilities".into(), AMQPValue::FieldTable(capabilities.clone()));
        self.send(0, start_ok(properties, "PLAIN", b"\0guest\0guest")).await?;
        let tune = self.hear().await?.context("no tune")?;
        let AMQPClass::Connection(connection::AMQPMethod::Tune(tune)) = tune.method else { bail!("{}", tune.line()) };
        self.send(0, tune_ok(tune.channel_max, tune.frame_max, 0)).await?;
        self.send(0, open("/")).await?;
        let opened = self.hear().await?.context("not opened")?;
        let is_open = matches!(opened.method, AMQPClass::Connection(connection::AMQPMethod::OpenOk(_)));
        ensure!(is_open, "{}", opened.line());
        Ok(())
    }

    /// Opens a channel, noted only where it fails.
    pub(crate) async fn channel(&mut self, channel: u16) -> Result<()> {
        self.send(channel, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await?;
        let opened = self.hear().await?.context("no channel")?;
        let is_open = matches!(opened.method, AMQPClass::Channel(channel::AMQPMethod::OpenOk(_)));
        ensure!(is_open, "{}", opened.line());
        Ok(())
    }

    /// Closes the socket without a word.
    pub(crate) fn vanish(self) {
        drop(self.stream);
    }
}

/// Who the client is.
pub(crate) fn start_ok(client_properties: FieldTable, mechanism: &str, response: &[u8]) -> AMQPClass {
    AMQPClass::Connection(connection::AMQPMethod::StartOk(connection::StartOk {
        client_properties,
        mechanism: mechanism.into(),
        response: LongString::from(response),
        locale: "en_US".into(),
    }))
}

pub(crate) fn tune_ok(channel_max: u16, frame_max: u32, heartbeat: u16) -> AMQPClass {
    AMQPClass::Connection(connection::AMQPMethod::TuneOk(connection::TuneOk { channel_max, frame_max, heartbeat }))
}

pub(crate) fn open(vhost: &str) -> AMQPClass {
    AMQPClass::Connection(connection::AMQPMethod::Open(connection::Open { virtual_host: vhost.into() }))
}
