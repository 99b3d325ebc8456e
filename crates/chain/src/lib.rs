//! The Chain seam and its subxt client: metagraph, registration, serving, weights that are confirmed on chain.
