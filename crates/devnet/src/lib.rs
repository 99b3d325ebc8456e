//! A local Bittensor chain: a FRAME runtime run natively, Yuma epochs, Substrate JSON-RPC.
