//! Integration tests: the contract, `btauth/1` and its refusals over real sockets.

mod generated;
