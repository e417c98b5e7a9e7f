#include "objstore/rest/rest_bucket.h"

namespace gauntlet::objstore {

Status RestBucket::Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) {
  return GetRange(name, 0, UINT64_MAX, cancel, on_bytes);
}

Status RestBucket::GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                            const OnBytes& on_bytes) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  // No bytes: a range cannot say that; whether the object is there still counts.
  if (length == 0) return Attributes(name, cancel).status();
  return client_->Download(ObjectRequest("GET", name), name, offset, length, cancel, on_bytes);
}

Result<ObjectAttributes> RestBucket::Attributes(const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  return client_->Head(ObjectRequest("HEAD", name), name, cancel);
}

Result<bool> RestBucket::Exists(const std::string& name, const Cancel& cancel) {
  Result<ObjectAttributes> attributes = Attributes(name, cancel);
  if (attributes.ok()) return true;
  if (attributes.status().code() == Code::kNotFound) return false;
  return attributes.status();
}

Status RestBucket::Delete(const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  Status status = client_->Call(ObjectRequest("DELETE", name), cancel).status();
  return status.code() == Code::kNotFound ? Status() : std::move(status).Wrap("delete " + name);
}

Result<net::HttpAnswer> RestBucket::SendPart(Request request, const UploadPart& part, const Cancel& cancel) const {
  const PartFile bytes(part);
  request.file = &bytes.file();
  request.file_offset = bytes.offset();
  request.file_bytes = part.bytes;
  return client_->Call(request, cancel);
}

Status RestBucket::SendWhole(Request request, const UploadPart& part, const UploadOptions& options,
                             const Cancel& cancel) const {
  request.headers.Set("Content-Type", options.content_type.empty() ? "application/octet-stream" : options.content_type);
  return SendPart(std::move(request), part, cancel).status();
}

Status RestBucket::UploadCut(const std::string& name, Source& source, const CutOptions& cut, const Cancel& cancel,
                             const std::function<Status(const UploadPart&)>& whole,
                             const std::function<Status(PartCutter&)>& parts) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  PartCutter cutter(source, cut);
  UploadPart first;
  GN_TRY(cutter.Next(&first).status().Wrap("upload " + name));
  if (cutter.over()) return whole(first).Wrap("upload " + name);
  cutter.Push(std::move(first));
  return parts(cutter).Wrap("upload " + name);
}

}  // namespace gauntlet::objstore
