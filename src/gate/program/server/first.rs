//! Waiting for the first of two things.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// What came first.
pub(super) enum First<A, B> {
    /// The one that was named first; also when both came at once.
    One(A),
    /// The other.
    Other(B),
}

/// Waits until one of two things is there; the other is given up.
pub(super) async fn first<A, B>(
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> First<A, B> {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| {
        if let Poll::Ready(one) = one.as_mut().poll(context) {
            return Poll::Ready(First::One(one));
        }
        other.as_mut().poll(context).map(First::Other)
    })
    .await
}
