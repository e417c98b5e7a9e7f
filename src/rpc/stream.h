// Sink: where a streaming call's answers go, whoever makes them: a handler into the network, a client into memory.
//
// Threads: one thread at a time.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace gauntlet::rpc {

template <typename T>
class Sink {
 public:
  virtual ~Sink() = default;
  // An error means that nobody listens any more: stop, and return it.
  virtual Status Send(const T& item) = 0;
  virtual Status Warn(std::string_view warning) = 0;
};

// Keeps everything.
template <typename T>
class Collected : public Sink<T> {
 public:
  Status Send(const T& item) override {
    items.push_back(item);
    return {};
  }
  Status Warn(std::string_view warning) override {
    warnings.emplace_back(warning);
    return {};
  }

  std::vector<T> items;
  std::vector<std::string> warnings;
};

}  // namespace gauntlet::rpc
