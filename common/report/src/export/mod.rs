//! A recording in the formats of others. One encoder per format, without IO, fed with frames.

pub mod json;
