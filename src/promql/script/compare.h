// Comparing what a query answered with what a script expects.
//
// Upstream: prometheus promql/promqltest/test.go (compareResult, checkAnnotations)
// Threads:  functions.

#pragma once

#include "base/status.h"
#include "promql/engine/result.h"
#include "promql/script/script.h"

namespace gauntlet::promql {

// Equal as far as rounding goes; `actual` has no hints about what is to be compared.
bool SameValue(const SequenceValue& expected, const SequenceValue& actual);
// In the form of the scripts.
std::string ValueText(const SequenceValue& value);

// Ok, or kInvalid with the difference in words.
Status CompareResult(const EvalCommand& eval, const QueryResult& result);
Status CompareAnnotations(const EvalCommand& eval, const Annotations& annotations);
// The result of a range query at one of its steps, as if that had been an instant query of type `type`.
Status CompareStep(const EvalCommand& eval, const QueryResult& result, uint32_t step, ValueType type);
// Whether an error is the expected one.
Status CompareFailure(const EvalCommand& eval, const Status& failure);

}  // namespace gauntlet::promql
