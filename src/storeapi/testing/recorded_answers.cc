#include "storeapi/testing/recorded_answers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "json/reader.h"
#include "wire/fields.h"
#include "wire/store_request.h"

namespace gauntlet::storeapi {
namespace {

constexpr uint32_t kStoreOfInfo = 3;

void AppendSeries(const std::vector<std::string>& frames, const AnswerForm& form, Lines* lines) {
  wire::SeriesReader reader;
  for (const std::string& frame : frames) {
    reader.Reset(frame);
    while (true) {
      auto more = reader.Next();
      if (!more.ok()) lines->push_back("malformed: " + std::string(more.status().message()));
      if (!more.ok() || !*more) break;
      if (reader.kind() == wire::SeriesReader::Kind::kWarning)
        lines->push_back("warning " + std::string(reader.text()));
      if (reader.kind() == wire::SeriesReader::Kind::kSeries) form.series(reader, lines);
    }
  }
}

void AppendLabels(const std::string& method, const std::string& frame, const AnswerForm& form, Lines* lines) {
  auto response = wire::DecodeLabelsResponse(frame);
  if (!response.ok()) return lines->push_back("malformed: " + std::string(response.status().message()));
  for (const auto* list : {&response->values, &response->warnings})
    lines->insert(lines->end(), list->begin(), list->end());
  if (!form.queried_blocks) return;
  wire::HintsOf of = method.ends_with("Names") ? wire::HintsOf::kLabelNames : wire::HintsOf::kLabelValues;
  auto hints = wire::DecodeResponseHints(of, response->hints);
  if (!hints.ok()) return lines->push_back("malformed hints");
  std::sort(hints->queried_blocks.begin(), hints->queried_blocks.end());
  for (const std::string& block : hints->queried_blocks) lines->push_back("queried " + block);
}

// A line for each field, in order of the lines.
Lines FieldLines(std::string_view message, const std::string& prefix) {
  Lines lines;
  wire::FieldReader fields(message);
  while (fields.Next()) {
    uint32_t number = fields.key() >> 3;
    std::string name = prefix + std::to_string(number) + ": ";
    if (fields.key() == wire::BytesKey(kStoreOfInfo) && prefix.empty()) {
      Lines inner = FieldLines(fields.bytes(), name);
      lines.insert(lines.end(), inner.begin(), inner.end());
    } else {
      bool bytes = fields.key() == wire::BytesKey(number);
      lines.push_back(name + (bytes ? std::string(fields.bytes()) : std::to_string(fields.int64())));
    }
  }
  if (!fields.ok()) lines.push_back(prefix + "malformed");
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

Lines AnswerLines(const std::string& method, const std::vector<std::string>& frames, std::string_view code,
                  const AnswerForm& form) {
  Lines lines = {std::string(code)};
  if (method.ends_with("/Series")) {
    AppendSeries(frames, form, &lines);
    return lines;
  }
  for (const std::string& frame : frames) {
    if (method.ends_with("/Info")) {
      Lines fields = FieldLines(frame, "");
      lines.insert(lines.end(), fields.begin(), fields.end());
    } else {
      AppendLabels(method, frame, form, &lines);
    }
  }
  return lines;
}

Lines RecordedLines(const wire::GoldenCall& call, const AnswerForm& form) {
  auto document = json::Document::Parse(call.responses_json);
  EXPECT_TRUE(document.ok()) << call.name;
  if (!document.ok()) return {};
  std::string_view code = document->root().Get("status").Get("name").String().value_or("OK");
  return AnswerLines(call.method, call.frames, code, form);
}

Lines AskRecorded(net::GrpcChannel& channel, const wire::GoldenCall& call, const AnswerForm& form,
                  std::string* message) {
  auto under_way = channel.Start(call.method, {}, Cancel());
  EXPECT_TRUE(under_way->Write(call.request).ok());
  EXPECT_TRUE(under_way->WritesDone().ok());
  std::vector<std::string> frames;
  std::string frame;
  while (true) {
    auto more = under_way->Read(&frame);
    if (!more.ok() || !*more) break;
    frames.push_back(frame);
  }
  net::GrpcStatus status = under_way->Finish();
  *message = status.message;
  return AnswerLines(call.method, frames, net::GrpcCodeText(status.code), form);
}

std::string FirstOther(const Lines& ours, const Lines& recorded) {
  auto [a, b] = std::mismatch(ours.begin(), ours.end(), recorded.begin(), recorded.end());
  return "line " + std::to_string(a - ours.begin()) + " of " + std::to_string(ours.size()) + " (recorded " +
         std::to_string(recorded.size()) + ")\n  ours     " + (a == ours.end() ? "nothing" : *a) + "\n  recorded " +
         (b == recorded.end() ? "nothing" : *b);
}

}  // namespace gauntlet::storeapi
