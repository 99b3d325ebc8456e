//! Accepts connections, each of which can be refused or cut in the middle.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use jsonrpsee::{
    RpcModule,
    server::{
        HttpBody, HttpRequest, HttpResponse, Server, ServerConfig, ServerHandle, StopHandle,
        serve_with_graceful_shutdown, stop_channel,
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower::{Service as _, service_fn};

use crate::devnet::Node;

/// HTTP's code for more requests than allowed.
const TOO_MANY_REQUESTS: u16 = 429;

/// Serves the methods on every connection until the handle is stopped.
pub(crate) fn open(
    listener: TcpListener,
    limits: ServerConfig,
    methods: RpcModule<Node>,
    node: Arc<Node>,
) -> ServerHandle {
    let (stop, handle) = stop_channel();
    tokio::spawn(accept(listener, limits, methods, node, stop));
    handle
}

async fn accept(
    listener: TcpListener,
    limits: ServerConfig,
    methods: RpcModule<Node>,
    node: Arc<Node>,
    stop: StopHandle,
) {
    let builder = Server::builder().set_config(limits).to_service_builder();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // A connection that was gone already, or too many files; others may follow.
                    tracing::debug!(%error, "a connection could not be accepted");
                    tokio::task::yield_now().await;
                    continue;
                }
            },
            () = stop.clone().shutdown() => return,
        };
        // Answers are small and waited for.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let connection = Connection::new(stream, node.faults.cuts());
        let (builder, methods, node) = (builder.clone(), methods.clone(), Arc::clone(&node));
        let stopping = stop.clone();
        let service = service_fn(move |request: HttpRequest<hyper::body::Incoming>| {
            let refused = node.faults.refuses_request();
            let mut service = builder.clone().build(methods.clone(), stopping.clone());
            async move {
                if refused {
                    Ok(too_many_requests())
                } else {
                    service.call(request).await.map_err(io::Error::other)
                }
            }
        });
        let stopped = stop.clone().shutdown();
        tokio::spawn(async move {
            if let Err(error) = serve_with_graceful_shutdown(connection, service, stopped).await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
}

fn too_many_requests() -> HttpResponse {
    let mut response = HttpResponse::new(HttpBody::from("too many requests"));
    if let Ok(status) = TOO_MANY_REQUESTS.try_into() {
        *response.status_mut() = status;
    }
    response
}

/// A connection that breaks when all are cut.
struct Connection {
    stream: TcpStream,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_cut: bool,
}

impl Connection {
    fn new(stream: TcpStream, mut cuts: watch::Receiver<u64>) -> Self {
        Self {
            stream,
            cut: Box::pin(async move {
                if cuts.changed().await.is_err() {
                    std::future::pending().await
                }
            }),
            is_cut: false,
        }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.is_cut = self.is_cut || self.cut.as_mut().poll(context).is_ready();
        if self.is_cut {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_cut {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
