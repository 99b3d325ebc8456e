//! Keys and keyfiles of Bittensor: sr25519 signing and verifying, mnemonics, URIs, the standard wallet folder.
