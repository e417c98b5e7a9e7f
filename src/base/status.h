// The outcome of an operation that can fail: Status (no value) and Result<T>.
//
// Threads: a Status is a value; const use from many threads is safe.
// Owns:    nothing while ok (one null pointer); a heap record otherwise.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace gauntlet {

enum class Code : uint8_t {
  kOk,
  kCancelled,  // the caller gave up
  kInvalid,    // the request is wrong; retrying cannot help
  kNotFound,
  kExists,
  kDenied,
  kExhausted,    // a limit was hit
  kOutOfOrder,   // sample too old or behind its series
  kCorrupt,      // bytes on disk or on the wire do not parse
  kUnavailable,  // try again later
  kDeadline,
  kUnsupported,
  kInternal,  // a bug of ours
};

// The code's name as it is written in logs: "not found".
std::string_view CodeName(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message);
  Status(const Status& other);
  Status(Status&& other) noexcept : rep_(std::exchange(other.rep_, nullptr)) {}
  Status& operator=(Status other) noexcept {
    std::swap(rep_, other.rep_);
    return *this;
  }
  ~Status();

  bool ok() const { return rep_ == nullptr; }
  Code code() const { return rep_ ? rep_->code : Code::kOk; }
  std::string_view message() const { return rep_ ? std::string_view(rep_->message) : std::string_view(); }

  // Prefixes the message with what the caller was doing: "read block 01H: crc". No effect when ok.
  Status& Wrap(std::string_view doing) &;
  Status&& Wrap(std::string_view doing) && { return std::move(this->Wrap(doing)); }

 private:
  struct Rep {
    Code code;
    std::string message;
  };
  Rep* rep_ = nullptr;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<1>, std::move(value)) {}       // NOLINT: implicit on purpose
  Result(Status error) : state_(std::in_place_index<0>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.index() == 1; }
  Status status() const { return ok() ? Status() : std::get<0>(state_); }

  // REQUIRES: ok()
  T& operator*() & { return *std::get_if<1>(&state_); }
  const T& operator*() const& { return *std::get_if<1>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<1>(&state_)); }
  T* operator->() { return std::get_if<1>(&state_); }
  const T* operator->() const { return std::get_if<1>(&state_); }

 private:
  std::variant<Status, T> state_;
};

}  // namespace gauntlet

// Returns from the enclosing function when `expr` (a Status) is an error.
#define GN_TRY(expr)                                   \
  do {                                                 \
    if (auto gn_st = (expr); !gn_st.ok()) [[unlikely]] \
      return gn_st;                                    \
  } while (false)

// Declares `lhs` from a Result, or returns its error: GN_ASSIGN(auto meta, ReadMeta(dir));
#define GN_ASSIGN(lhs, expr) GN_ASSIGN_(GN_CAT(gn_res_, __LINE__), lhs, expr)
#define GN_ASSIGN_(tmp, lhs, expr) \
  auto tmp = (expr);               \
  if (!tmp.ok()) [[unlikely]]      \
    return tmp.status();           \
  lhs = *std::move(tmp)
#define GN_CAT(a, b) GN_CAT_(a, b)
#define GN_CAT_(a, b) a##b
