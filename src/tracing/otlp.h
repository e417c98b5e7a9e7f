// Spans as OTLP's ExportTraceServiceRequest.
//
// Format:  ../../proto/opentelemetry/trace.proto, written by hand: this is the only message, and it is never read
// Threads: pure.

#pragma once

#include <map>
#include <span>
#include <string>

#include "telemetry/trace.h"

namespace gauntlet::tracing {

// `resource` describes who made the spans: service.name and the like.
std::string EncodeSpans(std::span<const telemetry::SpanRecord> spans,
                        const std::map<std::string, std::string>& resource);

}  // namespace gauntlet::tracing
