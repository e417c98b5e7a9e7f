#include "telemetry/exposition.h"

#include <cmath>

#include "model/float_text.h"

namespace gauntlet::telemetry {
namespace {

constexpr std::string_view kTotal = "_total";

void AppendEscaped(std::string& out, std::string_view text, bool quotes) {
  for (char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

}  // namespace

void ExpositionWriter::BeginFamily(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  help_ = help;
  type_ = type;
  total_ = {};
  head_pending_ = true;
  if (!open_metrics_) return;
  if (type == "counter") {
    if (name.ends_with(kTotal)) {
      name_.remove_suffix(kTotal.size());
      total_ = kTotal;
    } else {
      type_ = "unknown";
    }
  } else if (type == "untyped") {
    type_ = "unknown";
  }
}

void ExpositionWriter::WriteHead() {
  head_pending_ = false;
  out_.append("# HELP ").append(name_).append(" ");
  AppendEscaped(out_, help_, open_metrics_);
  out_.append("\n# TYPE ").append(name_).append(" ").append(type_).append("\n");
}

void ExpositionWriter::WriteNumber(double v) {
  char text[kFloatTextMax];
  std::string_view number(text, static_cast<size_t>(WriteFloatG(v, text) - text));
  out_ += number;
  // OpenMetrics tells floats from integers by their text.
  if (open_metrics_ && std::isfinite(v) && number.find_first_of(".e") == std::string_view::npos) out_ += ".0";
}

void ExpositionWriter::WriteName(std::string_view suffix, const LabelPairs& labels, const double* le) {
  if (head_pending_) WriteHead();
  out_.append(name_).append(total_).append(suffix);
  char separator = '{';
  for (const auto& [name, value] : labels) {
    out_ += separator;
    separator = ',';
    out_.append(name).append("=\"");
    AppendEscaped(out_, value, true);
    out_ += '"';
  }
  if (le != nullptr) {
    out_ += separator;
    separator = ',';
    out_ += "le=\"";
    WriteNumber(*le);
    out_ += '"';
  }
  out_ += separator == ',' ? "} " : " ";
}

void ExpositionWriter::WriteFloat(std::string_view suffix, const LabelPairs& labels, double value, const double* le) {
  WriteName(suffix, labels, le);
  WriteNumber(value);
  out_ += '\n';
}

void ExpositionWriter::WriteCount(std::string_view suffix, const LabelPairs& labels, uint64_t value, const double* le) {
  WriteName(suffix, labels, le);
  out_.append(std::to_string(value)).append("\n");
}

void ExpositionWriter::Finish() {
  if (open_metrics_) out_ += "# EOF\n";
}

}  // namespace gauntlet::telemetry
