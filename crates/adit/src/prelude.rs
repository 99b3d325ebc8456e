//! The names that most code needs: `use adit::prelude::*;`.

#[cfg(feature = "chain")]
pub use adit_chain::Chain;
#[cfg(feature = "embedding")]
pub use adit_embedding::{AudioEmbedder, Embedding, TextEmbedder, VideoEmbedder};
#[cfg(feature = "neuron")]
pub use adit_neuron::{Mechanism, Worker};
pub use adit_primitives::{Clock, Hotkey, Metagraph, NetUid, Score, Uid};
#[cfg(feature = "wallet")]
pub use adit_wallet::Keypair;
