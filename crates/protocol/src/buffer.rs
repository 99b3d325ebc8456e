//! Bodies of unary calls, held whole.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;

/// Bytes before each gRPC message: one of flags and four of length, big-endian.
pub(crate) const FRAME_HEADER: usize = 5;

/// Why a body could not be held.
#[derive(Debug)]
pub(crate) enum BufferError<E> {
    TooLarge,
    Broken(E),
}

/// Reads a body to its end, but never more than `limit` bytes: it stops as soon as a stated length
/// shows that there will be more.
pub(crate) async fn buffer<B>(
    body: B,
    limit: usize,
) -> Result<(Bytes, Option<HeaderMap>), BufferError<B::Error>>
where
    B: Body<Data = Bytes>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(BufferError::TooLarge);
    }
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        let data = match frame.map_err(BufferError::Broken)?.into_data() {
            Ok(data) => data,
            Err(frame) => {
                trailers = frame.into_trailers().ok();
                continue;
            }
        };
        let held = first.len() + rest.len();
        if held + data.len() > limit || announced(&first).is_some_and(|length| length > limit) {
            return Err(BufferError::TooLarge);
        }
        if held == 0 {
            if announced(&data).is_some_and(|length| length > limit) {
                return Err(BufferError::TooLarge);
            }
            // Most bodies are one frame, which then is not copied.
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(held + data.len());
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    let whole = if rest.is_empty() {
        first
    } else {
        rest.freeze()
    };
    Ok((whole, trailers))
}

/// Length of the frame that begins here, its header included.
fn announced(start: &[u8]) -> Option<usize> {
    let [_, a, b, c, d, ..] = *start else {
        return None;
    };
    usize::try_from(u32::from_be_bytes([a, b, c, d]))
        .ok()?
        .checked_add(FRAME_HEADER)
}

/// A body that is already here.
#[derive(Debug, Default)]
pub(crate) struct Buffered {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Buffered {
    pub(crate) fn new(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        let data = (!data.is_empty()).then_some(data);
        Self { data, trailers }
    }
}

impl Body for Buffered {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match self.data.take() {
            Some(data) => Some(Frame::data(data)),
            None => self.trailers.take().map(Frame::trailers),
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let bytes = self.data.as_ref().map_or(0, Bytes::len) as u64;
        SizeHint::with_exact(bytes)
    }
}
