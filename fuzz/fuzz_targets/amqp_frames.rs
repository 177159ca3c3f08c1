//! `amqp_frames` of `hopscope-fuzzed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hopscope_fuzzed::call("amqp_frames", bytes));
