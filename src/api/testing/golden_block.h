// Test data: the samples of a golden block (golden/README.md) as series in memory.

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "model/labels.h"
#include "storage/memory_storage.h"

namespace gauntlet::api {

// {"job":"a"} as labels.
Labels LabelsFromJson(std::string_view text);
// Appends each series to the storage that `place` names, under the labels that it leaves. False when the data is not
// there.
bool LoadBlock(const std::string& name, const std::function<storage::MemoryStorage*(Labels*)>& place);

}  // namespace gauntlet::api
