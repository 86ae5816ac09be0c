//! The gRPC service, without `protoc`.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str, input: &str, output: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::grpc::{input}"))
            .output_type(format!("crate::grpc::{output}"))
            .codec_path("tonic_prost::ProstCodec")
    };
    let service = Service::builder()
        .name("Load")
        .package("bench")
        .method(method("echo", "Echo", "Blob", "Blob").build())
        .method(
            method("ready", "Ready", "Number", "Number")
                .server_streaming()
                .build(),
        )
        .method(
            method("paced", "Paced", "Number", "Number")
                .server_streaming()
                .build(),
        )
        .build();
    Builder::new().compile(&[service]);
}
