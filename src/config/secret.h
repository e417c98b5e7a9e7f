// Secret: a string that is printed as "<secret>".
//
// Threads: a value.

#pragma once

#include <string>
#include <utility>

namespace gauntlet::config {

inline constexpr char kSecretText[] = "<secret>";

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  // The secret itself: for the place that needs it, never for logs, errors or pages.
  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }
  std::string ToString() const { return value_.empty() ? "" : kSecretText; }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

}  // namespace gauntlet::config
