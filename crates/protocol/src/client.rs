//! Making signed calls: [`SignLayer`] for any tonic client, [`connect`] for a whole channel.

mod connect;
mod sign;

pub use connect::{ConnectOptions, IntoUri, SignedChannel, connect, connect_lazy};
pub use sign::{SignLayer, Signed};
