#include "net/http/reply_writer.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "net/text.h"

namespace gauntlet::net {
namespace {

constexpr size_t kBuffer = 64 << 10;
constexpr int kGzipLevel = 1;     // answers are made once and read once: speed before size
constexpr size_t kGzipMin = 512;  // below, gzip gains less than a packet
constexpr size_t kPiece = 64 << 10;

bool BodyAllowed(int status) { return status >= 200 && status != 204 && status != 304; }

// "Sun, 06 Nov 1994 08:49:37 GMT", made once per second and thread.
const std::string& HttpDate() {
  thread_local time_t made_at = 0;
  thread_local std::string text;
  time_t now = time(nullptr);
  if (now != made_at || text.empty()) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    tm utc{};
    gmtime_r(&now, &utc);
    char digits[64];
    snprintf(digits, sizeof digits, "%s, %02d %s %d %02d:%02d:%02d GMT", kDays[utc.tm_wday], utc.tm_mday,
             kMonths[utc.tm_mon], 1900 + utc.tm_year, utc.tm_hour, utc.tm_min, utc.tm_sec);
    made_at = now;
    text = digits;
  }
  return text;
}

void AppendHeader(std::string* out, std::string_view name, std::string_view value) {
  *out += name;
  *out += ": ";
  for (char c : value) *out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  *out += "\r\n";
}

void AppendChunkSize(std::string* out, size_t bytes) {
  char size[20];
  snprintf(size, sizeof size, "%zx\r\n", bytes);
  *out += size;
}

void AppendChunk(std::string* out, std::string_view body) {
  if (body.empty()) return;
  out->reserve(out->size() + body.size() + 32);
  AppendChunkSize(out, body.size());
  *out += body;
  *out += "\r\n";
}

bool TokenName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
}

}  // namespace

Status ReplyWriter::Write(std::string_view bytes) {
  if (!failed_.ok()) return failed_;
  if (bytes.size() < kBuffer - std::min(buffer_.size(), kBuffer)) {
    buffer_ += bytes;
    return Status();
  }
  std::string out = Head(false);
  std::string had;
  std::swap(had, buffer_);
  GN_TRY(SendBody(std::move(out), had, Part::kMore));
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    if (bytes.empty() && piece.size() < kPiece / 2) {
      buffer_ = piece;
    } else {
      GN_TRY(SendBody({}, piece, Part::kMore));
    }
  }
  return Status();
}

Status ReplyWriter::WriteOwned(std::string bytes) {
  if (!failed_.ok() || bytes.size() < kBuffer) return Write(bytes);
  std::string out = Head(false);
  std::string had;
  std::swap(had, buffer_);
  const bool as_it_is = !gzip_ && !options_.head && (framing_ == Framing::kChunked || framing_ == Framing::kToEnd);
  if (!as_it_is) {
    GN_TRY(SendBody(std::move(out), had, Part::kMore));
    return Write(bytes);
  }
  if (framing_ == Framing::kToEnd) return Send(out + had, std::move(bytes));
  AppendChunk(&out, had);
  AppendChunkSize(&out, bytes.size());
  bytes += "\r\n";
  return Send(std::move(out), std::move(bytes));
}

Status ReplyWriter::Flush() {
  if (!failed_.ok()) return failed_;
  std::string out = Head(false);
  std::string had;
  std::swap(had, buffer_);
  return SendBody(std::move(out), had, Part::kFlush);
}

bool ReplyWriter::Replace(int status, std::string_view text) {
  if (committed_) return false;
  status_ = status;
  headers_ = HttpHeaders();
  headers_.Set("Content-Type", "text/plain; charset=utf-8");
  buffer_ = text;
  buffer_ += '\n';
  return true;
}

void ReplyWriter::Finish() {
  if (aborted_) options_.keep_alive = false;
  if (!failed_.ok() || aborted_) return;
  std::string out = Head(true);
  if (!SendBody(std::move(out), buffer_, Part::kLast).ok()) return;
  bool cut = framing_ == Framing::kLength && !options_.head && length_left_ > 0;
  if (cut) options_.keep_alive = false;
}

// The status line and headers, or nothing when they are out. `whole`: buffer_ is all of the body.
std::string ReplyWriter::Head(bool whole) {
  std::string out;
  if (committed_) return out;
  committed_ = true;
  ChooseFraming(whole);
  if (sink_.Closing() || SameToken(headers_.Get("Connection"), "close")) options_.keep_alive = false;

  out.reserve(256 + (whole ? buffer_.size() + 16 : 0));
  out += "HTTP/1.1 ";
  out += std::to_string(status_);
  out += ' ';
  out += HttpStatusText(status_);
  out += "\r\n";
  AppendHeaders(&out);
  if (!options_.keep_alive) {
    out += "Connection: close\r\n";
  } else if (options_.http10) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return out;
}

void ReplyWriter::ChooseFraming(bool whole) {
  if (!BodyAllowed(status_)) {
    headers_.Remove("Content-Length");
    buffer_.clear();
    return;
  }
  if (!buffer_.empty() && !headers_.Has("Content-Type")) headers_.Set("Content-Type", "text/plain; charset=utf-8");
  if (WorthCompressing()) {
    headers_.Add("Vary", "Accept-Encoding");
    if (options_.gzip && (!whole || buffer_.size() >= kGzipMin)) {
      headers_.Set("Content-Encoding", "gzip");
      headers_.Remove("Content-Length");
      if (whole) {  // at most kBuffer: compressed here, so that its length is known
        buffer_ = io::GzipCompress(buffer_, kGzipLevel);
      } else {
        gzip_ = std::make_unique<io::GzipWriter>(kGzipLevel);
      }
    }
  }
  // The answer to a HEAD whose handler wrote no body keeps the length that the handler gave, if any.
  if (whole && !(options_.head && buffer_.empty())) headers_.Set("Content-Length", std::to_string(buffer_.size()));
  if (std::string_view length = headers_.Get("Content-Length"); !length.empty()) {
    framing_ = Framing::kLength;
    std::from_chars(length.data(), length.data() + length.size(), length_left_);
  } else if (options_.http10) {
    framing_ = Framing::kToEnd;
    options_.keep_alive = options_.keep_alive && options_.head;
  } else {
    framing_ = Framing::kChunked;
  }
}

bool ReplyWriter::WorthCompressing() const {
  if (status_ == 206 || headers_.Has("Content-Encoding") || headers_.Has("Content-Range")) return false;
  std::string_view type = headers_.Get("Content-Type");
  if (type.starts_with("text/")) return true;
  for (std::string_view part : {"json", "javascript", "xml", "openmetrics", "vnd.google.protobuf"}) {
    if (type.find(part) != std::string_view::npos) return true;
  }
  return false;
}

void ReplyWriter::AppendHeaders(std::string* out) const {
  if (!headers_.Has("Date")) AppendHeader(out, "Date", HttpDate());
  for (const auto& [name, value] : headers_.all()) {
    bool ours = SameToken(name, "Connection") || SameToken(name, "Transfer-Encoding");
    if (!ours && TokenName(name)) AppendHeader(out, name, value);
  }
  if (framing_ == Framing::kChunked) *out += "Transfer-Encoding: chunked\r\n";
}

Status ReplyWriter::SendBody(std::string out, std::string_view body, Part part) {
  if (options_.head || framing_ == Framing::kNone) return out.empty() ? Status() : Send(std::move(out));
  std::string packed;
  if (gzip_) {
    gzip_->Append(body, &packed);
    if (part == Part::kFlush) gzip_->Flush(&packed);
    if (part == Part::kLast) gzip_->Finish(&packed);
    body = packed;
  }
  if (framing_ == Framing::kLength) {
    if (body.size() > length_left_) {
      failed_ = Status(Code::kInternal, "the handler wrote more than its Content-Length");
      options_.keep_alive = false;
      return failed_;
    }
    length_left_ -= body.size();
  }
  if (framing_ == Framing::kChunked) {
    AppendChunk(&out, body);
    if (part == Part::kLast) out += "0\r\n\r\n";
  } else {
    out += body;
  }
  return out.empty() ? Status() : Send(std::move(out));
}

Status ReplyWriter::Send(std::string head, std::string body) {
  if (Status status = sink_.Send(std::move(head), std::move(body)); !status.ok()) {
    failed_ = status;
    options_.keep_alive = false;
  }
  return failed_;
}

}  // namespace gauntlet::net
