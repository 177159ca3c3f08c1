//! What an AMQP broker says of itself before anyone has shown who he is: product and version, in `connection.start`.

use std::io;
use std::time::Duration;

use amq_protocol::frame::{AMQPFrame, parse_frame};
use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::connection::AMQPMethod;
use amq_protocol::types::{AMQPValue, FieldTable};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How a client of AMQP 0-9-1 begins.
const HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";

/// The first byte of a frame that carries a method (AMQP 0-9-1, section 4.2.3).
const METHOD: u8 = 1;

/// Longest greeting that is read.
const MOST_BYTES: usize = 64 << 10;

/// How long a broker may take for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// What it calls itself, like `RabbitMQ`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Asks who listens there, and hangs up.
///
/// # Errors
/// When nobody answers as a broker of AMQP 0-9-1 does.
pub(super) async fn greet(host: &str, port: u16) -> io::Result<Product> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "it accepts connections and says nothing");
    tokio::time::timeout(PATIENCE, greeting(host, port)).await.map_err(late)?
}

async fn greeting(host: &str, port: u16) -> io::Result<Product> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_all(HEADER).await?;
    let mut read = Vec::new();
    loop {
        // A method's frame begins so; what does not will never be one.
        if read.first().is_some_and(|first| *first != METHOD) {
            return Err(not_amqp());
        }
        if let Ok((_, frame)) = parse_frame(read.as_slice()) {
            return product(&frame);
        }
        if read.len() > MOST_BYTES || stream.read_buf(&mut read).await? == 0 {
            return Err(not_amqp());
        }
    }
}

fn product(frame: &AMQPFrame) -> io::Result<Product> {
    let AMQPFrame::Method(_, AMQPClass::Connection(AMQPMethod::Start(start))) = frame else {
        return Err(not_amqp());
    };
    let says = |name| said(&start.server_properties, name).unwrap_or_else(|| "?".to_owned());
    Ok(Product { name: says("product"), version: says("version") })
}

fn said(properties: &FieldTable, name: &str) -> Option<String> {
    let text = match properties.inner().get(name)? {
        AMQPValue::LongString(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
        AMQPValue::ShortString(text) => text.as_str().to_owned(),
        _ => return None,
    };
    // It stands in labels: one line of something, whoever sent it.
    let line: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
    (!line.is_empty()).then_some(line)
}

fn not_amqp() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what listens there is no broker of AMQP 0-9-1")
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_is_no_broker_is_told_as_such() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let web = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        });
        let error = greet("127.0.0.1", port).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        web.await.unwrap();
        assert_eq!(greet("127.0.0.1", port).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
