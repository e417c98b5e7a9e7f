// Query results as the HTTP API writes them: {"resultType": ..., "result": ...}.
//
// Upstream: prometheus web/api/v1/json_codec.go
// Threads:  one thread at a time.

#pragma once

#include "api/envelope.h"
#include "model/histogram.h"
#include "promql/engine/result.h"

namespace gauntlet {
class Executor;
}

namespace gauntlet::api {

// The members resultType and result, inside an object that is open. `limit` > 0 cuts the series. Many series are
// written on `executor`, when that is given, and sent in their order.
void WriteResult(JsonReply& json, const promql::QueryResult& result, int64_t limit, Executor* executor = nullptr);
// Whether a limit cuts this result.
bool IsCut(const promql::QueryResult& result, int64_t limit);

void WriteLabels(json::Writer& writer, LabelsView labels);
// {"count":"4","sum":"10","buckets":[[0,"1","2","3"], ...]}
void WriteHistogram(json::Writer& writer, const Histogram& histogram);
// The "stats" object.
void WriteStats(json::Writer& writer, const promql::QueryResult& result);
// {"name": "sum by (job)", "children": [...]}; with times, series, samples and bytes where they are known.
void WriteExplanation(json::Writer& writer, const promql::Explanation& explanation);

}  // namespace gauntlet::api
