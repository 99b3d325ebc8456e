//! A server that received a request for `//Bob` and answers it dishonestly.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use adit_protocol::{
    auth::{BodyHash, Claim, HEADER_ANSWER_CRYPTO, PayloadHash, sign_answer},
    v1::video_miner_server::VideoMinerServer,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{body::Body, transport::Server};
use tower::Service;

use crate::harness::{Echo, key};

/// How it cheats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    Unsigned,
    OtherHotkey,
    OthersKeyUnderTheName,
    AnswerOfAnotherRequest,
    OtherBody,
    OtherStatus,
    TwoSignatures,
    UnknownScheme,
}

/// Serves with this lie.
pub(crate) async fn serve(lie: Lie) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .layer(tower::layer::layer_fn(move |inner| Liar { inner, lie }))
        .add_service(VideoMinerServer::new(Echo::default()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

#[derive(Clone)]
struct Liar<S> {
    inner: S,
    lie: Lie,
}

impl<S> Service<Request<Body>> for Liar<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (mut inner, lie) = (self.inner.clone(), self.lie);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let caller = Claim::from_headers(&parts.headers)
                .unwrap()
                .check_signature("POST", parts.uri.path(), BodyHash::of(&body))
                .unwrap();
            let request = Request::from_parts(parts, Body::new(Full::new(body)));
            let response = inner.call(request).await.unwrap();
            Ok(answer(lie, caller.payload_hash, response).await)
        })
    }
}

async fn answer(lie: Lie, request: PayloadHash, response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let mut body = collected.to_bytes();
    let (bob, charlie) = (key("//Bob"), key("//Charlie"));
    let names = (bob.hotkey().to_string(), charlie.hotkey().to_string());
    let other = PayloadHash::of("another request");
    let signature = match lie {
        Lie::Unsigned => Vec::new(),
        Lie::OtherHotkey => sign_answer(&charlie, &names.1, request, &body, 0),
        Lie::OthersKeyUnderTheName => sign_answer(&charlie, &names.0, request, &body, 0),
        Lie::AnswerOfAnotherRequest => sign_answer(&bob, &names.0, other, &body, 0),
        Lie::OtherStatus => sign_answer(&bob, &names.0, request, &body, 5),
        _ => sign_answer(&bob, &names.0, request, &body, 0),
    };
    parts.headers.extend(signature);
    match lie {
        Lie::OtherBody => body = Bytes::from_static(&[0; 5]),
        Lie::TwoSignatures => {
            let more = sign_answer(&bob, &names.0, request, &body, 0);
            for (name, value) in more {
                parts.headers.append(name, value);
            }
        }
        Lie::UnknownScheme => {
            let ecdsa = HeaderValue::from_static("ecdsa");
            parts.headers.insert(HEADER_ANSWER_CRYPTO, ecdsa);
        }
        _ => {}
    }
    let trailers: HeaderMap = trailers;
    let body = Full::new(body).with_trailers(async move { Some(Ok(trailers)) });
    Response::from_parts(parts, Body::new(body))
}
