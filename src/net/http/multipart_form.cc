#include "net/http/multipart_form.h"

#include <algorithm>
#include <optional>
#include <string>

#include "net/text.h"

namespace gauntlet::net {
namespace {

// The value of `name` among what follows a header's first word: ; name=token; name="quoted \" text"
std::optional<std::string> Parameter(std::string_view header, std::string_view name) {
  header.remove_prefix(std::min(header.find(';'), header.size()));
  while (!header.empty()) {
    header.remove_prefix(1);
    const size_t key_end = std::min(header.find_first_of("=;"), header.size());
    const std::string_view key = TrimBlanks(header.substr(0, key_end));
    header.remove_prefix(key_end);
    if (!header.starts_with('=')) continue;
    header = TrimBlanks(header.substr(1));
    std::string value;
    if (header.starts_with('"')) {
      size_t i = 1;
      for (; i < header.size() && header[i] != '"'; ++i) {
        if (header[i] == '\\' && i + 1 < header.size()) ++i;
        value += header[i];
      }
      header.remove_prefix(std::min(i, header.size()));
    } else {
      value = TrimBlanks(header.substr(0, header.find(';')));
    }
    if (SameToken(key, name)) return value;
    header.remove_prefix(std::min(header.find(';'), header.size()));
  }
  return std::nullopt;
}

Status Invalid(const char* why) { return {Code::kInvalid, std::string("multipart form: ") + why}; }

// Takes one line off `text`; false without an end of line.
bool TakeLine(std::string_view* text, std::string_view* line) {
  const size_t end = text->find("\r\n");
  if (end == std::string_view::npos) return false;
  *line = text->substr(0, end);
  text->remove_prefix(end + 2);
  return true;
}

}  // namespace

bool IsMultipartForm(std::string_view content_type) {
  return SameToken(TrimBlanks(content_type.substr(0, content_type.find(';'))), "multipart/form-data");
}

Status ParseMultipartForm(std::string_view content_type, std::string_view body, FormValues* form) {
  const std::optional<std::string> boundary = Parameter(content_type, "boundary");
  if (!boundary || boundary->empty()) return Invalid("its content type has no boundary");
  const std::string delimiter = "\r\n--" + *boundary;
  if (body.starts_with(std::string_view(delimiter).substr(2))) {
    body.remove_prefix(delimiter.size() - 2);
  } else {
    const size_t begin = body.find(delimiter);
    if (begin == std::string_view::npos) return Invalid("its boundary is not there");
    body.remove_prefix(begin + delimiter.size());
  }
  while (!body.starts_with("--")) {
    std::string_view line, disposition;
    if (!TakeLine(&body, &line) || !TrimBlanks(line).empty()) return Invalid("a boundary goes on");
    while (true) {
      if (!TakeLine(&body, &line)) return Invalid("it ends within the headers of a part");
      if (line.empty()) break;
      const size_t colon = std::min(line.find(':'), line.size());
      if (SameToken(TrimBlanks(line.substr(0, colon)), "Content-Disposition")) disposition = line.substr(colon);
    }
    const size_t end = body.find(delimiter);
    if (end == std::string_view::npos) return Invalid("it ends within a part");
    std::optional<std::string> name = Parameter(disposition, "name");
    if (name && !Parameter(disposition, "filename")) form->Add(*std::move(name), std::string(body.substr(0, end)));
    body.remove_prefix(end + delimiter.size());
  }
  return Status();
}

}  // namespace gauntlet::net
