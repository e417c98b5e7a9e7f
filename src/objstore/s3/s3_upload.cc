#include "objstore/s3/s3_upload.h"

#include <algorithm>
#include <chrono>

#include "net/text.h"
#include "objstore/directories.h"
#include "objstore/sign.h"
#include "objstore/sources.h"
#include "objstore/xml.h"

namespace gauntlet::objstore {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kPartsMax = 10'000;
constexpr uint64_t kObjectBytesMax = 5 * kMiB * kMiB;  // 5 TiB
constexpr uint64_t kPutBytesMax = 5 * 1024 * kMiB;     // 5 GiB
constexpr int kPartsBeforeDoubling = 1'000;
constexpr size_t kHashBytes = 1 << 20;
constexpr std::chrono::milliseconds kAbortTimeout{10'000};

}  // namespace

uint64_t PartBytes(uint64_t object_bytes, uint64_t wanted) {
  uint64_t least = (object_bytes + kPartsMax - 1) / kPartsMax;
  least = (least + kMiB - 1) / kMiB * kMiB;
  return std::max({wanted, least, 5 * kMiB});
}

Status S3Upload::Run(Source& source) {
  CutOptions cut;
  cut.stream_part_bytes = bucket_.stream_part_bytes;
  cut.parts_before_doubling = kPartsBeforeDoubling;
  cut.object_bytes_max = kObjectBytesMax;
  if (source.file() != nullptr) {
    const uint64_t bytes = source.file()->size();
    if (bytes > kObjectBytesMax) return {Code::kInvalid, "an object of more than 5 TiB"};
    if (!bucket_.multipart && bytes > kPutBytesMax) {
      return {Code::kInvalid, "an object of more than 5 GiB and disable_multipart"};
    }
    if (bytes <= bucket_.part_bytes || !bucket_.multipart) return PutWhole(*source.file(), bytes);
    cut.file_part_bytes = PartBytes(bytes, bucket_.part_bytes);
    PartCutter cutter(source, cut);
    return PutParts(cutter);
  }
  PartCutter cutter(source, cut);
  UploadPart first;
  GN_TRY(cutter.Next(&first).status());
  if (cutter.over()) return PutWhole(BytesFile(first.buffer), first.bytes);
  if (!bucket_.multipart) return {Code::kInvalid, "a stream of unknown length and disable_multipart"};
  cutter.Push(std::move(first));
  return PutParts(cutter);
}

Request S3Upload::ObjectRequest(const char* method) const {
  Request request;
  request.method = method;
  request.path = name_;
  return request;
}

Status S3Upload::AddMd5(const io::RandomFile& file, uint64_t offset, uint64_t bytes, Request* request) const {
  if (!bucket_.content_md5) return Status();
  Md5Stream md5;
  std::string buffer;
  for (uint64_t at = 0; at < bytes;) {
    GN_TRY(cancel_.status());
    auto n = static_cast<size_t>(std::min<uint64_t>(kHashBytes, bytes - at));
    GN_TRY(file.Read(offset + at, n, &buffer));
    md5.Append(buffer);
    at += n;
  }
  request->headers.Set("Content-MD5", Base64(md5.Finish()));
  return Status();
}

Status S3Upload::PutWhole(const io::RandomFile& file, uint64_t bytes) {
  Request request = ObjectRequest("PUT");
  for (const auto& [name, value] : bucket_.put_headers.all()) request.headers.Add(name, value);
  for (const auto& [name, value] : bucket_.key_headers.all()) request.headers.Add(name, value);
  request.headers.Set("Content-Type",
                      options_.content_type.empty() ? "application/octet-stream" : options_.content_type);
  if (options_.if_absent) request.headers.Set("If-None-Match", "*");
  GN_TRY(AddMd5(file, 0, bytes, &request));
  request.file = &file;
  request.file_bytes = bytes;
  return client_.Call(request, cancel_).status();
}

Status S3Upload::PutParts(PartCutter& cutter) {
  GN_ASSIGN(upload_id_, Begin());
  Status status = SendParts(cutter, executor_, bucket_.parallel_parts, cancel_,
                            [&](const UploadPart& part, const Cancel& cancel) { return SendPart(part, cancel); });
  if (status.ok()) status = Complete();
  if (!status.ok()) Abort();
  return status;
}

Result<std::string> S3Upload::Begin() {
  Request request = ObjectRequest("POST");
  request.query.emplace_back("uploads", "");
  for (const auto& [name, value] : bucket_.put_headers.all()) request.headers.Add(name, value);
  for (const auto& [name, value] : bucket_.key_headers.all()) request.headers.Add(name, value);
  request.headers.Set("Content-Type",
                      options_.content_type.empty() ? "application/octet-stream" : options_.content_type);
  GN_ASSIGN(net::HttpAnswer answer, client_.Call(request, cancel_));
  GN_ASSIGN(XmlNode root, ParseXml(answer.body));
  std::string id(root.Text("UploadId"));
  if (id.empty()) return Status(Code::kCorrupt, "begin an upload in parts: no UploadId");
  return id;
}

Status S3Upload::SendPart(const UploadPart& part, const Cancel& cancel) {
  const PartFile bytes(part);
  Request request = ObjectRequest("PUT");
  request.query.emplace_back("partNumber", std::to_string(part.number));
  request.query.emplace_back("uploadId", upload_id_);
  for (const auto& [name, value] : bucket_.key_headers.all()) request.headers.Add(name, value);
  GN_TRY(AddMd5(bytes.file(), bytes.offset(), part.bytes, &request));
  request.file = &bytes.file();
  request.file_offset = bytes.offset();
  request.file_bytes = part.bytes;
  Result<net::HttpAnswer> answer = client_.Call(request, cancel);
  if (!answer.ok()) return answer.status().Wrap("part " + std::to_string(part.number));
  std::string etag(answer->headers.Get("ETag"));
  if (etag.empty()) return {Code::kCorrupt, "part " + std::to_string(part.number) + ": no ETag"};
  MutexLock lock(mutex_);
  bytes_ += part.bytes;
  if (etags_.size() < static_cast<size_t>(part.number)) etags_.resize(static_cast<size_t>(part.number));
  etags_[static_cast<size_t>(part.number) - 1] = std::move(etag);
  return Status();
}

Status S3Upload::Complete() {
  Request request = ObjectRequest("POST");
  request.query.emplace_back("uploadId", upload_id_);
  request.headers.Set("Content-Type", "application/xml");
  if (options_.if_absent) request.headers.Set("If-None-Match", "*");
  request.body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  {
    MutexLock lock(mutex_);
    for (size_t i = 0; i < etags_.size(); ++i) {
      request.body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
                      net::EscapeMarkup(etags_[i]) + "</ETag></Part>";
    }
  }
  request.body += "</CompleteMultipartUpload>";
  Status status = client_.Call(request, cancel_).status();
  if (status.code() != Code::kNotFound) return status;
  // The upload is not there any more: done by an attempt whose answer was lost?
  Request head = ObjectRequest("HEAD");
  for (const auto& [name, value] : bucket_.key_headers.all()) head.headers.Add(name, value);
  Result<net::HttpAnswer> object = client_.Call(head, cancel_);
  if (!object.ok()) return status;
  MutexLock lock(mutex_);
  bool same = object->headers.Get("Content-Length") == std::to_string(bytes_) &&
              object->headers.Get("ETag").find("-" + std::to_string(etags_.size())) != std::string_view::npos;
  return same ? Status() : status;
}

void S3Upload::Abort() {
  // Also when the upload was cancelled: else its parts stay and cost.
  CancelSource limited(Cancel(), kAbortTimeout);
  Request request = ObjectRequest("DELETE");
  request.query.emplace_back("uploadId", upload_id_);
  (void)client_.Call(request, limited.cancel());  // best effort; what matters is the first error
}

}  // namespace gauntlet::objstore
