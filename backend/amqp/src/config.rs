//! What a broker allows.

use std::time::Duration;

use crate::users::User;

/// What a broker allows its clients; the defaults are RabbitMQ's where it has one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Who may connect, from this machine; each may do everything.
    pub users: Vec<User>,
    /// Names of virtual hosts beside `/`, which is always there.
    pub virtual_hosts: Vec<String>,
    /// Most channels of a connection.
    pub channel_max: u16,
    /// Largest frame in bytes, its 8 of head and end included; at least 4,096.
    pub frame_max: u32,
    /// After how many seconds of silence a heartbeat is due; twice that, and the peer counts as gone. 0: none.
    pub heartbeat: u16,
    /// Largest body of a message in bytes; a larger one closes its channel with 406.
    pub message_max: u64,
    /// Most connections at a time, of all virtual hosts; one more is closed with 530.
    pub connections_max: usize,
    /// Most queues of a virtual host at a time; one more closes the channel that declares it with 406.
    pub queues_max: usize,
    /// Bytes of messages (bodies, properties, and a fixed sum for each copy) beyond which nothing more is read from a
    /// connection that publishes, until consumers have made room. Such a connection is told `connection.blocked`.
    pub memory_max: usize,
    /// How long a client may take from its first byte to an open connection.
    pub handshake_timeout: Duration,
    /// How long a client may take to answer that its connection is closed.
    pub close_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            users: vec![User::guest()],
            virtual_hosts: Vec::new(),
            channel_max: 2047,
            frame_max: 131_072,
            heartbeat: 60,
            message_max: 128 << 20,
            connections_max: 4096,
            queues_max: 65_536,
            memory_max: 256 << 20,
            handshake_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
        }
    }
}
