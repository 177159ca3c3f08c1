//! A transport whose links say how they speak, where a protocol has several ways.

use std::sync::Arc;

use hopscope_scenario::protocol::Protocol;
use hopscope_server::record::Recorder;
use hopscope_server::transport::{
    Address, BoxFuture, Caller, Door, Endpoint, Options, Thrift, Transport, TransportError,
};
use serde_json::Value;

/// Thrift with links that say this.
pub(crate) struct Shaped {
    /// What its cases are called by.
    pub(crate) name: &'static str,
    framing: &'static str,
    encoding: &'static str,
}

/// Every way of Thrift's but the usual one, which is in the server's own list.
pub(crate) static SHAPES: [Shaped; 5] = [
    Shaped { name: "thrift_header_compact", framing: "header", encoding: "compact" },
    Shaped { name: "thrift_framed_binary", framing: "framed", encoding: "binary" },
    Shaped { name: "thrift_framed_compact", framing: "framed", encoding: "compact" },
    Shaped { name: "thrift_buffered_binary", framing: "buffered", encoding: "binary" },
    Shaped { name: "thrift_buffered_compact", framing: "buffered", encoding: "compact" },
];

impl Shaped {
    /// What its links say, in this mode.
    pub(crate) fn options(&self, mode: &str) -> Options {
        thrift(self.framing, self.encoding, mode)
    }
}

/// What a link of Thrift says.
pub(crate) fn thrift(framing: &str, encoding: &str, mode: &str) -> Options {
    let fields = [("framing", framing), ("encoding", encoding), ("mode", mode)];
    Options::of(&fields.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect())
}

impl Transport for Shaped {
    fn protocol(&self) -> Protocol {
        Protocol::Thrift
    }

    fn bind(&self, door: Door) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>> {
        Thrift.bind(door)
    }

    fn bind_again(
        &self,
        door: Door,
        address: Address,
    ) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>> {
        Thrift.bind_again(door, address)
    }

    fn caller(&self, address: &Address, _: &Options, recorder: Recorder) -> Result<Arc<dyn Caller>, TransportError> {
        Thrift.caller(address, &self.options("call"), recorder)
    }

    fn connect(
        &self,
        address: Address,
        _: &Options,
        recorder: Recorder,
    ) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>> {
        Thrift.connect(address, &self.options("call"), recorder)
    }
}
