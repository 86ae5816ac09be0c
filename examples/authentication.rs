//! Who is calling: the client sends a token with everything, and the server finds out whose it is before it takes anything in.
//!
//! The client's part is a middleware of its transport, so that no caller has to think of it. The server's part refuses what it
//! does not know, casts too, and gives the handlers a typed `User`. That stays in the server: nobody can send one.
//!
//! `cargo run --example authentication`

use rpc_core::middleware::{
    Answered, ClientMiddleware, Next, Outgoing, Received, ServerMiddleware, async_trait,
};
use rpc_core::{
    Context, Entry, ErrorKind, RemoteError, RpcError, Server, Target, rpc_api, transport,
};
use std::collections::HashMap;
use std::error::Error;
use std::fmt;

/// A shelf of diaries.
#[rpc_api(version = "1.0")]
pub trait Diaries {
    /// Writes into the caller's diary.
    #[rpc(cast)]
    async fn write(&self, ctx: &Context, text: &str);

    /// Reads a diary, which only its owner may.
    async fn read(&self, ctx: &Context, owner: &str) -> Result<String, DiaryError>;
}

/// Why a diary is not read.
#[derive(Debug, PartialEq, Eq, RemoteError)]
pub enum DiaryError {
    /// It is somebody else's.
    NotYours {
        /// Who asked.
        caller: String,
    },
    /// What newer servers know.
    #[rpc(other)]
    Other {
        /// What it is.
        class: String,
        /// What is said of it.
        message: String,
    },
}

impl fmt::Display for DiaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYours { caller } => write!(f, "it is not for {caller}'s eyes"),
            Self::Other { message, .. } => f.write_str(message),
        }
    }
}

/// The client's part.
struct Token(&'static str);

#[async_trait]
impl ClientMiddleware for Token {
    async fn send(&self, mut message: Outgoing, next: Next<'_>) -> Result<Answered, RpcError> {
        message.context_mut().insert("token", self.0);
        next.send(message).await
    }
}

/// The server's part: whose token is whose.
struct Users(HashMap<&'static str, &'static str>);

/// Who sent a request, as the server has found out.
#[derive(Clone)]
struct User(String);

impl Entry for User {}

impl ServerMiddleware for Users {
    fn admit(&self, request: &mut Received) -> Result<(), RpcError> {
        let token = request.context().metadata("token");
        let Some(user) = token.and_then(|token| self.0.get(token)) else {
            return Err(RpcError::denied("the token is missing or unknown"));
        };
        request.context_mut().set(User((*user).to_owned()));
        Ok(())
    }
}

struct Shelf;

impl Diaries for Shelf {
    async fn write(&self, ctx: &Context, text: &str) {
        if let Some(User(user)) = ctx.get() {
            println!("{user} writes: {text}");
        }
    }

    async fn read(&self, ctx: &Context, owner: &str) -> Result<String, DiaryError> {
        let caller = ctx.get().map_or_else(String::new, |User(user)| user);
        if caller != owner {
            return Err(DiaryError::NotYours { caller });
        }
        Ok(format!("Dear diary, it is me, {owner}."))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let transport = transport::memory("authentication");
    let server = Server::builder(transport.clone())
        .target(Target::new().server("shelf"))
        .endpoint(DiariesDispatcher::new(Shelf))
        .middleware(Users(HashMap::from([("7f", "ada"), ("3c", "bob")])))
        .start()
        .await?;
    let ctx = Context::new();

    let ada = DiariesClient::new(transport.clone().middleware(Token("7f")));
    ada.write(&ctx, "Rain again.").await?;
    println!("{}", ada.read(&ctx, "ada").await?);

    let bob = DiariesClient::new(transport.clone().middleware(Token("3c")));
    let refused = bob.read(&ctx, "ada").await.unwrap_err();
    println!("{}", refused.method().ok_or("a method's error")?);

    let stranger = DiariesClient::new(transport);
    let denied = stranger.write(&ctx, "Who is it?").await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied);
    println!("{denied}");

    server.stop().await;
    server.wait().await;
    Ok(())
}
