// PrefixBucket: a bucket that lies below a prefix of another.
//
// Upstream: objstore prefixed_bucket.go
// Threads:  as the bucket below.

#pragma once

#include <memory>
#include <string>

#include "objstore/bucket.h"

namespace gauntlet::objstore {

class PrefixBucket final : public Bucket {
 public:
  // `prefix` without its slashes at both ends; the bucket itself when nothing is left.
  static std::unique_ptr<Bucket> Wrap(std::unique_ptr<Bucket> inner, std::string_view prefix);

  std::string_view provider() const override { return inner_->provider(); }
  std::string name() const override { return inner_->name(); }
  bool lists_ranges() const override { return inner_->lists_ranges(); }
  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  Status Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) override {
    return inner_->Get(Under(name), cancel, on_bytes);
  }
  Status GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                  const OnBytes& on_bytes) override {
    return inner_->GetRange(Under(name), offset, length, cancel, on_bytes);
  }
  Result<size_t> ReadInto(const std::string& name, uint64_t offset, size_t length, char* out,
                          const Cancel& cancel) override {
    return inner_->ReadInto(Under(name), offset, length, out, cancel);
  }
  Result<bool> Exists(const std::string& name, const Cancel& cancel) override {
    return inner_->Exists(Under(name), cancel);
  }
  Result<ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) override {
    return inner_->Attributes(Under(name), cancel);
  }
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override {
    return inner_->Upload(Under(name), source, options, cancel);
  }
  Status Delete(const std::string& name, const Cancel& cancel) override { return inner_->Delete(Under(name), cancel); }

 private:
  PrefixBucket(std::unique_ptr<Bucket> inner, std::string prefix)
      : inner_(std::move(inner)), prefix_(std::move(prefix)) {}
  // An empty name stays empty, so that it is refused below.
  std::string Under(const std::string& name) const { return name.empty() ? name : prefix_ + name; }

  const std::unique_ptr<Bucket> inner_;
  const std::string prefix_;  // with its slash
};

}  // namespace gauntlet::objstore
