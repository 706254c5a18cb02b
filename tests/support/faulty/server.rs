//! The registry on the wire: its listeners on a thread of their own, and faults put into effect.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract;
use axum::http::request::Parts;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use tokio::sync::oneshot;

use super::protocol::{self, Route};
use super::state::{Reply, State};
use super::{Faulty, Options, Place, Request, Trouble, auth};
use crate::support::images::digest;

/// What a listener serves its requests with.
#[derive(Clone)]
struct Door {
    side: Side,
    state: Arc<Mutex<State>>,
    /// Address of the other host.
    elsewhere: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The registry's address.
    Front,
    /// The other host: no login.
    Other,
    /// The test's own: no login, no log, no faults.
    Back,
}

/// How much of an answer's body gets out.
#[derive(Clone, Copy)]
enum Ending {
    Whole,
    CutAfter(usize),
    StallAfter(usize),
}

pub(super) fn start(options: Options) -> Faulty {
    let listeners = [Side::Front, Side::Other, Side::Back]
        .map(|side| (side, TcpListener::bind("127.0.0.1:0").unwrap()));
    let [front, other, back] =
        [0, 1, 2].map(|side: usize| listeners[side].1.local_addr().unwrap().port());
    let elsewhere = format!("localhost:{other}");
    let state = Arc::new(Mutex::new(State::new(options)));
    let door = Door { side: Side::Front, state: Arc::clone(&state), elsewhere: elsewhere.clone() };
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for (side, listener) in listeners {
                tokio::spawn(listen(listener, Door { side, ..door.clone() }));
            }
            // Its sender is dropped to say that it is over; the runtime takes the tasks with it.
            let _ = stopped.await;
        });
    });
    Faulty {
        address: format!("127.0.0.1:{front}"),
        other: elsewhere,
        back: format!("http://127.0.0.1:{back}"),
        state,
        stop: Some(stop),
        thread: Some(thread),
    }
}

async fn listen(listener: TcpListener, door: Door) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    axum::serve(listener, Router::new().fallback(handle).with_state(door)).await.unwrap();
}

async fn handle(door: extract::State<Door>, request: extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    if door.side == Side::Back {
        let reply = door.carry_out(&parts, read(body, usize::MAX).await, true);
        return send(Some(reply), Ending::Whole);
    }
    let number = door.note(&parts);
    let met = door.meet(&parts);
    let limit = match met {
        Ok(Some(Trouble::Drop)) => 0,
        Ok(Some(Trouble::DropUploadAfter(bytes))) => bytes,
        _ => usize::MAX,
    };
    let body = read(body, limit).await;
    let length = body.len();
    let (reply, ending) = match met {
        Err(refusal) => (Some(refusal), Ending::Whole),
        Ok(None) => (Some(door.carry_out(&parts, body, true)), Ending::Whole),
        Ok(Some(trouble)) => door.spoil(&parts, body, trouble).await,
    };
    if let Some(entry) = door.state().log.get_mut(&number) {
        entry.body = length;
        entry.status = reply.as_ref().map_or(0, |reply| reply.status);
    }
    send(reply, ending)
}

impl Door {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Writes the request down when it comes: answers may go out in another order.
    fn note(&self, parts: &Parts) -> usize {
        let mut state = self.state();
        let authorization = parts.headers.get("authorization");
        let entry = Request {
            method: parts.method.to_string(),
            path: parts.uri.to_string(),
            authorization: authorization.map(|value| value.to_str().unwrap().to_owned()),
            other_host: self.side == Side::Other,
            body: 0,
            status: 0,
        };
        state.leaked |= entry.other_host && entry.authorization.is_some();
        state.counter += 1;
        let number = state.counter;
        state.log.insert(number, entry);
        number
    }

    /// Whether the request gets in, and what fault it meets there.
    fn meet(&self, parts: &Parts) -> Result<Option<Trouble>, Reply> {
        let mut state = self.state();
        let path = parts.uri.path();
        if self.side == Side::Front && path != "/token" {
            auth::admit(&state, parts, Route::of(path).map(|route| route.repository))?;
        }
        let (method, path) = (parts.method.as_str(), parts.uri.to_string());
        let fault = state.faults.iter_mut().find_map(|fault| {
            let fires = fault.fires(method, &path);
            fires.then(|| fault.trouble.clone())
        });
        Ok(fault)
    }

    fn carry_out(&self, parts: &Parts, body: Bytes, mounts: bool) -> Reply {
        let mut state = self.state();
        if parts.uri.path() == "/token" {
            return auth::token(&mut state, parts, &body);
        }
        protocol::answer(&mut state, parts, body, mounts)
    }

    /// No reply means that the connection is dropped.
    async fn spoil(&self, parts: &Parts, body: Bytes, trouble: Trouble) -> (Option<Reply>, Ending) {
        let mut ending = Ending::Whole;
        let reply = match trouble {
            Trouble::Status(401) => {
                let repository = Route::of(parts.uri.path()).map(|route| route.repository);
                auth::challenge(&self.state(), parts, repository)
            }
            Trouble::Status(status) => Reply::error(status, "SCRIPTED"),
            Trouble::RetryAfter(status, when) => {
                Reply::error(status, "TOOMANYREQUESTS").header("retry-after", when)
            }
            Trouble::Page(status, page) => Reply::content(status, "text/html", page.into()),
            Trouble::Drop => return (None, ending),
            Trouble::DropUploadAfter(_) => {
                protocol::keep_part(&mut self.state(), parts, &body);
                return (None, ending);
            }
            Trouble::LoseAnswer => {
                self.carry_out(parts, body, true);
                return (None, ending);
            }
            Trouble::CutAfter(bytes) => {
                ending = Ending::CutAfter(bytes);
                self.carry_out(parts, body, true)
            }
            Trouble::StallAfter(bytes) => {
                ending = Ending::StallAfter(bytes);
                self.carry_out(parts, body, true)
            }
            Trouble::Slow(time) => {
                tokio::time::sleep(time).await;
                self.carry_out(parts, body, true)
            }
            Trouble::WrongBytes => {
                let mut reply = self.carry_out(parts, body, true);
                let mut bytes = reply.body.to_vec();
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
                reply.body = bytes.into();
                reply
            }
            Trouble::WrongDigest => {
                self.carry_out(parts, body, true).header("docker-content-digest", digest(b"wrong"))
            }
            Trouble::RefuseMount => self.carry_out(parts, body, false),
            Trouble::Redirect(place) => {
                Reply::status(307).header("location", self.place(place, &parts.uri.to_string()))
            }
            Trouble::Location(place) => {
                let reply = self.carry_out(parts, body, true);
                let local = reply.headers.iter().find(|(name, _)| *name == "location").cloned();
                reply.header("location", self.place(place, &local.unwrap_or_default().1))
            }
        };
        (Some(reply), ending)
    }

    fn place(&self, place: Place, path: &str) -> String {
        match place {
            Place::OtherHost => format!("http://{}{path}", self.elsewhere),
            Place::Url(url) => url,
        }
    }
}

/// The body, or its first bytes.
async fn read(body: Body, limit: usize) -> Bytes {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while bytes.len() < limit {
        let Some(Ok(chunk)) = chunks.next().await else { break };
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(limit);
    bytes.into()
}

fn send(reply: Option<Reply>, ending: Ending) -> Response {
    // A body that fails before its first byte takes the answer's head with it: nothing is sent.
    let Some(reply) = reply else {
        return Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(dropped())])));
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    if reply.status != 204 {
        response = response.header("content-length", reply.body.len());
    }
    let body = match ending {
        Ending::Whole => Body::from(reply.body),
        Ending::CutAfter(bytes) => {
            begun(&reply.body, bytes, Duration::from_millis(50)) // for what was sent to get out
        }
        Ending::StallAfter(bytes) => begun(&reply.body, bytes, Duration::from_secs(3600)),
    };
    response.body(body).unwrap()
}

/// A body that breaks off after some bytes and a while.
fn begun(body: &Bytes, bytes: usize, pause: Duration) -> Body {
    let start = body.slice(..bytes.min(body.len()));
    let end = stream::once(async move {
        tokio::time::sleep(pause).await;
        Err(dropped())
    });
    Body::from_stream(stream::iter([Ok(start)]).chain(end))
}

fn dropped() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
