// Recorded answers of real servers, and ours to the same requests, in lines that can be compared.
//
// Threads: free functions; calls block.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/grpc/grpc.h"
#include "wire/series.h"
#include "wire/testing/golden_storeapi.h"

namespace gauntlet::storeapi {

using Lines = std::vector<std::string>;

// What of an answer becomes lines.
struct AnswerForm {
  std::function<void(const wire::SeriesReader&, Lines*)> series;  // of one message with a series
  bool queried_blocks = false;                                    // of the hints of label calls
};

// gRPC's name of the status, then the answer: series with their warnings, values of labels, or what Info says (in an
// order of its own, since some servers have none).
Lines AnswerLines(const std::string& method, const std::vector<std::string>& frames, std::string_view code,
                  const AnswerForm& form);
Lines RecordedLines(const wire::GoldenCall& call, const AnswerForm& form);
// *message is that of the status.
Lines AskRecorded(net::GrpcChannel& channel, const wire::GoldenCall& call, const AnswerForm& form,
                  std::string* message);

// Where two answers part: "line 3 of 9 (recorded 8)\n  ours     a\n  recorded b".
std::string FirstOther(const Lines& ours, const Lines& recorded);

}  // namespace gauntlet::storeapi
