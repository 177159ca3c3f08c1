//! The program as its user has it: who may come in, what it opens, keeps and leaves behind.

mod access;
mod alone;
mod keeping;
mod kills;
#[cfg(target_os = "linux")]
mod opening;
#[cfg(target_os = "linux")]
mod started;
