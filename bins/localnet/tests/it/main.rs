//! Whole subnets from the real binaries: each test starts the chain, the validator API, a validator
//! and miners as processes of their own, on real video, and then does to them what the world does.
//!
//! They need the siblings of `adit-localnet`, the text model and the videos; `scripts/test` sees
//! to all three.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod bad_origins;
mod books;
mod ctrl_c;
mod harness;
mod hostile_miners;
mod imagebind;
mod outages;
mod strangers;
mod whole_subnet;
