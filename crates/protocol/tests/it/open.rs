//! Health and reflection, which anyone may ask.

use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::harness::Bob;

#[tokio::test]
async fn health_is_open_and_knows_the_services() {
    let bob = Bob::serve(Default::default()).await;
    let mut health = HealthClient::new(bob.channel().await);
    for service in ["", "adit.v1.VideoMiner"] {
        let request = HealthCheckRequest {
            service: service.into(),
        };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let request = HealthCheckRequest {
        service: "adit.v1.Dataset".into(),
    };
    let status = health.check(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert!(bob.refusals().is_empty());
}

#[tokio::test]
async fn reflection_is_open_and_lists_the_services() {
    let bob = Bob::serve(Default::default()).await;
    let mut reflection = ServerReflectionClient::new(bob.channel().await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = reflection.server_reflection_info(tokio_stream::once(request));
    let answer = answers.await.unwrap().into_inner().message().await.unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.unwrap().message_response else {
        panic!("another answer");
    };
    let mut names: Vec<_> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    names.sort();
    assert_eq!(names, ["adit.v1.VideoMiner", "grpc.health.v1.Health"]);
}
