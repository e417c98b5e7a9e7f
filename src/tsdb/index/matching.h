// Matching: which series of an index the matchers select.
//
// In three steps, so that a bucket reads all it needs at once: the plan names the postings lists, from the table alone;
// a fetcher brings them; cursors combine them.
//
// Upstream: prometheus tsdb/querier.go (PostingsForMatchers, labelValuesWithMatchers)
// Threads:  free functions; a plan is a value that borrows from its table. A fetcher says itself.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "model/matcher.h"
#include "tsdb/index/postings.h"
#include "tsdb/index/postings_table.h"

namespace gauntlet::tsdb {

// One list: its label pair (both empty for all series) and its place.
struct PostingsKey {
  std::string_view name, value;
  PostingsRange range;
};

// Brings lists.
class PostingsFetcher {
 public:
  virtual ~PostingsFetcher() = default;
  // Appends one cursor per key. They, and what they read, live as long as the fetcher.
  virtual Status Fetch(std::span<const PostingsKey> keys, std::vector<PostingsCursorPtr>* out) = 0;
};

// What is selected: the series that are in a list of each group to intersect and in no list to subtract.
struct PostingsPlan {
  using Union = std::vector<PostingsKey>;
  bool nothing = false;          // no series can match
  std::vector<Union> intersect;  // not empty, unless nothing
  Union subtract;
};

// Matchers on one label that must have a value are tested together, in one pass over its values.
Result<PostingsPlan> PlanPostings(const PostingsTable& table, std::span<const Matcher> matchers, const Cancel& cancel);
Result<PostingsCursorPtr> RunPlan(const PostingsPlan& plan, PostingsFetcher& fetcher);
// Both.
Result<PostingsCursorPtr> SelectPostings(const PostingsTable& table, std::span<const Matcher> matchers,
                                         PostingsFetcher& fetcher, const Cancel& cancel);

// The values of `name` among the series that the matchers select, sorted; at most `limit`, 0 = all.
Result<std::vector<std::string>> SelectLabelValues(const PostingsTable& table, std::string_view name,
                                                   std::span<const Matcher> matchers, size_t limit,
                                                   PostingsFetcher& fetcher, const Cancel& cancel);

}  // namespace gauntlet::tsdb
