//! `usher call`: any method with JSON, found through server reflection, as grpcurl does.

use anyhow::{Context as _, bail};
use clap::Args;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, SerializeOptions};
use prost_types::FileDescriptorProto;
use serde_json::json;
use tokio_stream::StreamExt as _;
use tonic::{client::Grpc, codegen::http::uri::PathAndQuery};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::{
    client::{ServerArgs, WrongUsage},
    credentials::Connection,
    format::{Column, Format, List},
};
use crate::dynamic::DynamicCodec;

mod describe;
mod uuids;

/// Bytes stand as base64 or, where they are a UUID, as that; 64-bit numbers as strings, as protobuf's JSON has it.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// Such as usher.v1.Shows/ListShows; without it, every method is listed
    method: Option<String>,
    /// Call nothing: print the fields of the method's request and response, or of a message such as usher.v1.Wish, and
    /// what they mean
    #[arg(long)]
    describe: bool,
    /// The request as JSON
    #[arg(default_value = "{}")]
    request: String,
    #[command(flatten)]
    server: ServerArgs,
}

impl Call {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.server.block_on_channel(async |channel| {
            let pool = descriptors(channel.clone()).await?;
            if self.describe {
                return describe::describe(&pool, self.method.as_deref());
            }
            match &self.method {
                None => list(&pool, self.server.format()),
                Some(method) => {
                    let is_pretty = self.server.format() != Format::Jsonl;
                    println!("{}", call(channel, &find(&pool, method)?, &self.request, is_pretty).await?);
                }
            }
            Ok(())
        })
    }
}

/// Everything that the server says it serves.
async fn descriptors(channel: Connection) -> anyhow::Result<DescriptorPool> {
    let mut client = ServerReflectionClient::new(channel);
    let mut pool = DescriptorPool::new();
    let services = match ask(&mut client, MessageRequest::ListServices(String::new())).await? {
        MessageResponse::ListServicesResponse(services) => services.service,
        _ => bail!("the server's reflection does not list services"),
    };
    for service in services {
        let files = match ask(&mut client, MessageRequest::FileContainingSymbol(service.name)).await? {
            MessageResponse::FileDescriptorResponse(files) => files.file_descriptor_proto,
            _ => continue,
        };
        for file in files {
            add(&mut client, &mut pool, FileDescriptorProto::decode(&*file)?).await?;
        }
    }
    Ok(pool)
}

/// Adds a file after the files it imports.
async fn add(
    client: &mut ServerReflectionClient<Connection>,
    pool: &mut DescriptorPool,
    file: FileDescriptorProto,
) -> anyhow::Result<()> {
    let mut waiting = vec![file];
    while let Some(file) = waiting.pop() {
        let missing = file.dependency.iter().find(|name| pool.get_file_by_name(name).is_none()).cloned();
        let Some(name) = missing else {
            pool.add_file_descriptor_proto(file).context("the server's descriptors")?;
            continue;
        };
        anyhow::ensure!(waiting.len() < 100, "the server's files import each other in a circle");
        let MessageResponse::FileDescriptorResponse(files) = ask(client, MessageRequest::FileByFilename(name)).await?
        else {
            bail!("the server's reflection does not have a file that it imports");
        };
        waiting.push(file);
        for file in files.file_descriptor_proto {
            waiting.push(FileDescriptorProto::decode(&*file)?);
        }
    }
    Ok(())
}

async fn ask(
    client: &mut ServerReflectionClient<Connection>,
    question: MessageRequest,
) -> anyhow::Result<MessageResponse> {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await?.into_inner();
    let answer = answers.next().await.context("the server's reflection did not answer")??;
    answer.message_response.context("the server's reflection answered nothing")
}

fn list(pool: &DescriptorPool, format: Format) {
    let mut list = List::new(format, &[Column::Left("METHOD")]);
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let name = format!("{}/{}", method.parent_service().full_name(), method.name());
        list.add(|| json!({ "method": name }), || vec![name.clone()]);
    }
    list.end("The server has no methods.");
}

fn find(pool: &DescriptorPool, name: &str) -> anyhow::Result<MethodDescriptor> {
    let wrong = |what: String| WrongUsage(format!("{what}; `usher call` lists all"));
    let (service, method) = name
        .rsplit_once('/')
        .ok_or_else(|| wrong(format!("{name:?} is no method such as usher.v1.Shows/ListShows")))?;
    let service = pool.get_service_by_name(service).ok_or_else(|| wrong(format!("there is no service {service}")))?;
    let found = service.methods().find(|own| own.name() == method);
    Ok(found.ok_or_else(|| wrong(format!("{} has no method {method}", service.full_name())))?)
}

async fn call(
    channel: Connection,
    method: &MethodDescriptor,
    request: &str,
    is_pretty: bool,
) -> anyhow::Result<String> {
    anyhow::ensure!(
        !method.is_client_streaming() && !method.is_server_streaming(),
        "streaming methods cannot be called so"
    );
    let input = method.input();
    let wrong = |error| WrongUsage(format!("the request is no {}: {error}", input.full_name()));
    let mut json = serde_json::from_str(request).map_err(wrong)?;
    uuids::to_base64(&mut json, &input);
    let message = DynamicMessage::deserialize(input.clone(), json).map_err(wrong)?.encode_to_vec().into();
    let path: PathAndQuery = format!("/{}/{}", method.parent_service().full_name(), method.name()).parse()?;
    let mut client = Grpc::new(channel);
    client.ready().await?;
    let answer = client.unary(tonic::Request::new(message), path, DynamicCodec(method.output())).await?.into_inner();
    // Written at once, so that fields keep their order.
    let (mut text, options) = (Vec::new(), SerializeOptions::new());
    if is_pretty {
        answer.serialize_with_options(&mut serde_json::Serializer::pretty(&mut text), &options)?;
    } else {
        answer.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options)?;
    }
    Ok(String::from_utf8(text)?)
}
