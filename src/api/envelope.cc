#include "api/envelope.h"

#include <algorithm>
#include <set>
#include <utility>

namespace gauntlet::api {
namespace {

constexpr size_t kNotesMax = 10;

bool IsPromQlNote(std::string_view text) {
  return text.starts_with("PromQL warning: ") || text.starts_with("PromQL info: ");
}

void WriteNotes(json::Writer& writer, std::string_view key, const std::set<std::string>& notes, const char* more) {
  if (notes.empty()) return;
  writer.Key(key).BeginArray();
  // Only notes of PromQL are cut: a partial response names every endpoint that is missing.
  size_t written = 0, omitted = 0;
  for (const std::string& note : notes) {
    if (IsPromQlNote(note) && written >= kNotesMax) {
      ++omitted;
      continue;
    }
    writer.String(note);
    written += IsPromQlNote(note);
  }
  if (omitted > 0) writer.String(std::to_string(omitted) + more);
  writer.EndArray();
}

}  // namespace

std::string_view ErrorTypeText(ErrorType type) {
  switch (type) {
    case ErrorType::kBadData:
      return "bad_data";
    case ErrorType::kExecution:
      return "execution";
    case ErrorType::kCanceled:
      return "canceled";
    case ErrorType::kTimeout:
      return "timeout";
    case ErrorType::kInternal:
      return "internal";
    case ErrorType::kNotFound:
      return "not_found";
    case ErrorType::kUnavailable:
      return "unavailable";
  }
  return "internal";
}

int HttpStatusOf(ErrorType type) {
  switch (type) {
    case ErrorType::kBadData:
      return 400;
    case ErrorType::kExecution:
      return 422;
    case ErrorType::kCanceled:
      return 503;
    case ErrorType::kTimeout:
      return 503;
    case ErrorType::kNotFound:
      return 404;
    case ErrorType::kInternal:
    case ErrorType::kUnavailable:
      return 500;
  }
  return 500;
}

void ReplyError(net::HttpReply& reply, ErrorType type, std::string_view message) {
  std::string body;
  json::Writer writer(&body);
  writer.BeginObject()
      .StringMember("status", "error")
      .StringMember("errorType", ErrorTypeText(type))
      .StringMember("error", message);
  writer.EndObject();
  reply.SetStatus(HttpStatusOf(type));
  reply.headers().Set("Content-Type", "application/json");
  reply.headers().Set("Cache-Control", "no-store");
  static_cast<void>(reply.Write(body));  // a client that has gone needs no answer
}

void ReplyBadParameter(net::HttpReply& reply, std::string_view name, const Status& cause) {
  ReplyError(reply, ErrorType::kBadData,
             "invalid parameter \"" + std::string(name) + "\": " + std::string(cause.message()));
}

bool JsonReply::Send() {
  const bool large = buffer_.size() >= kPassBytes;
  const bool ok = reply_.WriteOwned(std::move(buffer_)).ok();
  buffer_ = std::string();
  if (large) buffer_.reserve(kPassBytes + kPassBytes / 4);  // as much again may follow
  return ok;
}

bool JsonReply::SendBehind(std::string elements) {
  return (buffer_.empty() || Send()) && reply_.WriteOwned(std::move(elements)).ok();
}

void ReplyData(net::HttpReply& reply, const Annotations& annotations, const std::function<void(JsonReply&)>& data) {
  reply.headers().Set("Content-Type", "application/json");
  bool partial = std::any_of(annotations.warnings().begin(), annotations.warnings().end(),
                             [](const std::string& text) { return !IsPromQlNote(text); });
  if (partial) reply.headers().Set("Cache-Control", "no-store");
  JsonReply json(reply);
  json::Writer& writer = json.writer();
  writer.BeginObject().StringMember("status", "success").Key("data");
  data(json);
  WriteNotes(writer, "warnings", annotations.warnings(), " more warning annotations omitted");
  WriteNotes(writer, "infos", annotations.infos(), " more info annotations omitted");
  writer.EndObject();
  json.Send();
}

}  // namespace gauntlet::api
