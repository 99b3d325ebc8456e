//! The video mechanism: its validator half, its miner half and its dataset service.
