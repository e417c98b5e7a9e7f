// OrderedFor: pieces of work made on many threads and taken in their order.
//
// Threads: a function that blocks its caller; `make` is called on many threads at once, `take` on the caller only.

#pragma once

#include <cstddef>
#include <functional>

namespace gauntlet {

class Executor;

// make(slot, i) for i = 0 .. count - 1, on `executor` and on the caller; take(slot, i) on the caller, in order. At most
// `slots` pieces are made and not taken, each in a slot of its own in [0, slots). The caller makes what nobody has
// begun when its turn comes, so it never waits for a pool that is busy with callers like itself. Ends early when `take`
// returns false; no call runs once this returns.
void OrderedFor(Executor& executor, size_t count, size_t slots, const std::function<void(size_t slot, size_t i)>& make,
                const std::function<bool(size_t slot, size_t i)>& take);

}  // namespace gauntlet
