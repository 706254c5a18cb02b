//! Room for parsers and engines that recurse.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work` on a stack of `bytes`, which is enough where the depth of the recursion is bounded;
/// `None` if it panics. It stays on the thread: glibc's malloc gives each thread a heap of its own,
/// and what one has freed the other does not use again.
pub(crate) fn with_stack<T>(bytes: usize, work: impl FnOnce() -> T) -> Option<T> {
    // Whatever `work` had in its hands when it panicked is dropped with it.
    catch_unwind(AssertUnwindSafe(|| stacker::grow(bytes, work))).ok()
}
