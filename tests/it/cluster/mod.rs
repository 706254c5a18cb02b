//! Reading a cluster: a real kube-apiserver, and what a network does between it and us.

mod connect;
mod faults;
mod index;
mod live;
pub(crate) mod proxy;
mod record;
mod releases;
