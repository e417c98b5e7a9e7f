// What a quarantine mark advises: the commands that get a block or a group out of it.
//
// Threads: free functions.

#pragma once

#include <string>

#include "compactor/quarantine.h"
#include "tsdb/compact/fault.h"

namespace gauntlet::compactor {

std::string ReasonOf(tsdb::FaultKind kind);
std::string AdviceFor(const QuarantineMark& mark);

}  // namespace gauntlet::compactor
