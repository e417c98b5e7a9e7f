// ServicesTest: a channel to services in the same process, for tests of what clients see of them. Test code only.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "model/labels.h"
#include "rpc/loopback_channel.h"

namespace gauntlet::rpc {

using Strings = std::vector<std::string>;

inline Labels L(std::string name, std::string value) { return Labels::From({{std::move(name), std::move(value)}}); }

class ServicesTest : public testing::Test {
 protected:
  LoopbackChannel& Channel(MethodMap methods) {
    channel_ = std::make_unique<LoopbackChannel>(std::move(methods), pool_);
    return *channel_;
  }
  ThreadPool pool_{"test", 4};
  std::unique_ptr<LoopbackChannel> channel_;
};

}  // namespace gauntlet::rpc
