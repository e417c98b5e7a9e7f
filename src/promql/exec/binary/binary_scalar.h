// Binary operators between a vector and a scalar.
//
// Upstream: prometheus promql/engine.go (VectorscalarBinop)
// Threads:  shared by all workers once open.

#pragma once

#include <memory>

#include "promql/exec/rows/operator.h"
#include "promql/exec/rows/stage.h"

namespace gauntlet::promql {

// `scalar_first`: the scalar is on the left. `careful`: see NameDropper.
std::unique_ptr<Stage> MakeBinaryScalar(ExecContext& context, const BinaryNode& node,
                                        std::unique_ptr<ScalarOperator> scalar, bool scalar_first, bool careful);

// scalar </ vector and scalar >/ vector: nothing comes of them but a note, of each step's last series.
std::unique_ptr<Operator> MakeTrimOfScalar(ExecContext& context, const BinaryNode& node,
                                           std::unique_ptr<ScalarOperator> scalar, std::unique_ptr<Operator> input);

}  // namespace gauntlet::promql
