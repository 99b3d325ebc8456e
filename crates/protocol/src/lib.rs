//! The gRPC contract, its conversions and btauth/1 request authentication as tower layers.
