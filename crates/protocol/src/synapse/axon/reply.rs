use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{mpsc, oneshot};

use super::super::{head::SynapseHead, json::write_json, refusal::SynapseRefusal, value::PyValue};

/// A body of an answer: one piece, or chunks as they come.
#[derive(Debug)]
pub(super) struct ReplyBody {
    whole: Bytes,
    chunks: Option<mpsc::Receiver<Bytes>>,
    /// Dropped with the stream, which frees its turn.
    _turn: Option<oneshot::Receiver<()>>,
}

impl ReplyBody {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self {
            whole: bytes.into(),
            chunks: None,
            _turn: None,
        }
    }

    pub(super) fn chunks(chunks: mpsc::Receiver<Bytes>, turn: oneshot::Receiver<()>) -> Self {
        Self {
            whole: Bytes::new(),
            chunks: Some(chunks),
            _turn: Some(turn),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(chunks) = &mut self.chunks {
            let next = chunks.poll_recv(context);
            return next.map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))));
        }
        let whole = std::mem::take(&mut self.whole);
        Poll::Ready((!whole.is_empty()).then(|| Ok(Frame::data(whole))))
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_none() && self.whole.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.chunks.is_some() {
            SizeHint::default()
        } else {
            SizeHint::with_exact(self.whole.len() as u64)
        }
    }
}

/// An answer with the headers of a synapse.
pub(super) fn with_head(
    status: u16,
    head: &SynapseHead,
    content_type: &'static str,
    body: ReplyBody,
) -> Response<ReplyBody> {
    let size = body.size_hint().exact().unwrap_or(0);
    let mut response = plain(status, content_type, body);
    let headers = response.headers_mut();
    let mut header_size: u64 = 0;
    for (name, text) in head.to_pairs() {
        let (Ok(name), Some(value)) = (HeaderName::try_from(name), visible(&text)) else {
            continue;
        };
        header_size += (name.as_str().len() + value.len()) as u64;
        headers.insert(name, value);
    }
    headers.insert("header_size", HeaderValue::from(header_size));
    headers.insert("total_size", HeaderValue::from(header_size + size));
    response
}

/// An answer that belongs to no synapse, in FastAPI's form.
pub(super) fn without_head(refusal: &SynapseRefusal) -> Response<ReplyBody> {
    let detail = match refusal {
        SynapseRefusal::Json(error) => {
            let pairs = |pairs: Vec<(&str, PyValue)>| {
                let pairs = pairs.into_iter();
                PyValue::Dict(pairs.map(|(name, value)| (name.into(), value)).collect())
            };
            let position = PyValue::Int((error.position as u64).into());
            PyValue::List(vec![pairs(vec![
                ("type", "json_invalid".into()),
                ("loc", PyValue::List(vec!["body".into(), position])),
                ("msg", "JSON decode error".into()),
                ("input", pairs(Vec::new())),
                ("ctx", pairs(vec![("error", error.message.into())])),
            ])])
        }
        other => other.to_string().into(),
    };
    let body = PyValue::Dict(vec![("detail".into(), detail)]);
    let body = ReplyBody::whole(write_json(&body));
    let mut response = plain(refusal.status(), "application/json", body);
    if matches!(refusal, SynapseRefusal::Method) {
        let allowed = HeaderValue::from_static("GET, POST");
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

fn plain(status: u16, content_type: &'static str, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// The text as a header's value; what is not visible ASCII becomes a question mark.
fn visible(text: &str) -> Option<HeaderValue> {
    let visible = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    HeaderValue::from_str(&text.chars().map(visible).collect::<String>()).ok()
}
