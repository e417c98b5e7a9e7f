// Annotations: what a query wants to say beside its result: warnings and infos, each text once.
//
// Upstream: prometheus util/annotations
// Threads:  one thread at a time; merge at the end.

#pragma once

#include <set>
#include <string>
#include <utility>

namespace gauntlet {

class Annotations {
 public:
  void Warn(std::string text) { warnings_.insert(std::move(text)); }
  void Info(std::string text) { infos_.insert(std::move(text)); }
  void Merge(const Annotations& other) {
    warnings_.insert(other.warnings_.begin(), other.warnings_.end());
    infos_.insert(other.infos_.begin(), other.infos_.end());
  }
  bool empty() const { return warnings_.empty() && infos_.empty(); }
  const std::set<std::string>& warnings() const { return warnings_; }
  const std::set<std::string>& infos() const { return infos_; }

 private:
  std::set<std::string> warnings_, infos_;
};

}  // namespace gauntlet
